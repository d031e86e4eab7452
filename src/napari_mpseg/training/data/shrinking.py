"""Labelled images seen smaller than they are, for particles much larger than a network's field."""

from dataclasses import replace
from typing import Any

import numpy as np

from napari_mpseg.images.resampling import shrunk
from napari_mpseg.training.data.pairs import LabelledImage

Array = np.ndarray[Any, Any]


class ShrunkPixels:
    """An image of which every block of pixels is one; sliced like an array of ``(Y, X, C)``."""

    def __init__(self, image: Any, factor: int) -> None:
        self._image, self._factor = image, factor
        height, width, channels = image.shape
        self.shape = (-(-height // factor), -(-width // factor), channels)

    def __getitem__(self, where: Any) -> Array:
        rows, columns = (part.indices(size) for part, size in zip(where, self.shape, strict=False))
        factor = self._factor
        part = np.asarray(
            self._image[rows[0] * factor : rows[1] * factor, columns[0] * factor : columns[1] * factor], np.float32
        )
        return shrunk(_completed(part, factor, "edge"), factor)


def shrunk_pair(pair: LabelledImage, factor: int) -> LabelledImage:
    """Return the pair `factor` times smaller; the same pair for 1.

    A block is particle if most of its known pixels are, and known if any of them is.
    """
    if factor == 1:
        return pair
    known = pair.known if pair.known is not None else np.ones(pair.mask.shape, bool)
    seen = shrunk(_completed(known.astype(np.float32), factor, "constant"), factor)
    particle = shrunk(_completed((pair.mask & known).astype(np.float32), factor, "constant"), factor)
    mask = particle > seen / 2
    instances = None if pair.instances is None else np.where(mask, shrunk_labels(pair.instances, factor), 0)
    return replace(
        pair,
        image=ShrunkPixels(pair.image, factor),
        mask=mask,
        known=(seen > 0) if pair.known is not None else None,
        instances=instances,
    )


def shrunk_labels(labels: Array, factor: int) -> Array:
    """Return the label that has most pixels in every block of ``factor`` x ``factor``, of those with any but 0.

    Of several with as many pixels, that of the first. At the border, where a block is not full, what is there counts.
    """
    whole = _completed(labels, factor, "constant")
    height, width = (size // factor for size in whole.shape)
    blocks = whole.reshape(height, factor, width, factor).transpose(0, 2, 1, 3).reshape(height * width, -1)
    found = np.zeros(len(blocks), labels.dtype)
    some = np.flatnonzero(blocks.any(1))
    blocks = blocks[some]
    best, most = blocks[:, 0].copy(), np.zeros(len(blocks), np.int64)
    for column in blocks.T:
        count = np.where(column != 0, (blocks == column[:, None]).sum(1), 0)
        better = count > most
        best[better], most[better] = column[better], count[better]
    found[some] = best
    return found.reshape(height, width)


def _completed(values: Array, factor: int, mode: Any) -> Array:
    extra = [(0, -size % factor) for size in values.shape[:2]] + [(0, 0)] * (values.ndim - 2)
    return np.pad(values, extra, mode=mode) if any(after for _, after in extra) else values
