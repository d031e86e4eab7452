"""Particle, and how deep inside it a pixel lies."""

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
_SMOOTHING = 1.0
"""Pixels; a Gaussian, cut at three times as many."""
_LEVELS = 255
_PROMINENCE = 38
"""Levels, 0.15: two peaks of depth are two particles if the way from the one to the other leads down by so much."""


class DistanceHead:
    """Particle or not, and the distance to the particle's own border as a share of its largest.

    Every peak of the depth that stands out is a particle's marker; markers are grown back over the mask, deepest pixels
    first. How deep a peak is does not matter: a network that learnt little makes all of them flat.

    Notes
    -----
    That a network is taught distances, as in StarDist (Schmidt et al. 2018, doi:10.1007/978-3-030-00934-2_30) and
    Omnipose (Cutler et al. 2022, doi:10.1038/s41592-022-01639-4). Here it is one number, which is enough for markers.
    Each connected piece of a particle has a largest distance of its own, so that small and thin ones have markers,
    too.
    """

    name = "distance"
    title = "Depth inside the particle"
    summary = "Two numbers per pixel: particle, and how deep inside it. For round and thick particles in clusters."
    channels = 2
    reach = 3
    directional = False

    def targets(self, labels: Array) -> Array:
        """Return particle and relative depth; see ``Head.targets``."""
        return np.stack([(labels > 0).astype(np.float32), relative_depth(labels)])

    def weights(self, labels: Array) -> Array:
        """Return how much pixels count: more where particles touch, little far from any."""
        from napari_mpseg.heads.pieces import touching_weights

        return np.stack([np.ones(labels.shape, np.float32), touching_weights(labels, 4.0)])

    def decode(self, fields: Array, threshold: float) -> Array:
        """Return the instances; see ``Head.decode``."""
        from scipy import ndimage

        from napari_mpseg.heads.flooding import flooded
        from napari_mpseg.peaks import peak_markers

        mask = fields[0] >= threshold
        depth = ndimage.gaussian_filter(fields[1], _SMOOTHING, radius=self.reach)
        levels = np.floor(np.clip(np.nan_to_num(depth), 0, 1) * np.float32(_LEVELS))
        return flooded(peak_markers(levels, mask, prominence=_PROMINENCE) > 0, 1 - fields[1], mask)


def relative_depth(labels: Array) -> Array:
    """Return the distance to the own border, near 0 there and 1 at the deepest pixel of each piece; float32 ``(Y, X)``.

    The border is half a pixel outside the outermost pixels' centres. The image's border is none.
    """
    from napari_mpseg.heads.pieces import depth_of, each_particle, pieces_of

    found = np.zeros(labels.shape, np.float32)
    for window, own in each_particle(labels):
        depth = depth_of(own)
        pieces, count = pieces_of(own)
        deepest = np.ones(count + 1, np.float32)
        np.maximum.at(deepest, pieces.ravel(), depth.ravel())
        relative = (depth - np.float32(0.5)) / (deepest[pieces] - np.float32(0.5))
        found[window][own] = relative[own]
    return found
