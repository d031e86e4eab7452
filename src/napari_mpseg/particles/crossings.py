"""How often lines of the pixel grid enter a piece, and how its runs are linked.

From these counts follow the perimeter after Cauchy and Crofton and the number of holes.
"""

from napari_mpseg.particles.compiled import njit


@njit
def count_crossings(chosen, start, order, y, x0, x1, height, width, out):  # type: ignore[no-untyped-def]
    """Count, for the pieces `chosen`, entries of lines into the piece and links between its runs.

    Parameters
    ----------
    chosen, start, order, y, x0, x1
        As in :class:`~napari_mpseg.particles.piece_measures.PieceMeasure`.
    height, width : float
        Not used: counts do not depend on the size of pixels.
    out : float64 (P, 5)
        Filled: entries of horizontal lines (runs), of vertical lines, of diagonals that fall to the right, of
        diagonals that fall to the left, and pairs of runs in neighbouring rows that touch, sides or corners.
    """
    for c in range(len(chosen)):
        p = chosen[c]
        piece = order[start[p] : start[p + 1]]
        n = len(piece)
        area = 0
        below = falling = rising = links = 0  # pixels with a neighbour straight below, and on the two diagonals
        above = 0  # the first run of the row above that can still touch
        first = 0  # the first run of the current row
        for k in range(n):
            i = piece[k]
            area += x1[i] - x0[i]
            if y[i] != y[piece[first]]:
                above, first = first, k
            if above == first or y[piece[above]] != y[i] - 1:
                continue
            while above < first and x1[piece[above]] < x0[i]:
                above += 1
            m = above
            while m < first and x0[piece[m]] <= x1[i]:
                a, b = x0[piece[m]], x1[piece[m]]
                links += 1
                below += max(0, min(b, x1[i]) - max(a, x0[i]))
                falling += max(0, min(b + 1, x1[i]) - max(a + 1, x0[i]))
                rising += max(0, min(b - 1, x1[i]) - max(a - 1, x0[i]))
                m += 1
        out[c, 0] = n
        out[c, 1] = area - below
        out[c, 2] = area - falling
        out[c, 3] = area - rising
        out[c, 4] = links
