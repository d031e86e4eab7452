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
    return replace(
        pair,
        image=ShrunkPixels(pair.image, factor),
        mask=particle > seen / 2,
        known=(seen > 0) if pair.known is not None else None,
    )


def _completed(values: Array, factor: int, mode: Any) -> Array:
    extra = [(0, -size % factor) for size in values.shape[:2]] + [(0, 0)] * (values.ndim - 2)
    return np.pad(values, extra, mode=mode) if any(after for _, after in extra) else values
