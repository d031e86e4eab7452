"""Particle, and for pairs of pixels near and far whether both belong to the same one."""

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
NEAR = ((0, 1), (1, 0), (1, 1), (1, -1))
MIDDLE = ((0, 3), (3, 0), (2, 2), (2, -2))
FAR = ((0, 9), (3, 8), (6, 6), (8, 3), (9, 0), (8, -3), (6, -6), (3, -8))
FARTHEST = ((0, 16), (6, 15), (11, 11), (15, 6), (16, 0), (15, -6), (11, -11), (6, -15))
OFFSETS = NEAR + MIDDLE + FAR + FARTHEST
"""Down and right, in pixels; the number at a pixel is about it and the one so far away."""
_BY_KIND = np.array([0, 0.2, 1, 3], np.float32)
"""How much pairs count: both background, one of them particle, both of the same, of two particles."""


class AffinitiesHead:
    """Particle or not, and for 24 offsets whether the pixel there is of the same particle.

    Near pairs make fragments, which end where particles touch. Fragments are joined while the mean over all pairs
    between two of them, near and far, says that they belong together; the surest first. Far pairs reach across a
    fibre that lies on top, so that what goes on behind it is joined although it does not touch.

    Notes
    -----
    After the mutex watershed (Wolf et al. 2018, doi:10.1007/978-3-030-01225-0_34: near pairs attract, far ones may
    repel) and agglomeration by average linkage (Bailoni et al. 2022, doi:10.1109/CVPR52688.2022.01135). Unlike there,
    far pairs may attract, too.
    """

    name = "affinities"
    title = "Pairs of pixels"
    summary = "25 numbers per pixel: particle, and to which pixels around it belongs. For fibres that cross and bend."
    channels = 1 + len(OFFSETS)
    reach = 16
    directional = True

    def targets(self, labels: Array) -> Array:
        """Return particle and affinities; see ``Head.targets``. Where a pair leaves the image it is 0."""
        found = np.zeros((self.channels, *labels.shape), np.float32)
        found[0] = labels > 0
        for plane, offset in zip(found[1:], OFFSETS, strict=True):
            here, there = ends(labels.shape, offset)
            plane[here] = (labels[here] == labels[there]) & (labels[here] > 0)
        return found

    def weights(self, labels: Array) -> Array:
        """Return how much pairs count: those of two particles most, of one with background little, of background 0."""
        found = np.zeros((self.channels, *labels.shape), np.float32)
        found[0] = 1
        inside = (labels > 0).view(np.uint8)
        for plane, offset in zip(found[1:], OFFSETS, strict=True):
            here, there = ends(labels.shape, offset)
            kind = inside[here] + inside[there]  # how many of the two are particle
            kind += (kind == 2) & (labels[here] != labels[there])
            plane[here] = _BY_KIND[kind]
        return found

    def decode(self, fields: Array, threshold: float) -> Array:
        """Return the instances; see ``Head.decode``. They need not be connected."""
        from napari_mpseg.heads.fragments import fragments_of, pairs_between
        from napari_mpseg.heads.joining import joined

        mask = np.ascontiguousarray(fields[0] >= threshold)
        affinities = np.ascontiguousarray(fields[1:], np.float32)
        fragments, count = fragments_of(affinities[: len(NEAR)], mask, np.array(NEAR))
        groups = joined(count, *pairs_between(affinities, fragments, np.array(OFFSETS)))
        found: Array = groups[fragments]
        return found


def ends(shape: tuple[int, ...], offset: tuple[int, int]) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Return where pairs begin and end whose pixels are both in an image, as slices of the image."""
    here, there = [], []
    for size, step in zip(shape, offset, strict=True):
        low, high = max(0, -step), max(0, min(size, size - step))
        here.append(slice(min(low, high), high))
        there.append(slice(min(low, high) + step, high + step))
    return (here[0], here[1]), (there[0], there[1])
