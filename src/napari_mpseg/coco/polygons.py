"""Polygons filled as COCO's own tool fills them, pixel by pixel the same.

The outline is drawn on a grid five times as fine; a column of pixels changes between outside and inside where the
outline passes the middle of it (Lin et al. 2014, the reference implementation's rule). A polygon along the borders of
pixels, with whole numbers as corners, so holds exactly the pixels inside.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.coco.run_mask import RunMask, from_edges, united

_FINE = 5.0
_STEPS = int(_FINE)
_LEFT = 2  # of the five steps of a column, the last before its middle
_BATCH = 4_000_000  # places where sides cross columns held at once


def filled(corners: Sequence[float] | NDArray[Any], height: int, width: int) -> RunMask:
    """Return the pixels of one polygon; what lies outside the image is cut off.

    Parameters
    ----------
    corners : sequence of float
        ``x0, y0, x1, y1 ...`` in pixels; pixel ``(y, x)`` covers x to x + 1 and y to y + 1. The polygon is closed.
    height, width : int
        Of the image.

    Examples
    --------
    >>> filled([1, 0, 3, 0, 3, 1, 1, 1], 2, 4).to_array().astype(int).tolist()
    [[0, 1, 1, 0], [0, 0, 0, 0]]
    """
    points = np.asarray(corners, np.float64).reshape(-1, 2)
    along = _along_pixels(points, height, width)
    if along is not None:
        return from_edges(along, height, width)
    # as C turns a number into a whole one: towards 0
    fine = np.trunc(_FINE * points + 0.5).astype(np.int64)
    start, end = fine, np.roll(fine, -1, axis=0)
    size = _crossed(start[:, 0], end[:, 0], width)[1] + 1
    edges = []
    first = 0
    while first < len(start):
        last = first + max(1, int(np.searchsorted(np.cumsum(size[first:]), _BATCH)))
        edges.append(_edges(start[first:last], end[first:last], height, width))
        first = last
    return from_edges(np.concatenate(edges), height, width)


def _along_pixels(points: NDArray[np.float64], height: int, width: int) -> NDArray[np.int64] | None:
    """Return the edges of a polygon along the borders of pixels of the image, at once; None of any other.

    Most polygons made from labels are such, and every horizontal side is where its columns change.
    """
    place = points.astype(np.int64)
    if (place != points).any() or place.min() < 0 or (place.max(0) > (width, height)).any():
        return None
    x, y = place.T
    step = np.append(x[1:], x[0]) - x
    size = np.abs(step)
    if ((np.append(y[1:], y[0]) != y) & (size > 0)).any():
        return None
    first = np.minimum(x, x + step)
    column = np.repeat(first - (np.cumsum(size) - size), size) + np.arange(int(size.sum()))
    return np.asarray(column * height + np.repeat(y, size))


def filled_together(polygons: Sequence[Sequence[float]], height: int, width: int) -> RunMask:
    """Return the pixels of one polygon or another: the pieces of one particle."""
    return united([filled(corners, height, width) for corners in polygons], height, width)


def _crossed(one: NDArray[np.int64], other: NDArray[np.int64], width: int) -> tuple[NDArray[np.int64], ...]:
    """Return the first column of the image whose middle each side passes, and how many there are."""
    low, high = np.minimum(one, other), np.maximum(one, other)
    first = np.clip(-(-(low - _LEFT) // _STEPS), 0, width)
    last = np.clip((high - _LEFT - 1) // _STEPS, -1, width - 1)
    return first, np.maximum(last - first + 1, 0)


def _edges(start: NDArray[np.int64], end: NDArray[np.int64], height: int, width: int) -> NDArray[np.int64]:
    """Return where pixels, counted down the columns, change between outside and inside.

    Of the points of a side on the fine grid only those to both sides of a column's middle matter, and they are
    computed as the whole line would have them. So a side that goes far out takes no more than the columns it passes.
    """
    across, down = np.abs(end - start).T
    flat = across >= down
    turned = np.where(flat, start[:, 0] > end[:, 0], start[:, 1] > end[:, 1])
    low, high = np.where(turned[:, None], end, start), np.where(turned[:, None], start, end)
    rise = np.where(flat, high[:, 1] - low[:, 1], high[:, 0] - low[:, 0])
    slope = rise / np.maximum(np.maximum(across, down), 1)  # a line of no length is one point
    first, count = _crossed(start[:, 0], end[:, 0], width)
    side = np.repeat(np.arange(len(count)), count)
    column = first[side] + np.arange(len(side)) - (np.cumsum(count) - count)[side]
    middle = _STEPS * column + _LEFT
    x, y, slope, flat = low[side, 0], low[side, 1], slope[side], flat[side]
    along = middle - x  # of a flat side: where its line is at the middle
    here, there = (np.trunc(y + slope * place + 0.5) for place in (along, along + 1))
    row = np.where(flat, np.minimum(here, there), y + _step(x, slope, middle, ~flat))
    below = np.ceil(np.clip((row + 0.5) / _FINE - 0.5, 0, height)).astype(np.int64)
    return np.asarray(column * height + below)


def _step(
    x: NDArray[np.int64], slope: NDArray[np.float64], middle: NDArray[np.int64], steep: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Return how far down a steep side its line passes the middle, 0 for others: the point before it does."""
    found = np.zeros(len(x), np.int64)
    x, slope, middle = x[steep], slope[steep], middle[steep]
    near = np.round((middle + 0.5 - x) / slope).astype(np.int64)
    # near is off by a rounding at most: the line itself decides which point is the first beyond the middle
    beyond = near + 2
    for place in range(1, -3, -1):
        drawn = np.trunc(x + slope * (near + place) + 0.5)
        over = np.where(slope > 0, drawn > middle, drawn <= middle)
        beyond = np.where(over, near + place, beyond)
    found[steep] = beyond - 1
    return found
