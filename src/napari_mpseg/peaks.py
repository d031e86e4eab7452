"""Peaks of a landscape that stand out: those with enough height over the saddle to a higher one."""

import numba
import numpy as np
from numpy.typing import NDArray

# clockwise from the one above: of peaks that are equally high, the order decides which is kept
_DOWN = np.array([-1, -1, 0, 1, 1, 1, 0, -1])
_RIGHT = np.array([0, 1, 1, 1, 0, -1, -1, -1])


def peak_markers(
    heights: NDArray[np.float32],
    mask: NDArray[np.bool_],
    *,
    prominence: float,
    min_distance: float = 0.0,
    connectivity: int = 2,
    pixel: tuple[float, float] = (1.0, 1.0),
) -> NDArray[np.int32]:
    """Mark the peaks with the numbers 1 ... N, the highest first.

    Parameters
    ----------
    heights : numpy.ndarray
        float32 ``(Y, X)``.
    mask : numpy.ndarray
        bool ``(Y, X)``; where to look. Each connected piece of it has at least one peak.
    prominence : float
        Least height of a peak over the highest saddle that leads to a higher one: the h of h-maxima.
    min_distance : float
        Of two peaks that are closer only the higher is kept.
    connectivity : {1, 2}
        1: pixels touch with their sides. 2: corners too.
    pixel : tuple of float
        Height and width of a pixel, for the distance.

    Returns
    -------
    numpy.ndarray
        int32 ``(Y, X)``, one pixel per peak.

    References
    ----------
    Grimaud 1992 (dynamics of a maximum); Chazal et al. 2013, doi:10.1145/2535927 (clusters by persistence).
    """
    indices = np.flatnonzero(mask)
    order = np.argsort(-heights.ravel()[indices], kind="stable")
    found = _find_peaks(np.ascontiguousarray(heights), indices[order], prominence, 3 - connectivity)
    rank = np.empty(mask.size, np.int64)
    rank[indices[order]] = np.arange(len(order))
    found = found[np.argsort(rank[found])]
    if min_distance > 0:
        found = _far_apart(found, mask.shape, min_distance, pixel)
    markers = np.zeros(mask.shape, np.int32)
    markers.flat[found] = np.arange(1, len(found) + 1)
    return markers


def _far_apart(
    found: NDArray[np.int64], shape: tuple[int, ...], least: float, pixel: tuple[float, float]
) -> NDArray[np.int64]:
    places = np.stack(np.unravel_index(found, shape), 1) * np.asarray(pixel)
    side = max(least, *pixel) * (1 + 1e-9)  # no rounding may put two close places two cells apart
    cells = (places // side).astype(np.int64)
    kept: NDArray[np.int64] = found[_keep_far_apart(places, cells, least)]
    return kept


@numba.njit(cache=True, nogil=True)
def _keep_far_apart(places, cells, least):  # type: ignore[no-untyped-def]
    """Return, for places in their order, whether none kept before is closer than `least`.

    Only cells that touch can hold a closer one; the places kept in a cell are a chain from its first to `following`.
    """
    count = len(places)
    kept = np.zeros(count, np.bool_)
    if count == 0:
        return kept
    rows, columns = cells[:, 0].max() + 1, cells[:, 1].max() + 1
    first = np.full((rows, columns), -1, np.int64)
    following = np.empty(count, np.int64)
    for one in range(count):
        row, column = cells[one, 0], cells[one, 1]
        alone = True
        for y in range(max(row - 1, 0), min(row + 2, rows)):
            for x in range(max(column - 1, 0), min(column + 2, columns)):
                other = first[y, x]
                while alone and other >= 0:
                    away = np.hypot(places[one, 0] - places[other, 0], places[one, 1] - places[other, 1])
                    alone = away >= least
                    other = following[other]
        if alone:
            kept[one] = True
            following[one] = first[row, column]
            first[row, column] = one
    return kept


@numba.njit(cache=True, nogil=True)
def _find_peaks(heights, descending, prominence, step):  # type: ignore[no-untyped-def]
    """Let the water sink: pixels come out from the highest down, and islands that meet become one.

    The lower of two islands that meet keeps its peak if that is high enough over the water.
    """
    rows, columns = heights.shape
    parent = np.full(rows * columns, -1, np.int64)
    top = np.empty(rows * columns, np.int64)  # of an island, at its root
    flat = heights.ravel()
    found = np.empty(len(descending), np.int64)
    count = 0
    for pixel in descending:
        parent[pixel] = pixel
        top[pixel] = pixel
        y, x = pixel // columns, pixel % columns
        for side in range(0, 8, step):
            y2, x2 = y + _DOWN[side], x + _RIGHT[side]
            if y2 < 0 or x2 < 0 or y2 >= rows or x2 >= columns or parent[y2 * columns + x2] < 0:
                continue
            one, other = _root(parent, pixel), _root(parent, y2 * columns + x2)
            if one == other:
                continue
            if flat[top[one]] > flat[top[other]]:
                one, other = other, one  # `one` is the lower island
            rise = flat[top[one]] - flat[pixel]
            if rise > 0 and rise >= prominence:
                found[count] = top[one]
                count += 1
            parent[one] = other
    for pixel in descending:
        if parent[pixel] == pixel:
            found[count] = top[pixel]
            count += 1
    return found[:count]


@numba.njit(cache=True, nogil=True)
def _root(parent, pixel):  # type: ignore[no-untyped-def]
    while parent[pixel] != pixel:
        parent[pixel] = parent[parent[pixel]]
        pixel = parent[pixel]
    return pixel
