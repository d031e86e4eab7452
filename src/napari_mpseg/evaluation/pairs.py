"""Walk through a prediction and its truth part by part."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_mpseg.errors import ImageError

_PART = 2048  # px; the least side of a part, so that small chunks are read many at a time


@dataclass(frozen=True)
class Part:
    """A rectangle of the image.

    Attributes
    ----------
    index : tuple of int
        Row and column in the grid of parts.
    core : tuple of int
        ``(y0, y1, x0, x1)`` in pixels.
    """

    index: tuple[int, int]
    core: tuple[int, int, int, int]

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index of the part in an array ``(Y, X)``."""
        y0, y1, x0, x1 = self.core
        return slice(y0, y1), slice(x0, x1)


def check_labels(name: str, array: Any) -> None:
    """Raise :class:`ImageError` if `array` is not ``(Y, X)`` labels or booleans; `name` is what it is called then."""
    shape = getattr(array, "shape", None)
    dtype = getattr(array, "dtype", None)
    if shape is None or dtype is None:
        raise ImageError(f"The {name} is a {type(array).__name__}, not an array of labels or a mask.")
    if len(shape) != 2:
        raise ImageError(f"The {name} has shape {tuple(shape)}: give labels or a mask of shape (Y, X).")
    if np.dtype(dtype).kind not in "bui":
        raise ImageError(f"The {name} holds {dtype}: give labels (integers) or a mask (true and false).")


def checked_pair(predicted: Any, truth: Any) -> tuple[int, int]:
    """Return the common height and width.

    Raises
    ------
    ImageError
        If either is not a ``(Y, X)`` array of labels or booleans, or the shapes differ.
    """
    check_labels("prediction", predicted)
    check_labels("truth", truth)
    if tuple(predicted.shape) != tuple(truth.shape):
        raise ImageError(
            f"Prediction and truth must cover the same pixels, but their shapes are {tuple(predicted.shape)} and "
            f"{tuple(truth.shape)}."
        )
    height, width = truth.shape
    return int(height), int(width)


def parts_of(*arrays: Any) -> Iterator[Part]:
    """Yield the parts, in raster order, in which to read arrays of equal height and width.

    A part is about 2048 px high and wide and cuts chunked arrays (dask, zarr) at the borders of their chunks where
    these are even.
    """
    height, width = (int(size) for size in arrays[0].shape[:2])
    down, right = _step(arrays, 0), _step(arrays, 1)
    for row, y in enumerate(range(0, height, down)):
        for column, x in enumerate(range(0, width, right)):
            yield Part((row, column), (y, min(y + down, height), x, min(x + right, width)))


def _step(arrays: tuple[Any, ...], axis: int) -> int:
    for array in arrays:
        # a shard of zarr packs many chunks and is what is read at once
        chunks = getattr(array, "shards", None) or getattr(array, "chunks", None)
        if chunks:
            # zarr tells one length per axis, dask the lengths of all chunks
            first = int(np.ravel(chunks[axis])[0])
            if first > 0:
                return first * max(1, round(_PART / first))
    return _PART
