"""Compiled inner loops of openings: the lowest or highest of many shifted rows."""

from typing import Any

import numba
import numpy as np

Array = np.ndarray[Any, Any]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def ball_erosion(padded: Array, offsets: Array, heights: Array, result: Array) -> None:
    """Write the height of a ball's centre, less its radius, when it touches the image from below.

    Parameters
    ----------
    padded : ndarray
        ``(Y + 2 r, X + 2 r)`` pixels.
    offsets : ndarray of int
        ``(N, 2)`` rows and columns from the corner of the ball's square.
    heights : ndarray
        ``(N,)`` how far the ball's surface lies below its top there; of the pixels' dtype.
    result : ndarray
        ``(Y, X)``, filled with infinity.
    """
    rows, columns = result.shape
    for y in range(rows):
        line = result[y]
        for one in range(len(heights)):
            dx, height = offsets[one, 1], heights[one]
            source = padded[y + offsets[one, 0], dx : dx + columns]
            for x in range(columns):
                value = source[x] + height
                line[x] = value if value < line[x] else line[x]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def ball_dilation(padded: Array, offsets: Array, heights: Array, result: Array) -> None:
    """Write the highest ball surface at every pixel; see :func:`ball_erosion`; the result begins at -infinity."""
    rows, columns = result.shape
    for y in range(rows):
        line = result[y]
        for one in range(len(heights)):
            dx, height = offsets[one, 1], heights[one]
            source = padded[y + offsets[one, 0], dx : dx + columns]
            for x in range(columns):
                value = source[x] - height
                line[x] = value if value > line[x] else line[x]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def disc_lowest(padded: Array, halves: Array, result: Array) -> None:
    """Write the lowest value under a disc around every pixel.

    A disc is a pile of rows. The lowest of a row of any length is the lower of two rows whose length is a power of two,
    and these are found by doubling; so a row costs two comparisons, however long.

    Parameters
    ----------
    padded : ndarray
        ``(Y + 2 r, X + 2 r)`` pixels.
    halves : ndarray of int
        ``(2 r + 1,)`` half the length of the disc's row, less the middle.
    result : ndarray
        ``(Y, X)``, filled with the pixel at the middle or anything higher than all.
    """
    rows, columns = result.shape
    radius, width = len(halves) // 2, padded.shape[1]
    powers = 1
    while (1 << powers) <= 2 * radius + 1:
        powers += 1
    doubled = np.empty((powers, width), padded.dtype)
    for line in range(padded.shape[0]):
        doubled[0] = padded[line]
        for power in range(1, powers):
            step = 1 << (power - 1)
            for x in range(width - 2 * step + 1):
                a, b = doubled[power - 1, x], doubled[power - 1, x + step]
                doubled[power, x] = a if a < b else b
        for y in range(max(0, line - 2 * radius), min(rows, line + 1)):
            half = halves[line - y]
            length = 2 * half + 1
            power = 0
            while (2 << power) <= length:
                power += 1
            first = doubled[power, radius - half : radius - half + columns]
            start = radius + half + 1 - (1 << power)
            second = doubled[power, start : start + columns]
            target = result[y]
            for x in range(columns):
                value = first[x] if first[x] < second[x] else second[x]
                target[x] = value if value < target[x] else target[x]
