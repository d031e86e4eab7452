"""The pixels of one piece as a list, in raster order, with their neighbours.

Time and memory follow the number of pixels, not the bounding box: a long thin particle across a whole filter costs no
more than a compact one of the same area.
"""

import numpy as np

from napari_mpseg.particles.compiled import njit


@njit
def list_pixels(piece, y, x0, x1, ys, xs, first, up, down):  # type: ignore[no-untyped-def]
    """Fill the lists of one piece.

    Parameters
    ----------
    piece : int64 (R,)
        The piece's runs, in raster order.
    y, x0, x1 : int64
        Of all runs.
    ys, xs : int32 (area,)
        Filled: row and column of each pixel.
    first : int64 (R + 1,)
        Filled: the first pixel of each run.
    up, down : int32 (area,)
        Filled: the pixel straight above and below, -1 where there is none.
    """
    n = 0
    for k in range(len(piece)):
        first[k] = n
        for x in range(x0[piece[k]], x1[piece[k]]):
            ys[n] = y[piece[k]]
            xs[n] = x
            up[n] = -1
            down[n] = -1
            n += 1
    first[len(piece)] = n
    above, current = 0, 0
    for k in range(len(piece)):
        i = piece[k]
        if y[i] != y[piece[current]]:
            above, current = current, k
        while above < current and x1[piece[above]] <= x0[i]:
            above += 1
        m = above
        while m < current and x0[piece[m]] < x1[i]:
            a = max(x0[piece[m]], x0[i])
            b = min(x1[piece[m]], x1[i])
            upper = first[m] - x0[piece[m]]
            lower = first[k] - x0[i]
            for x in range(a, b):
                up[lower + x] = upper + x
                down[upper + x] = lower + x
            m += 1


@njit
def link_pixels(piece, y, x0, x1, first, neighbours):  # type: ignore[no-untyped-def]
    """Fill `neighbours`, int32 ``(area, 8)``, with -1 where there is none.

    Order: left, right, above, below, above left, below right, above right, below left.
    """
    neighbours[:] = -1
    above, current = 0, 0
    for k in range(len(piece)):
        i = piece[k]
        for n in range(first[k], first[k + 1] - 1):
            neighbours[n, 1] = n + 1
            neighbours[n + 1, 0] = n
        if y[i] != y[piece[current]]:
            above, current = current, k
        while above < current and x1[piece[above]] < x0[i]:
            above += 1
        m = above
        while m < current and x0[piece[m]] <= x1[i]:
            upper = first[m] - x0[piece[m]]
            lower = first[k] - x0[i]
            for x in range(max(x0[piece[m]], x0[i] - 1), min(x1[piece[m]], x1[i] + 1)):
                for shift in range(-1, 2):  # the lower pixel's column less the upper one's
                    if x0[i] <= x + shift < x1[i]:
                        there = 3 if shift == 0 else 5 if shift == 1 else 7
                        neighbours[upper + x, there] = lower + x + shift
                        neighbours[lower + x + shift, there - 1] = upper + x
            m += 1


@njit
def column_counts(up, down, above, below):  # type: ignore[no-untyped-def]
    """Fill `above` and `below` with the number of the piece's pixels from each one to the border, itself included."""
    for n in range(len(up)):
        above[n] = 1 if up[n] < 0 else above[up[n]] + 1
    for n in range(len(up) - 1, -1, -1):
        below[n] = 1 if down[n] < 0 else below[down[n]] + 1


@njit
def lower_envelope(gap, n, width, sites, bounds):  # type: ignore[no-untyped-def]
    """Find which column is nearest from every place along a row, and return how many there are.

    The distance transform in linear time of Felzenszwalb and Huttenlocher (2012), for one row.

    Parameters
    ----------
    gap : float64 (n,)
        Squared distance, in each column, from the row to the nearest place outside.
    n : int
        Number of columns.
    width : float
        Of a column.
    sites : int64 (n,)
        Filled: the columns that are nearest somewhere, from left to right.
    bounds : float64 (n + 1,)
        Filled: site ``k`` is nearest between ``bounds[k]`` and ``bounds[k + 1]``.
    """
    k = 0
    sites[0] = 0
    bounds[0] = -np.inf
    bounds[1] = np.inf
    for q in range(1, n):
        while True:
            s = sites[k]
            cross = (gap[q] - gap[s]) / (2.0 * width * (q - s)) + 0.5 * width * (q + s)
            if cross > bounds[k]:  # at the latest for k = 0
                break
            k -= 1
        k += 1
        sites[k] = q
        bounds[k] = cross
        bounds[k + 1] = np.inf
    return k + 1
