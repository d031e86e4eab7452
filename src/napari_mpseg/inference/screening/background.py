"""What cannot be background: pixels that leave the local level by many times the local noise."""

from typing import Any

import numpy as np

from napari_mpseg.images.resampling import enlarged
from napari_mpseg.inference.screening.cells import CELL, as_channels, cell_count, extremes, padded

Array = np.ndarray[Any, Any]
BLOCK = 32
"""Side in pixels of the blocks whose median and spread are taken."""
AROUND = 5
"""Blocks across which the median of medians is taken, so that a particle does not become its own background."""
_STEP = 2  # every second pixel both ways is enough for a median, in a quarter of the time
_NORMAL = 1.4826  # median absolute deviation to standard deviation, of normally distributed noise


def unlike_background(window: Any, limit: float, *, bright: bool = True, dark: bool = True) -> Array:
    """Return which cells hold a pixel that leaves the background by `limit` robust deviations.

    Each channel is looked at for itself. Level and spread are the median and the median absolute deviation (times
    1.4826) of blocks of 32 px, each then the median of the 5 x 5 blocks around. Integers are taken to be uncertain
    by one grey level at least.

    Parameters
    ----------
    window : ndarray
        ``(Y, X)`` or ``(Y, X, C)``, any real dtype.
    limit : float
        In robust deviations.
    bright, dark : bool
        Whether pixels above, and below, the background count.

    Returns
    -------
    ndarray of bool
        One value per cell of 8 x 8 px, ``(ceil(Y / 8), ceil(X / 8))``.
    """
    pixels = as_channels(window)
    rows, cols = (cell_count(size) for size in pixels.shape[:2])
    pixels = padded(pixels, BLOCK)
    level, spread = background_model(pixels)
    if pixels.dtype.kind != "f":
        spread = np.maximum(spread, 1)
    level, reach = enlarged(level, BLOCK // CELL), limit * enlarged(spread, BLOCK // CELL)
    found = np.zeros(level.shape[:2], bool)
    if bright:
        found |= (extremes(pixels, CELL, bright=True) > level + reach).any(2)
    if dark:
        found |= (extremes(pixels, CELL, bright=False) < level - reach).any(2)
    return found[:rows, :cols]


def background_model(pixels: Array) -> tuple[Array, Array]:
    """Return level and noise of the background by blocks of 32 px.

    Parameters
    ----------
    pixels : ndarray
        ``(Y, X, C)``; height and width are multiples of 32.

    Returns
    -------
    level, spread : ndarray of float32
        ``(Y / 32, X / 32, C)``.
    """
    from scipy.ndimage import median_filter

    seen = np.ascontiguousarray(pixels[::_STEP, ::_STEP].astype(np.float32))
    side = BLOCK // _STEP
    rows, cols, channels = seen.shape[0] // side, seen.shape[1] // side, seen.shape[2]
    values = seen.reshape(rows, side, cols, side, channels).transpose(0, 2, 4, 1, 3).reshape(rows, cols, channels, -1)
    level = _middle(values)
    spread = _NORMAL * _middle(np.abs(values - level[..., None]))
    around = (AROUND, AROUND, 1)
    return median_filter(level, around, mode="nearest"), median_filter(spread, around, mode="nearest")


def _middle(values: Array) -> Array:
    """Return the upper median along the last axis."""
    middle = values.shape[-1] // 2
    found: Array = np.partition(values, middle, axis=-1)[..., middle]
    return found
