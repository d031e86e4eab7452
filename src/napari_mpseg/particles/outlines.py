"""Outline and convex hull of pieces, from their runs.

The outline runs on pixel corners: pixel ``(y, x)`` covers ``[y, y + 1) x [x, x + 1)``. The rules are ImageJ's
(public domain), restated in words in the project's documentation and tested against ImageJ's own tables.
"""

import numpy as np

from napari_mpseg.particles.compiled import njit

#: What is known of one piece. Coordinates are those of the runs; the sums are relative to ``(y0, x0)``, so that
#: they stay exact integers and do not change when the piece moves.
PIECE = np.dtype(
    [
        ("label", np.int64),
        ("area", np.int64),
        ("y0", np.int64),
        ("x0", np.int64),
        ("y1", np.int64),
        ("x1", np.int64),
        ("sum_y", np.int64),
        ("sum_x", np.int64),
        ("sum_yy", np.int64),
        ("sum_xx", np.int64),
        ("sum_xy", np.int64),
        ("steps_y", np.int64),  # length of the outline's vertical sides, in pixels
        ("steps_x", np.int64),  # length of its horizontal sides
        ("corners", np.int64),  # corners that are cut off in ImageJ's perimeter
        ("enclosed", np.int64),  # pixels inside the outline, holes and all
    ]
)


@njit
def measure_runs(chosen, start, order, y, x0, x1, label, out, hull_start, hull):  # type: ignore[no-untyped-def]
    """Fill `out` (dtype PIECE) and the hulls of the pieces `chosen`.

    Parameters
    ----------
    chosen : int64 (P,)
        Pieces to measure.
    start, order, y, x0, x1, label
        As in :class:`~napari_mpseg.particles.runs.Pieces` and :class:`~napari_mpseg.particles.runs.Runs`.
    out : PIECE (P,)
        Filled.
    hull_start : int64 (P + 1,)
        Filled: hull of piece ``k`` is ``hull[hull_start[k]:hull_start[k + 1]]``.
    hull : int64 (at least 2 * rows + 2 per piece, 2)
        Filled with ``(y, x)`` pixel corners.
    """
    longest = 0
    for p in chosen:
        longest = max(longest, start[p + 1] - start[p])
    begin = np.empty(longest, np.int64)  # the piece's runs, relative to its bounding box
    end = np.empty(longest, np.int64)
    row = np.empty(longest + 1, np.int64)  # first run of each row
    heights = np.empty(longest + 1, np.int64)  # hull candidates: each horizontal grid line's ends
    left = np.empty(longest + 1, np.int64)
    right = np.empty(longest + 1, np.int64)
    used = 0
    hull_start[0] = 0
    for c in range(len(chosen)):
        p = chosen[c]
        piece = order[start[p] : start[p + 1]]
        n = len(piece)
        rec = out[c]
        top = y[piece[0]]
        west = x0[piece[0]]
        east = x1[piece[0]]
        for run in piece:
            west = min(west, x0[run])
            east = max(east, x1[run])
        height = y[piece[n - 1]] + 1 - top
        at = -1
        for k in range(n):
            begin[k] = x0[piece[k]] - west
            end[k] = x1[piece[k]] - west
            if y[piece[k]] - top > at:
                at += 1
                row[at] = k
        row[height] = n
        rec["label"] = label[piece[0]]
        rec["y0"] = top
        rec["x0"] = west
        rec["y1"] = top + height
        rec["x1"] = east
        _sums(begin, end, row, height, rec)
        _trace(begin, end, row, height, rec)
        for k in range(height + 1):
            heights[k] = top + k
            upper, lower = max(k - 1, 0), min(k, height - 1)
            left[k] = west + min(begin[row[upper]], begin[row[lower]])
            right[k] = west + max(end[row[upper + 1] - 1], end[row[lower + 1] - 1])
        used += chain_hull(heights, left, right, height + 1, hull[used:])
        hull_start[c + 1] = used


@njit
def _sums(begin, end, row, height, rec):  # type: ignore[no-untyped-def]
    area = sum_y = sum_x = sum_yy = sum_xx = sum_xy = 0
    for v in range(height):
        for k in range(row[v], row[v + 1]):
            a, b = begin[k], end[k]
            n = b - a
            x = n * (a + b - 1) // 2
            area += n
            sum_y += n * v
            sum_x += x
            sum_yy += n * v * v
            sum_xx += (b - 1) * b * (2 * b - 1) // 6 - (a - 1) * a * (2 * a - 1) // 6
            sum_xy += v * x
    rec["area"] = area
    rec["sum_y"] = sum_y
    rec["sum_x"] = sum_x
    rec["sum_yy"] = sum_yy
    rec["sum_xx"] = sum_xx
    rec["sum_xy"] = sum_xy


@njit
def _trace(begin, end, row, height, rec):  # type: ignore[no-untyped-def]
    # Directions turn left one by one: 0 down, 1 right, 2 up, 3 left (y points down on the screen).
    start_y, start_x = 1, end[0]
    y, x, direction = start_y, start_x, 0
    steps_y = steps_x = corners = enclosed = 0
    side = 0  # length of the side walked since the last corner
    counted = False
    while True:
        # Is there object ahead on the left: turn left. Else on the right: straight on. Else turn right.
        # (Looked up here and not in a function of its own: numba counts references of arrays at every call.)
        turn = 3
        for candidate in range(2):
            if candidate == 0:
                py = y if direction == 0 or direction == 3 else y - 1
                px = x if direction <= 1 else x - 1
            else:
                py = y if direction <= 1 else y - 1
                px = x if direction == 1 or direction == 2 else x - 1
            if py < 0 or py >= height:
                continue
            low, high = row[py], row[py + 1]
            while high - low > 1:
                middle = (low + high) // 2
                if begin[middle] <= px:
                    low = middle
                else:
                    high = middle
            if begin[low] <= px < end[low]:
                turn = 1 - candidate
                break
        if turn:
            counted = side > 1 or not counted
            if counted:
                corners += 1
            side = 0
            direction = (direction + turn) % 4
        side += 1
        if direction == 0:
            y += 1
            steps_y += 1
            enclosed += x
        elif direction == 1:
            x += 1
            steps_x += 1
        elif direction == 2:
            y -= 1
            steps_y += 1
            enclosed -= x
        else:
            x -= 1
            steps_x += 1
        if y == start_y and x == start_x and direction == 0:
            break
    rec["steps_y"] = steps_y
    rec["steps_x"] = steps_x
    rec["corners"] = corners
    rec["enclosed"] = enclosed


