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
_SHARES = {0.5: 1.4826, 0.9: 0.6080}
"""Shares of all pixels that deviate less, with what turns that deviation into normal noise's standard deviation."""


def unlike_background(window: Any, limit: float, *, bright: bool = True, dark: bool = True) -> Array:
    """Return which cells hold a pixel that leaves the background by `limit` robust deviations.

    Each channel is looked at for itself. The level is the median of blocks of 32 px, then the median of the 5 x 5
    blocks around. The robust deviation is the standard deviation of normal noise that would deviate as far as half of
    the pixels do (the median absolute deviation), or as far as nine tenths do, whichever is larger: the noise of
    colour cameras has longer tails than normal noise. Integers are taken to be uncertain by one grey level at least.

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
    spread = _spread(np.abs(values - level[..., None]))
    around = (AROUND, AROUND, 1)
    return median_filter(level, around, mode="nearest"), median_filter(spread, around, mode="nearest")


def _spread(deviations: Array) -> Array:
    """Return the largest of what several shares of the deviations tell, along the last axis."""
    places = {int(deviations.shape[-1] * share): scale for share, scale in _SHARES.items()}
    ordered = np.partition(deviations, list(places), axis=-1)
    found: Array = np.max([ordered[..., place] * np.float32(scale) for place, scale in places.items()], axis=0)
    return found


def _middle(values: Array) -> Array:
    """Return the upper median along the last axis."""
    middle = values.shape[-1] // 2
    found: Array = np.partition(values, middle, axis=-1)[..., middle]
    return found
