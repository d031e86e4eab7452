"""Pixels by whole factors larger or smaller; each block of the one is one pixel of the other."""

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def shrunk(values: Array, factor: int) -> Array:
    """Return the mean of every ``factor`` x ``factor`` block, float32 ``(Y, X)`` or ``(Y, X, C)``.

    Height and width must be multiples of `factor`.
    """
    height, width = values.shape[0] // factor, values.shape[1] // factor
    blocks = np.asarray(values, np.float32).reshape(height, factor, width, factor, *values.shape[2:])
    mean: Array = blocks.mean((1, 3), dtype=np.float32)
    return mean


def enlarged(values: Array, factor: int) -> Array:
    """Return ``(Y, X)`` or ``(Y, X, C)`` with every pixel as a block, blended linearly with its neighbours; float32."""
    result = np.asarray(values, np.float32)
    for axis in (0, 1):
        size = result.shape[axis]
        place = (np.arange(size * factor, dtype=np.float32) + 0.5) / factor - 0.5
        low = np.floor(place).astype(int)
        share = (place - low).astype(np.float32).reshape([-1 if at == axis else 1 for at in range(result.ndim)])
        before, after = (result.take(np.clip(at, 0, size - 1), axis) for at in (low, low + 1))
        result = before + (after - before) * share
    return result
