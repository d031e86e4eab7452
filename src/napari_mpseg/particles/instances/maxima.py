"""The maxima of a distance map that stand out: where ImageJ sees the centre of a part.

ImageJ's *Find Maxima* on a distance map, restated. A pixel is a candidate unless a neighbour is higher both in the map
and in its corrected height (see :func:`napari_mpseg.particles.instances.edm.corrected_heights`). From the highest
candidate down, everything connected that is no more than the tolerance lower is its area. A candidate whose area runs
into a higher point, or into an area looked at before, is no maximum of its own.
"""

import numpy as np

from napari_mpseg.particles.compiled import njit

AREA, POINT = 1, 2
"""Marks of a pixel: in the area of a maximum; the one pixel that stands for it."""

_LISTED, _SEEN, _LEVEL = 4, 8, 16

# Neighbours clockwise from the one above. Which of them is looked at first decides ties as ImageJ does.
NEIGHBOUR_Y = np.array([-1, -1, 0, 1, 1, 1, 0, -1])
NEIGHBOUR_X = np.array([0, 1, 1, 1, 0, -1, -1, -1])


@njit
def candidates(distances, heights):  # type: ignore[no-untyped-def]
    """Return the flat indices of all candidates, lowest first; of equally high ones the first in raster order first.

    Parameters are float32 ``(Y, X)``: the distance map and its corrected heights.
    """
    rows, columns = distances.shape
    found = np.empty(rows * columns, np.int64)
    count = 0
    for y in range(rows):
        for x in range(columns):
            value = distances[y, x]
            if value == 0:
                continue
            highest = True
            for side in range(8):
                y2, x2 = y + NEIGHBOUR_Y[side], x + NEIGHBOUR_X[side]
                if 0 <= y2 < rows and 0 <= x2 < columns and distances[y2, x2] > value:  # noqa: SIM102 - numba is quicker so
                    if heights[y2, x2] > heights[y, x]:
                        highest = False
                        break
            if highest:
                found[count] = y * columns + x
                count += 1
    found = found[:count]
    levels = np.empty(count, np.float32)
    for i in range(count):
        levels[i] = heights[found[i] // columns, found[i] % columns]
    return found[np.argsort(levels, kind="mergesort")]


@njit
def mark_maxima(heights, ordered, tolerance, marks):  # type: ignore[no-untyped-def]
    """Mark areas and points of the maxima in `marks`, uint8 ``(Y, X)`` of zeros.

    Parameters
    ----------
    heights : float32 ``(Y, X)``
        Corrected heights.
    ordered : int64 ``(N,)``
        Of :func:`candidates`.
    tolerance : float32
        How much lower a pixel of a maximum's area may be.
    marks : uint8 ``(Y, X)``
        Written to.
    """
    rows, columns = heights.shape
    queue = np.empty(rows * columns, np.int64)
    # A candidate can lie lower than its neighbourhood by no more than the correction: it is then moved there.
    slack = np.float32(1.1) * np.float32(np.sqrt(np.float32(2)) / np.float32(2))
    for i in range(len(ordered) - 1, -1, -1):
        start = ordered[i]
        if marks[start // columns, start % columns] & _SEEN:
            continue
        level = heights[start // columns, start % columns]
        while True:
            queue[0] = start
            marks[start // columns, start % columns] |= _LEVEL | _LISTED
            count, done = 1, 0
            alone, moved = True, False
            sum_y, sum_x, equal = float(start // columns), float(start % columns), 1
            while done < count:
                y, x = queue[done] // columns, queue[done] % columns
                done += 1
                for side in range(8):
                    y2, x2 = y + NEIGHBOUR_Y[side], x + NEIGHBOUR_X[side]
                    if y2 < 0 or x2 < 0 or y2 >= rows or x2 >= columns or marks[y2, x2] & _LISTED:
                        continue
                    height = heights[y2, x2]
                    if marks[y2, x2] & _SEEN or height > level + slack:
                        alone = False
                        break  # the remaining neighbours of this pixel are not looked at
                    if height < level - tolerance or height == 0:
                        continue  # background belongs to no area, however large the tolerance
                    if height > level:
                        moved, start, level = True, y2 * columns + x2, height
                    queue[count] = y2 * columns + x2
                    count += 1
                    marks[y2, x2] |= _LISTED
                    if height == level:
                        marks[y2, x2] |= _LEVEL
                        sum_y, sum_x, equal = sum_y + y2, sum_x + x2, equal + 1
            if not moved:
                break
            for k in range(count):  # start again from the higher point
                marks[queue[k] // columns, queue[k] % columns] = 0
        _settle(marks, queue, count, alone, sum_y / equal, sum_x / equal)


@njit
def _settle(marks, queue, count, alone, middle_y, middle_x):  # type: ignore[no-untyped-def]
    """Note what was listed as seen, and if it is a maximum, its area and the top pixel next to its middle."""
    columns = marks.shape[1]
    nearest, best = -1, 1e20
    for k in range(count):
        y, x = queue[k] // columns, queue[k] % columns
        top = marks[y, x] & _LEVEL
        marks[y, x] = (marks[y, x] & ~_LISTED & ~_LEVEL) | _SEEN
        if alone:
            marks[y, x] |= AREA
            away = (middle_x - x) ** 2 + (middle_y - y) ** 2
            if top and away < best:
                nearest, best = k, away
    if nearest >= 0:
        marks[queue[nearest] // columns, queue[nearest] % columns] |= POINT
