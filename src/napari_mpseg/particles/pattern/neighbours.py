"""Compiled searches among points: nearest neighbours, pairs by distance, and discs laid at random.

All take coordinates as two float64 arrays ``(N,)`` and sort the points into square cells first, so that each point
looks only at those around it.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.particles.compiled import njit

Array = NDArray[np.float64]
_CROWDED = 20  # other points in a point's cell, on average, from which on a tree is quicker (2 in random patterns)
_TRIES = 2000  # places that are tried for one disc before the region counts as full


@njit
def _cells(y: Array, x: Array, size: float) -> Any:
    """Return the corner, numbers of rows and columns of cells, first point of each cell and next point of each."""
    y0, x0 = y.min(), x.min()
    rows = int((y.max() - y0) / size) + 1
    columns = int((x.max() - x0) / size) + 1
    first = np.full(rows * columns, -1, np.int64)
    after = np.full(len(y), -1, np.int64)
    for i in range(len(y)):
        cell = int((y[i] - y0) / size) * columns + int((x[i] - x0) / size)
        after[i] = first[cell]
        first[cell] = i
    return y0, x0, rows, columns, first, after


@njit
def _nearest(y: Array, x: Array, radius: Array, size: float) -> Any:
    y0, x0, rows, columns, first, after = _cells(y, x, size)
    largest = radius.max()
    found = np.full(len(y), np.inf)
    for i in range(len(y)):
        row, column = int((y[i] - y0) / size), int((x[i] - x0) / size)
        best = np.inf
        for ring in range(max(rows, columns)):
            # all that lies outside the rings looked at so far is further away than this
            if best <= (ring - 1) * size - radius[i] - largest:
                break
            for r in range(max(0, row - ring), min(rows, row + ring + 1)):
                step = 1 if abs(r - row) == ring else max(1, 2 * ring)
                for c in range(column - ring, column + ring + 1, step):
                    if c < 0 or c >= columns:
                        continue
                    j = first[r * columns + c]
                    while j >= 0:
                        if j != i:
                            gap = math.sqrt((y[i] - y[j]) ** 2 + (x[i] - x[j]) ** 2) - radius[i] - radius[j]
                            best = min(best, gap)
                        j = after[j]
        found[i] = best
    return found


@njit
def _pairs(y: Array, x: Array, width: float, bins: int) -> Any:
    size = width * bins
    y0, x0, rows, columns, first, after = _cells(y, x, size)
    counts = np.zeros(bins, np.int64)
    for i in range(len(y)):
        row, column = int((y[i] - y0) / size), int((x[i] - x0) / size)
        for r in range(max(0, row - 1), min(rows, row + 2)):
            for c in range(max(0, column - 1), min(columns, column + 2)):
                j = first[r * columns + c]
                while j >= 0:
                    if j < i:
                        number = int(math.sqrt((y[i] - y[j]) ** 2 + (x[i] - x[j]) ** 2) / width)
                        if number < bins:
                            counts[number] += 1
                    j = after[j]
    return counts


@njit
def _lay(
    rng: Any,
    row: Any,
    stop: Any,
    ends: Any,
    height: float,
    width: float,
    radius: Array,
    size: float,
    tall: int,
    wide: int,
    large: int,
) -> Any:
    # the first `large` discs are too large for the cells, and each new disc looks at all of them
    first = np.full(tall * wide, -1, np.int64)
    after = np.full(len(radius), -1, np.int64)
    y, x = np.empty(len(radius)), np.empty(len(radius))
    for i in range(len(radius)):
        laid = False
        for _ in range(_TRIES):
            along = rng.random() * ends[-1]
            run = min(np.searchsorted(ends, along, side="right"), len(ends) - 1)
            yi = (row[run] + rng.random()) * height
            xi = (stop[run] - (ends[run] - along)) * width
            r0, c0 = min(int(yi / size), tall - 1), min(int(xi / size), wide - 1)
            free = True
            for j in range(min(i, large)):
                if (yi - y[j]) ** 2 + (xi - x[j]) ** 2 < (radius[i] + radius[j]) ** 2:
                    free = False
                    break
            for r in range(max(0, r0 - 1), min(tall, r0 + 2)):
                for c in range(max(0, c0 - 1), min(wide, c0 + 2)):
                    j = first[r * wide + c] if free else -1
                    while j >= 0 and free:
                        free = (yi - y[j]) ** 2 + (xi - x[j]) ** 2 >= (radius[i] + radius[j]) ** 2
                        j = after[j]
            if free:
                y[i], x[i] = yi, xi
                if i >= large:
                    after[i] = first[r0 * wide + c0]
                    first[r0 * wide + c0] = i
                laid = True
                break
        if not laid:
            return y[:i], x[:i]
    return y, x


def nearest_gaps(points: Array, radius: Array | None = None) -> Array:
    """Return the distance from each point to the nearest other one, less both radii where they are given.

    Parameters
    ----------
    points : numpy.ndarray
        float64 ``(N, 2)``.
    radius : numpy.ndarray, optional
        ``(N,)``, of discs round the points. Overlapping discs have negative gaps.

    Returns
    -------
    numpy.ndarray
        float64 ``(N,)``; infinite for a single point.
    """
    y, x = np.ascontiguousarray(points[:, 0]), np.ascontiguousarray(points[:, 1])
    if len(points) < 2:
        return np.full(len(points), np.inf)
    size = _cell_size(y, x)
    if radius is None and _crowded(y, x, size):
        from scipy.spatial import cKDTree

        return np.asarray(cKDTree(points).query(points, k=2)[0][:, 1], np.float64)
    return np.asarray(_nearest(y, x, np.zeros(len(y)) if radius is None else radius, size))


def pair_counts(points: Array, width: float, bins: int) -> NDArray[np.int64]:
    """Return how many pairs of points lie at distances 0 to `width`, `width` to 2 `width` ...; int64 ``(bins,)``."""
    y, x = np.ascontiguousarray(points[:, 0]), np.ascontiguousarray(points[:, 1])
    return np.asarray(_pairs(y, x, width, bins))


def lay_discs(
    rng: np.random.Generator, region: Any, pixel_size: tuple[float, float], radius: Array, spacing: float
) -> Array | None:
    """Lay discs at random places of a region, one after the other, each where it overlaps none before it.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of the places.
    region : Region
        Where the centres may lie.
    pixel_size : tuple of float
        Height and width of a pixel.
    radius : numpy.ndarray
        ``(N,)``, in the unit of `pixel_size`. The largest are laid first, which lets more of them fit.
    spacing : float
        A distance that few neighbours are closer than; it only makes the search quick.

    Returns
    -------
    numpy.ndarray or None
        float64 ``(N, 2)``, in the order of `radius`; None if the region is too full.
    """
    order = np.argsort(-radius, kind="stable")
    height, width = pixel_size
    large, size = _large_and_cell(radius[order], spacing, len(radius) / region.area(pixel_size))
    tall = int(region.shape[0] * height / size) + 1
    wide = int(region.shape[1] * width / size) + 1
    y, x = _lay(rng, region.row, region.stop, region.ends, height, width, radius[order], size, tall, wide, large)
    if len(y) < len(radius):
        return None
    points = np.empty((len(radius), 2))
    points[order, 0], points[order, 1] = y, x
    return points


def _large_and_cell(radius: Array, spacing: float, density: float) -> tuple[int, float]:
    """Return how many of the discs, largest first, are to be listed apart, and the side of cells for the others.

    Cells are as wide as the largest disc in them. A single large one would put all others into a few cells, so as many
    are listed apart as make the discs that a new one must look at fewest.
    """
    sizes = np.maximum(2 * radius, spacing)
    large = int(np.argmin(np.arange(len(radius)) + 9 * density * sizes**2))
    return large, float(sizes[large])


def share_within(gaps: Array, distances: Array) -> Array:
    """Return which share of the gaps is at most as long as each of the distances, float64 ``(K,)``."""
    return np.asarray(np.searchsorted(np.sort(gaps), distances, side="right") / len(gaps), np.float64)


def _crowded(y: Array, x: Array, size: float) -> bool:
    """Return whether points lie so close together in places that looking through cells takes longer than a tree."""
    row, column = ((y - y.min()) / size).astype(np.int64), ((x - x.min()) / size).astype(np.int64)
    in_cell = np.bincount(row * (int(column.max()) + 1) + column)
    return float((in_cell.astype(np.float64) ** 2).sum()) > _CROWDED * len(y)


def _cell_size(y: Array, x: Array) -> float:
    """Return the side of cells that hold one point each on average."""
    tall, wide = float(np.ptp(y)), float(np.ptp(x))
    longest = max(tall, wide)
    # points on a line, or all in one place, must not make cells without number
    return max(math.sqrt(max(tall, longest / len(y)) * max(wide, longest / len(y)) / len(y)), 1e-9) or 1.0
