"""Walk through a prediction and its truth part by part."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import ImageError

_PART = 2048  # px; the least side of a part, so that small chunks are read many at a time


def checked_pair(predicted: Any, truth: Any) -> tuple[int, int]:
    """Return the common height and width.

    Raises
    ------
    ImageError
        If either is not a ``(Y, X)`` array of labels or booleans, or the shapes differ.
    """
    for name, array in (("prediction", predicted), ("truth", truth)):
        shape = getattr(array, "shape", None)
        dtype = getattr(array, "dtype", None)
        if shape is None or dtype is None:
            raise ImageError(f"The {name} is a {type(array).__name__}, not an array of labels or a mask.")
        if len(shape) != 2:
            raise ImageError(f"The {name} has shape {tuple(shape)}: give labels or a mask of shape (Y, X).")
        if np.dtype(dtype).kind not in "bui":
            raise ImageError(f"The {name} holds {dtype}: give labels (integers) or a mask (true and false).")
    if tuple(predicted.shape) != tuple(truth.shape):
        raise ImageError(
            f"Prediction and truth must cover the same pixels, but their shapes are {tuple(predicted.shape)} and "
            f"{tuple(truth.shape)}."
        )
    height, width = truth.shape
    return int(height), int(width)


def _step(arrays: tuple[Any, ...], axis: int) -> int:
    """Return a step near `_PART` that cuts chunked arrays at their chunks' borders where they are even."""
    for array in arrays:
        chunks = getattr(array, "chunks", None)
        if chunks:
            # zarr tells one length per axis, dask the lengths of all chunks.
            first = int(np.ravel(chunks[axis])[0])
            if first > 0:
                return first * max(1, round(_PART / first))
    return _PART


def parts(predicted: Any, truth: Any) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Yield the same part of both arrays, in memory, until everything was seen once.

    Parameters
    ----------
    predicted, truth : array
        ``(Y, X)`` numpy, dask or zarr arrays of labels or booleans.

    Yields
    ------
    predicted, truth : ndarray
        Parts of equal shape.

    Raises
    ------
    ImageError
        As :func:`checked_pair`.
    """
    height, width = checked_pair(predicted, truth)
    down, right = _step((predicted, truth), 0), _step((predicted, truth), 1)
    for y in range(0, height, down):
        for x in range(0, width, right):
            window = slice(y, min(y + down, height)), slice(x, min(x + right, width))
            yield np.asarray(predicted[window]), np.asarray(truth[window])
