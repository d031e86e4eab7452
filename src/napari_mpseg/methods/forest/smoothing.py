"""Gaussian smoothing of a part of an image, so that a part is what it would be in the whole."""

import math
from typing import Any

import numba
import numpy as np

Array = np.ndarray[Any, Any]
TRUNCATE = 4.0
"""A kernel ends after so many standard deviations. With fewer, second derivatives see the step at its end."""


def radius(sigma: float) -> int:
    """Return how many pixels a Gaussian of that standard deviation reaches to each side."""
    return int(TRUNCATE * sigma + 0.5)


def gaussian_taps(sigma: float) -> Array:
    """Return the right half of a Gaussian sampled at whole pixels, its centre first; both halves add up to 1."""
    half = radius(sigma)
    weights = [math.exp(-0.5 * (offset / sigma) ** 2) for offset in range(half + 1)]
    total = weights[0] + 2 * sum(weights[1:])
    return np.array([weight / total for weight in weights], np.float32)


class Smoothed:
    """One channel of a window, smoothed at any scale over its core and some pixels around.

    The edge of the window is repeated beyond it. Where the window ends inside the image, its margins must hold all that
    is asked for, and so the repeated edge is the image's own.

    Parameters
    ----------
    plane : ndarray of float32
        ``(Y, X)``.
    margins : tuple of int
        Pixels at the top, bottom, left and right of the window that are not core.
    """

    def __init__(self, plane: Array, margins: tuple[int, int, int, int]) -> None:
        self._plane = np.ascontiguousarray(plane, np.float32)
        self._margins = margins
        self._kept: dict[float, tuple[int, Array]] = {}

    def at(self, sigma: float, grow: int = 0) -> Array:
        """Return the core grown by `grow` pixels on each side, smoothed; float32 ``(Y, X)``.

        The widest one asked for so far is kept, until :meth:`forget`.
        """
        kept, values = self._kept.get(sigma, (-1, self._plane))
        if kept < grow:
            kept, values = grow, smooth_part(self._plane, sigma, self._box(grow))
            self._kept[sigma] = kept, values
        cut = kept - grow
        return values[cut : values.shape[0] - cut, cut : values.shape[1] - cut]

    def forget(self) -> None:
        """Let go of what is kept."""
        self._kept.clear()

    def _box(self, grow: int) -> tuple[int, int, int, int]:
        top, bottom, left, right = self._margins
        height, width = self._plane.shape
        return top - grow, height - bottom + grow, left - grow, width - right + grow


def smooth_part(plane: Array, sigma: float, box: tuple[int, int, int, int]) -> Array:
    """Return part of a smoothed plane.

    Parameters
    ----------
    plane : ndarray of float32
        ``(Y, X)``, contiguous.
    sigma : float
        Standard deviation in pixels.
    box : tuple of int
        ``(y0, y1, x0, x1)`` of what is wanted; it may leave the plane, whose smoothed edge is then repeated.

    Returns
    -------
    ndarray of float32
        ``(y1 - y0, x1 - x0)``.
    """
    y0, y1, x0, x1 = box
    height, width = plane.shape
    inside = max(y0, 0), min(y1, height), max(x0, 0), min(x1, width)
    found: Array = _separable(plane, gaussian_taps(sigma), *inside)
    beyond = ((inside[0] - y0, y1 - inside[1]), (inside[2] - x0, x1 - inside[3]))
    return np.pad(found, beyond, mode="edge") if any(map(any, beyond)) else found


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _separable(plane: Array, taps: Array, y0: int, y1: int, x0: int, x1: int) -> Array:
    """Correlate along columns, then along rows, and compute only what lies in the box."""
    height, width = plane.shape
    half = len(taps) - 1
    found = np.empty((y1 - y0, x1 - x0), np.float32)
    row = np.empty(width + 2 * half, np.float32)
    for y in range(y0, y1):
        middle = row[half : half + width]
        centre = plane[y]
        for x in range(width):
            middle[x] = taps[0] * centre[x]
        for offset in range(1, half + 1):
            above, below = plane[max(y - offset, 0)], plane[min(y + offset, height - 1)]
            weight = taps[offset]
            for x in range(width):
                middle[x] += weight * (above[x] + below[x])
        row[:half] = row[half]
        row[half + width :] = row[half + width - 1]
        out = found[y - y0]
        shifted = row[half + x0 : half + x1]
        for x in range(x1 - x0):
            out[x] = taps[0] * shifted[x]
        for offset in range(1, half + 1):
            left, right = row[half + x0 - offset : half + x1 - offset], row[half + x0 + offset : half + x1 + offset]
            weight = taps[offset]
            for x in range(x1 - x0):
                out[x] += weight * (left[x] + right[x])
    return found
