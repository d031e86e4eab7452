"""Growing markers over a mask, compiled: the lowest pixels first, and among equals those that were reached first.

References
----------
Meyer 1991 (flooding by a queue for each level).
"""

from typing import Any

import numba
import numpy as np

from napari_mpseg.heads.pieces import pieces_of

Array = np.ndarray[Any, Any]
_LEVELS = 256


def flooded(markers: Array, heights: Array, mask: Array) -> Array:
    """Return labels that cover exactly a mask: the markers, grown; what none of them reaches is one for each piece.

    Parameters
    ----------
    markers : ndarray of bool
        ``(Y, X)``; connected ones belong together. Those outside the mask do not count.
    heights : ndarray of float32
        ``(Y, X)``, 0 to 1; low pixels are taken first.
    mask : ndarray of bool
        ``(Y, X)``.

    Returns
    -------
    ndarray of int32
        ``(Y, X)``, 1 to N.
    """
    labels, count = pieces_of(markers & mask)
    return grown(labels, count, heights, mask)


def grown(labels: Array, count: int, heights: Array, mask: Array) -> Array:
    """Grow labels 1 to `count` over a mask; see :func:`flooded`. `labels` is changed."""
    if count:
        levels = np.clip(np.nan_to_num(heights) * np.float32(_LEVELS - 1), 0, _LEVELS - 1).astype(np.uint8)
        _flood(labels, levels, np.ascontiguousarray(mask))
    left = mask & (labels == 0)
    if left.any():
        rest, _ = pieces_of(left)
        labels[left] = rest[left] + count
    return labels


def cores(field: Array, mask: Array, low: float, high: float) -> Array:
    """Return the pieces of ``field >= low`` within a mask that reach ``field >= high`` somewhere, as a bool array."""
    labels, count = pieces_of((field >= low) & mask)
    if not count:
        return labels > 0
    reached = np.zeros(count + 1, bool)
    reached[labels[field >= high]] = True
    reached[0] = False
    found: Array = reached[labels]
    return found


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _flood(labels: Array, levels: Array, mask: Array) -> None:
    rows, columns = labels.shape
    following = np.full(rows * columns, -1, np.int64)
    first = np.full(256, -1, np.int64)
    last = np.full(256, -1, np.int64)
    down = np.array([-1, 0, 0, 1, -1, -1, 1, 1])
    right = np.array([0, -1, 1, 0, -1, 1, -1, 1])
    for y in range(rows):  # markers first, each at its own level
        for x in range(columns):
            if labels[y, x] == 0:
                continue
            for k in range(8):
                v, u = y + down[k], x + right[k]
                if 0 <= v < rows and 0 <= u < columns and mask[v, u] and labels[v, u] == 0:
                    level = levels[y, x]
                    place = y * columns + x
                    if last[level] < 0:
                        first[level] = place
                    else:
                        following[last[level]] = place
                    last[level] = place
                    break
    level = 0
    while level < 256:
        place = first[level]
        if place < 0:
            level += 1
            continue
        first[level] = following[place]
        if first[level] < 0:
            last[level] = -1
        following[place] = -1
        y, x = place // columns, place % columns
        for k in range(8):
            v, u = y + down[k], x + right[k]
            if not (0 <= v < rows and 0 <= u < columns) or not mask[v, u] or labels[v, u] != 0:
                continue
            labels[v, u] = labels[y, x]
            own = max(level, levels[v, u])
            there = v * columns + u
            if last[own] < 0:
                first[own] = there
            else:
                following[last[own]] = there
            last[own] = there
