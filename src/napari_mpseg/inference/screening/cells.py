"""Windows of pixels as cells: the raster on which screens answer."""

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
CELL = 8
"""Side of a cell in pixels: about the width of a small particle with its rim."""


def cell_count(pixels: int) -> int:
    """Return how many cells cover so many pixels."""
    return -(-pixels // CELL)


def as_channels(window: Any) -> Array:
    """Return a window as ``(Y, X, C)`` without NaN and infinities; these become the window's median."""
    pixels = np.asarray(window)
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    if pixels.dtype.kind != "f":
        return pixels
    finite = np.isfinite(pixels)
    if finite.all():
        return pixels
    ordinary = np.median(pixels[finite]) if finite.any() else 0.0
    return np.where(finite, pixels, pixels.dtype.type(ordinary))


def padded(pixels: Array, multiple: int) -> Array:
    """Return ``(Y, X, C)`` mirrored at the bottom and right to multiples of so many pixels."""
    below, right = (-size % multiple for size in pixels.shape[:2])
    return np.pad(pixels, ((0, below), (0, right), (0, 0)), mode="symmetric") if below or right else pixels


def extremes(pixels: Array, side: int, *, bright: bool) -> Array:
    """Return the largest, or smallest, value of every block of `side` x `side` pixels of each channel.

    Parameters
    ----------
    pixels : ndarray
        ``(Y, X, C)``; height and width are multiples of `side`.

    Returns
    -------
    ndarray
        ``(Y / side, X / side, C)``, same dtype.
    """
    height, width, channels = pixels.shape
    reduce = np.maximum.reduce if bright else np.minimum.reduce
    # down first: whole rows are compared at once, and eight times fewer values are left for the slow direction
    rows = reduce(pixels.reshape(height // side, side, width * channels), axis=1)
    blocks: Array = reduce(rows.reshape(height // side, width // side, side, channels), axis=2)
    return blocks