@njit
def chain_hull(y, left, right, n, out):  # type: ignore[no-untyped-def]
    """Write the strict convex hull of the points ``(y, left)`` and ``(y, right)`` and return its size.

    `y` rises strictly. The hull starts at the top-most, then left-most point and runs down the left side
    (counter-clockwise on the screen), the order that decides ties in ImageJ's Feret angle.
    """
    m = 0
    for k in range(n):
        while m > 1 and (left[k] - out[m - 2, 1]) * (out[m - 1, 0] - out[m - 2, 0]) <= (
            out[m - 1, 1] - out[m - 2, 1]
        ) * (y[k] - out[m - 2, 0]):
            m -= 1
        out[m, 0] = y[k]
        out[m, 1] = left[k]
        m += 1
    base = m
    for k in range(n - 1, -1, -1):
        while m > base + 1 and (right[k] - out[m - 2, 1]) * (out[m - 1, 0] - out[m - 2, 0]) <= (
            out[m - 1, 1] - out[m - 2, 1]
        ) * (y[k] - out[m - 2, 0]):
            m -= 1
        out[m, 0] = y[k]
        out[m, 1] = right[k]
        m += 1
    return m


@njit
def join_hulls(group_start, members, hull_start, hull, out_start, out):  # type: ignore[no-untyped-def]
    """Write one hull per group of pieces (all pieces of one label)."""
    used = 0
    out_start[0] = 0
    for g in range(len(group_start) - 1):
        first, last = group_start[g], group_start[g + 1]
        if last - first == 1:
            p = members[first]
            for k in range(hull_start[p], hull_start[p + 1]):
                out[used, 0] = hull[k, 0]
                out[used, 1] = hull[k, 1]
                used += 1
        else:
            n = 0
            for m in range(first, last):
                n += hull_start[members[m] + 1] - hull_start[members[m]]
            points = np.empty((n, 2), np.int64)
            n = 0
            for m in range(first, last):
                for k in range(hull_start[members[m]], hull_start[members[m] + 1]):
                    points[n] = hull[k]
                    n += 1
            used += _hull_of_points(points[np.argsort(points[:, 0])], out[used:])
        out_start[g + 1] = used


@njit
def _hull_of_points(points, out):  # type: ignore[no-untyped-def]
    n = 0
    y = np.empty(len(points), np.int64)
    left = np.empty(len(points), np.int64)
    right = np.empty(len(points), np.int64)
    for k in range(len(points)):
        if n and y[n - 1] == points[k, 0]:
            left[n - 1] = min(left[n - 1], points[k, 1])
            right[n - 1] = max(right[n - 1], points[k, 1])
        else:
            y[n] = points[k, 0]
            left[n] = right[n] = points[k, 1]
            n += 1
    return chain_hull(y, left, right, n, out)


@njit
def feret(hull_start, hull, height, width, out):  # type: ignore[no-untyped-def]
    """Fill `out` (float64 (N, 6)) with largest and smallest Feret diameter, angle, left end (y, x) and hull area.

    Lengths are in the unit of the pixel's `height` and `width`, the left end is a pixel corner. Coordinates are
    subtracted as integers first, so that ties stay ties for any pixel size.
    """
    for p in range(len(hull_start) - 1):
        corners = hull[hull_start[p] : hull_start[p + 1]]
        n = len(corners)
        best, one, two = -1.0, 0, 0
        for i in range(n - 1):
            for j in range(i + 1, n):
                dy = (corners[j, 0] - corners[i, 0]) * height
                dx = (corners[j, 1] - corners[i, 1]) * width
                if dy * dy + dx * dx > best:
                    best, one, two = dy * dy + dx * dx, i, j
        if corners[one, 1] > corners[two, 1]:
            one, two = two, one
        angle = np.degrees(
            np.arctan2(
                (corners[one, 0] - corners[two, 0]) * height,
                (corners[two, 1] - corners[one, 1]) * width,
            )
        )
        smallest = np.inf
        twice_area = 0
        for i in range(n):
            ay, ax = corners[i, 0], corners[i, 1]
            ey, ex = corners[(i + 1) % n, 0] - ay, corners[(i + 1) % n, 1] - ax
            widest = 0
            for k in range(n):
                widest = max(widest, abs(ex * (corners[k, 0] - ay) - ey * (corners[k, 1] - ax)))
            # Twice the area of edge and corner scales with height * width; divided by the edge it is the distance.
            edge = np.sqrt((ey * height) ** 2 + (ex * width) ** 2)
            smallest = min(smallest, widest * height * width / edge)
            twice_area += ey * (ax - corners[0, 1]) - ex * (ay - corners[0, 0])
        out[p, 0] = np.sqrt(best)
        out[p, 1] = smallest
        out[p, 2] = angle if angle >= 0 else angle + 180.0
        out[p, 3] = corners[one, 0]
        out[p, 4] = corners[one, 1]
        out[p, 5] = 0.5 * abs(twice_area) * height * width
