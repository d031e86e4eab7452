"""The largest circle inside a piece."""

import numpy as np

from napari_mpseg.particles.compiled import njit
from napari_mpseg.particles.pixel_lists import column_counts, list_pixels, lower_envelope


@njit
def inscribed_radii(chosen, start, order, y, x0, x1, height, width, out):  # type: ignore[no-untyped-def]
    """Fill `out`, float64 ``(P, 1)``, with the radius of each piece's largest inscribed circle.

    Centres are sought on a grid twice as fine as the pixels (their centres, sides and corners). The distance is that to
    the nearest pixel outside, taken as the rectangle it covers, so that the circle lies wholly on the piece's pixels.

    Parameters
    ----------
    chosen, start, order, y, x0, x1
        As in :class:`~napari_mpseg.particles.piece_measures.PieceMeasure`.
    height, width : float
        Size of a pixel.
    """
    for c in range(len(chosen)):
        p = chosen[c]
        piece = order[start[p] : start[p + 1]]
        area, longest = 0, 0
        for i in piece:
            area += x1[i] - x0[i]
            longest = max(longest, x1[i] - x0[i])
        ys = np.empty(area, np.int32)
        xs = np.empty(area, np.int32)
        up = np.empty(area, np.int32)
        down = np.empty(area, np.int32)
        first = np.empty(len(piece) + 1, np.int64)
        list_pixels(piece, y, x0, x1, ys, xs, first, up, down)
        above = np.empty(area, np.int32)
        below = np.empty(area, np.int32)
        column_counts(up, down, above, below)
        gap = np.empty(longest + 2)
        sites = np.empty(longest + 2, np.int64)
        bounds = np.empty(longest + 3)
        best = 0.0
        for k in range(len(piece)):
            # Centres in the middle of the row's pixels.
            a, b = first[k], first[k + 1]
            for n in range(a, b):
                gap[n - a + 1] = ((min(above[n], below[n]) - 0.5) * height) ** 2
            best = max(best, _best_in_row(gap, b - a, width, best, sites, bounds))
            # Centres on the side between this row and the next, wherever both are inside.
            while a < b:
                while a < b and down[a] < 0:
                    a += 1
                e = a
                while e < b and down[e] >= 0:
                    gap[e - a + 1] = (min(above[e], below[down[e]]) * height) ** 2
                    e += 1
                if e > a:
                    best = max(best, _best_in_row(gap, e - a, width, best, sites, bounds))
                a = e
        out[c, 0] = np.sqrt(best)


@njit
def _best_in_row(gap, n, width, known, sites, bounds):  # type: ignore[no-untyped-def]
    """Return the largest squared distance to the outside from columns 1 to n, in steps of half a column.

    Where it cannot be larger than `known`, the row is left out.
    """
    highest = 0.0
    for q in range(1, n + 1):
        highest = max(highest, gap[q])
    if highest <= known:
        return known
    gap[0] = gap[n + 1] = 0.0
    lower_envelope(gap, n + 2, width, sites, bounds)
    # From a column's centre, the side of a column on the left is reached half a column sooner: where the envelope
    # stands half a column to the left. On the right the same. Its own column is reached straight.
    best, k = 0.0, 0
    before = 0.0  # the envelope half a column to the left
    centre_before = 0.0
    for half in range(1, 2 * n + 2):  # places 0.5, 1, 1.5 ... n + 0.5
        place = 0.5 * half * width
        while bounds[k + 1] < place:
            k += 1
        here = (place - sites[k] * width) ** 2 + gap[sites[k]]
        if half % 2:
            if half > 1:
                q = half // 2
                best = max(best, min(gap[q], min(before, here)))
            before = here
        else:
            if half > 2:  # between two columns: from the side, whole columns on either hand
                best = max(best, min(centre_before, here))
            centre_before = here
    return best
