"""Peaks of a field that stand out from what they share a ridge with; compiled.

References
----------
Grimaud 1992 (dynamics of a maximum); Chazal et al. 2013, doi:10.1145/2535927 (clusters by persistence).
"""

from typing import Any

import numba
import numpy as np

Array = np.ndarray[Any, Any]
_LEVELS = 255


def peaks(field: Array, mask: Array, prominence: float) -> Array:
    """Return one pixel of every peak that stands out within a mask, bool ``(Y, X)``.

    A peak stands out if every way from it to a higher one leads down by `prominence` or more; the highest of a
    connected piece of the mask does if it is that high itself. Of equally high ones the first in raster order counts as
    higher.

    Parameters
    ----------
    field : ndarray of float32
        ``(Y, X)``, 0 to 1; compared in 256 levels.
    mask : ndarray of bool
        ``(Y, X)``; ways lead through it, over edges and corners.
    prominence : float
        More than 0 to 1.
    """
    levels = np.clip(np.nan_to_num(field) * np.float32(_LEVELS), 0, _LEVELS).astype(np.uint8)
    found = np.zeros(mask.shape, np.bool_)
    order = _highest_first(levels, np.ascontiguousarray(mask))
    _keep_prominent(levels, order, max(1, round(prominence * _LEVELS)), found)
    return found


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _highest_first(levels: Array, mask: Array) -> Array:
    """Return the flat places of a mask's pixels, highest first, equal ones in raster order."""
    rows, columns = levels.shape
    starts = np.zeros(257, np.int64)
    for y in range(rows):
        for x in range(columns):
            if mask[y, x]:
                starts[256 - np.int64(levels[y, x])] += 1
    for level in range(1, 257):
        starts[level] += starts[level - 1]
    order = np.empty(starts[256], np.int64)
    for y in range(rows):
        for x in range(columns):
            if mask[y, x]:
                place = 255 - np.int64(levels[y, x])
                order[starts[place]] = y * columns + x
                starts[place] += 1
    return order


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _keep_prominent(levels: Array, order: Array, least: int, found: Array) -> None:
    """Let pixels join the peaks around them, and peaks that do not stand out the higher one they meet."""
    rows, columns = levels.shape
    flat, kept = levels.ravel(), found.ravel()
    parents = np.full(rows * columns, -1, np.int64)  # the root of each pixel is its peak
    for at in order:
        parents[at] = at
        for y in range(max(0, at // columns - 1), min(rows, at // columns + 2)):
            for x in range(max(0, at % columns - 1), min(columns, at % columns + 2)):
                beside = y * columns + x
                if beside == at or parents[beside] < 0:
                    continue
                high, low = _root(parents, beside), _root(parents, at)
                if flat[low] > flat[high] or (flat[low] == flat[high] and low < high):
                    high, low = low, high
                if high != low and np.int64(flat[low]) - np.int64(flat[at]) < least:
                    parents[low] = high
    for at in order:
        kept[at] = parents[at] == at and flat[at] >= least


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _root(parents: Array, at: int) -> int:
    while parents[at] != at:
        parents[at] = parents[parents[at]]
        at = parents[at]
    return at
