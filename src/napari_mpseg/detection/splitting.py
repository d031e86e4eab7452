"""Keeping some of what was labelled aside for validation, so that no particle is cut into two that are learnt apart."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from napari_mpseg.training.data.pairs import LabelledImage
from napari_mpseg.training.painted.split import MANY_IMAGES, split_painted

Array = np.ndarray[Any, Any]
LEAST_SIDE = 32


class Part:
    """A part of an image; sliced like an array of ``(Y, X, C)``."""

    def __init__(self, image: Any, where: tuple[slice, slice]) -> None:
        self._image, self._corner = image, (where[0].start, where[1].start)
        self.shape = (*(part.stop - part.start for part in where), *image.shape[2:])

    def __getitem__(self, where: tuple[slice, slice]) -> Array:
        inner = []
        for part, corner, length in zip(where, self._corner, self.shape, strict=False):
            start, stop, _ = part.indices(length)
            inner.append(slice(corner + start, corner + max(start, stop)))
        return np.asarray(self._image[inner[0], inner[1]])


def split_images(
    images: Sequence[LabelledImage], share: float, seed: int
) -> tuple[list[LabelledImage], list[LabelledImage]]:
    """Keep about a share of the images aside.

    Of five images or more, whole ones. Of fewer, the end of each along its longer side; a particle that the cut goes
    through is a particle cut by a border on either side, as in any patch.

    Parameters
    ----------
    images : sequence of LabelledImage
        Known everywhere, with instances.
    share : float
        0 to below 1; at most half is taken.
    seed : int
        The same seed gives the same split.

    Returns
    -------
    train, validation : list of LabelledImage
        `validation` is empty, and all of it is learnt from, where either would have no particle.
    """
    share = min(share, 0.5)
    if share <= 0:
        return list(images), []
    if len(images) >= MANY_IMAGES:
        train, held = split_painted(images, share, seed)
        whole = all(pair.known is None for pair in (*train, *held))
        return (train, held) if whole else (list(images), [])
    train, held = [], []
    for pair in images:
        height, width = pair.mask.shape
        axis = 0 if height >= width else 1
        length = (height, width)[axis]
        cut = length - round(share * length)
        if min(cut, length - cut) < LEAST_SIDE:
            train.append(pair)
            continue
        train.append(_part(pair, axis, 0, cut))
        held.append(_part(pair, axis, cut, length))
    if not all(any(pair.mask.any() for pair in part) for part in (train, held)):
        return list(images), []
    return train, held


def _part(pair: LabelledImage, axis: int, start: int, stop: int) -> LabelledImage:
    height, width = pair.mask.shape
    rows, columns = (slice(start, stop), slice(0, width)) if axis == 0 else (slice(0, height), slice(start, stop))
    where = (rows, columns)
    assert pair.instances is not None
    image = Part(pair.image, where)
    return replace(pair, image=image, mask=pair.mask[where], instances=pair.instances[where])
