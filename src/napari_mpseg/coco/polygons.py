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
_BATCH = 4_000_000  # points of the fine outline held at once


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
    size = np.abs(end - start).max(1) + 1
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


def _edges(start: NDArray[np.int64], end: NDArray[np.int64], height: int, width: int) -> NDArray[np.int64]:
    """Return where pixels, counted down the columns, change between outside and inside."""
    u, v, begins = _points(start, end)
    # a line begins where the one before has ended: no step between them counts
    left, right = u[:-1], u[1:]
    step = (left != right) & ~begins[1:]
    column = (np.minimum(left, right)[step] + 0.5) / _FINE - 0.5
    row = (np.minimum(v[:-1], v[1:])[step] + 0.5) / _FINE - 0.5
    middle = (np.floor(column) == column) & (column >= 0) & (column <= width - 1)
    below = np.ceil(np.clip(row[middle], 0, height)).astype(np.int64)
    return np.asarray(column[middle].astype(np.int64) * height + below)


def _points(
    start: NDArray[np.int64], end: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Return the points of all lines on the fine grid, and which of them begin a line."""
    across, down = np.abs(end - start).T
    flat = across >= down
    turned = np.where(flat, start[:, 0] > end[:, 0], start[:, 1] > end[:, 1])
    low, high = np.where(turned[:, None], end, start), np.where(turned[:, None], start, end)
    longer = np.maximum(across, down)
    rise = np.where(flat, high[:, 1] - low[:, 1], high[:, 0] - low[:, 0])
    slope = rise / np.maximum(longer, 1)  # a line of no length is one point
    count = longer + 1
    line = np.repeat(np.arange(len(count)), count)
    begin = np.cumsum(count) - count
    place = np.arange(len(line)) - begin[line]
    place = np.where(turned[line], longer[line] - place, place)
    other = np.where(flat, low[:, 1], low[:, 0])[line]
    drawn = np.trunc(other + slope[line] * place + 0.5).astype(np.int64)
    along = np.where(flat, low[:, 0], low[:, 1])[line] + place
    begins = np.zeros(len(line), bool)
    begins[begin] = True
    return np.where(flat[line], along, drawn), np.where(flat[line], drawn, along), begins
