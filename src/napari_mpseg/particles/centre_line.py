"""Length of a piece along its centre line, as of a fibre.

The two ends are the pixels farthest apart, along a way inside the piece. Between them the way is sought that keeps to
the middle: a step costs the more, the nearer it is to the outside (a minimal path after Deschamps and Cohen, 2001). Its
staircase is smoothed. Near the ends, where such a way turns into a corner, it is cut off and continued straight to the
outside.
"""

import numpy as np

from napari_mpseg.particles.compiled import njit
from napari_mpseg.particles.pixel_lists import column_counts, link_pixels, list_pixels, lower_envelope

_SCALE = 12.0  # a step along the shorter side of a pixel, in whole numbers: 12 and 17 stand for 1 and sqrt 2
_DEAREST, _CHEAPEST = 256.0, 4.0  # price of a step beside the outside, and of one in the middle
_SMOOTH = 4  # places on each side over which the way is averaged
_LEAST = 4.0  # pixels over which the direction of an end is taken, at least


@njit
def centre_lines(chosen, start, order, y, x0, x1, height, width, out):  # type: ignore[no-untyped-def]
    """Fill `out`, float64 ``(P, 1)``, with the length of each piece along its centre line.

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
        area = 0
        for i in piece:
            area += x1[i] - x0[i]
        ys = np.empty(area, np.int32)
        xs = np.empty(area, np.int32)
        up = np.empty(area, np.int32)
        down = np.empty(area, np.int32)
        first = np.empty(len(piece) + 1, np.int64)
        list_pixels(piece, y, x0, x1, ys, xs, first, up, down)
        neighbours = np.empty((area, 8), np.int32)
        link_pixels(piece, y, x0, x1, first, neighbours)
        depth = np.empty(area)
        _depths(first, up, down, height, width, depth)
        way = _centre_way(neighbours, depth, _outermost(ys, xs, height, width), height, width)
        line = np.empty((len(way), 2))
        for k in range(len(way)):
            # From the first pixel, so that the same piece elsewhere gives the same number to the last digit.
            line[k, 0] = (ys[way[k]] - ys[0]) * height
            line[k, 1] = (xs[way[k]] - xs[0]) * width
        out[c, 0] = _length(_smoothed(line), way, depth, piece, y, x0, x1, height, width)


@njit
def _depths(first, up, down, height, width, depth):  # type: ignore[no-untyped-def]
    """Fill `depth` with the distance of each pixel's centre to the nearest pixel outside (the rectangle it covers)."""
    area = len(up)
    above = np.empty(area, np.int32)
    below = np.empty(area, np.int32)
    column_counts(up, down, above, below)
    longest = 0
    for k in range(len(first) - 1):
        longest = max(longest, first[k + 1] - first[k])
    gap = np.zeros(longest + 2)
    sites = np.empty(longest + 2, np.int64)
    bounds = np.empty(longest + 3)
    for k in range(len(first) - 1):
        a, n = first[k], first[k + 1] - first[k]
        for q in range(n):
            gap[q + 1] = ((min(above[a + q], below[a + q]) - 0.5) * height) ** 2
        gap[n + 1] = 0.0
        lower_envelope(gap, n + 2, width, sites, bounds)
        s = 0
        before = 0.0
        for q in range(n + 1):
            place = (q + 0.5) * width
            while bounds[s + 1] < place:
                s += 1
            here = (place - sites[s] * width) ** 2 + gap[sites[s]]
            if q:
                depth[a + q - 1] = np.sqrt(min(gap[q], min(before, here)))
            before = here


@njit
def _outermost(ys, xs, height, width):  # type: ignore[no-untyped-def]
    """Return the pixel farthest from the middle: from there, ways lead along the particle and not across."""
    n = len(ys)
    total_y, total_x = 0, 0
    for k in range(n):
        total_y += ys[k] - ys[0]
        total_x += xs[k] - xs[0]
    best, farthest = 0, -1.0
    for k in range(n):
        # Whole numbers before the pixel's size comes in: ties stay ties wherever the piece lies.
        dy = ((ys[k] - ys[0]) * n - total_y) * height
        dx = ((xs[k] - xs[0]) * n - total_x) * width
        if dy * dy + dx * dx > farthest:
            best, farthest = k, dy * dy + dx * dx
    return best


@njit
def _centre_way(neighbours, depth, start, height, width):  # type: ignore[no-untyped-def]
    """Return the pixels from one end of the piece to the other, along its middle."""
    n = len(depth)
    unit = _SCALE / min(height, width)
    steps = np.empty(8, np.int64)
    for k in range(8):
        size = width if k < 2 else height if k < 4 else np.hypot(height, width)
        steps[k] = max(1, int(np.floor(size * unit + 0.5)))
    price = np.ones(n, np.int64)
    cost = np.empty(n, np.int64)
    before = np.empty(n, np.int32)
    one = _cheapest_ways(neighbours, steps, price, start, cost, before)
    two = _cheapest_ways(neighbours, steps, price, one, cost, before)
    deepest = depth.max()
    for k in range(n):
        price[k] = int(min(_DEAREST, _CHEAPEST * (deepest / depth[k]) ** 3))
    _cheapest_ways(neighbours, steps, price, one, cost, before)
    count, at = 1, two
    while at != one:
        at = before[at]
        count += 1
    way = np.empty(count, np.int64)
    at = two
    for k in range(count):
        way[k] = at
        at = before[at]
    return way


@njit
def _cheapest_ways(neighbours, steps, price, source, cost, before):  # type: ignore[no-untyped-def]
    """Fill `cost` and `before` for ways from `source` and return the pixel that is farthest.

    Dijkstra's algorithm with Dial's buckets: costs are whole numbers, so it takes linear time. The cost of a step is
    its length times the mean price of its two pixels, doubled to stay whole.
    """
    n = len(price)
    dearest = 0
    for k in range(n):
        dearest = max(dearest, price[k])
    wheel = 2 * dearest * steps.max() + 1
    head = np.full(wheel, -1, np.int64)
    later = np.full(n, -1, np.int32)  # neighbours in the same bucket
    sooner = np.full(n, -1, np.int32)
    cost[:] = -1
    settled = np.zeros(n, np.bool_)
    cost[source] = 0
    before[source] = source
    head[0] = source
    waiting, now, last = 1, 0, source
    while waiting:
        slot = now % wheel
        while head[slot] >= 0:
            p = head[slot]
            head[slot] = later[p]
            if later[p] >= 0:
                sooner[later[p]] = -1
            settled[p] = True
            waiting -= 1
            last = p
            for k in range(8):
                q = neighbours[p, k]
                if q < 0 or settled[q]:
                    continue
                value = now + steps[k] * (price[p] + price[q])
                if 0 <= cost[q] <= value:
                    continue
                if cost[q] < 0:
                    waiting += 1
                else:
                    if sooner[q] >= 0:
                        later[sooner[q]] = later[q]
                    else:
                        head[cost[q] % wheel] = later[q]
                    if later[q] >= 0:
                        sooner[later[q]] = sooner[q]
                place = value % wheel
                cost[q] = value
                before[q] = p
                sooner[q] = -1
                later[q] = head[place]
                if head[place] >= 0:
                    sooner[head[place]] = q
                head[place] = q
        now += 1
    return last


@njit
def _smoothed(line):  # type: ignore[no-untyped-def]
    n = len(line)
    widest = min(_SMOOTH, n // 6)  # more would shrink a short way to a point
    smooth = np.empty_like(line)
    for k in range(n):
        reach = min(widest, min(k, n - 1 - k))
        for axis in range(2):
            total = 0.0
            for m in range(k - reach, k + reach + 1):
                total += line[m, axis]
            smooth[k, axis] = total / (2 * reach + 1)
    return smooth


@njit
def _length(line, way, depth, piece, y, x0, x1, height, width):  # type: ignore[no-untyped-def]
    """Return the length of the way `line`, from outside to outside."""
    n = len(line)
    if n == 1:
        return max(height, width)
    along = np.zeros(n)
    for k in range(1, n):
        along[k] = along[k - 1] + np.hypot(line[k, 0] - line[k - 1, 0], line[k, 1] - line[k - 1, 1])
    begin, lead = _end(line, along, way, depth, piece, y, x0, x1, height, width)
    back = along[n - 1] - along[::-1]
    end, tail = _end(line[::-1], back, way[::-1], depth, piece, y, x0, x1, height, width)
    end = n - 1 - end
    if begin >= end:  # as wide as long: from end to end
        begin, end = 0, n - 1
        lead = _reach(line, along, 0, depth[way[0]], piece, y, x0, x1, height, width)
        tail = _reach(line[::-1], back, 0, depth[way[n - 1]], piece, y, x0, x1, height, width)
    return max(along[end] - along[begin] + lead + tail, _straight(line, begin == 0, end == n - 1, height, width))


@njit
def _straight(line, open_begin, open_end, height, width):  # type: ignore[no-untyped-def]
    """Return how far the two end pixels of the way are apart: what lies between them cannot be shorter.

    From middle to middle, and half a pixel more where the end was not cut off. A way of a few pixels is all corner: its
    smoothing cuts across, and nothing is left to tell its direction from.
    """
    dy = abs(line[-1, 0] - line[0, 0])
    dx = abs(line[-1, 1] - line[0, 1])
    apart = np.hypot(dy, dx)
    tip = 0.5 * (dy * height + dx * width) / apart if apart > 0.0 else 0.0
    return apart + (tip if open_begin else 0.0) + (tip if open_end else 0.0)


@njit
def _end(line, along, way, depth, piece, y, x0, x1, height, width):  # type: ignore[no-untyped-def]
    """Return the place where the way is cut off at its beginning, and how far it is from there to the outside.

    1.5 widths from a flat end the way no longer knows which corner it comes from. In a tight bend straight on would
    leave the piece through its side, much sooner than the way does: there the cut is made closer to the end. Where
    every cut would be past the middle, or leave too little to tell the direction from, nothing is cut off.
    """
    at, reach, found = 0, 0.0, False
    for cut in (3.0, 2.5, 2.0, 1.5, 1.0):
        at = 0
        while at < len(line) - 1 and along[at] < cut * depth[way[at]]:
            at += 1
        deep = depth[way[at]]
        if 2.0 * along[at] > along[-1] or along[at] + _lever(deep, height, width) > along[-1]:
            continue
        found = True
        reach = _reach(line, along, at, deep, piece, y, x0, x1, height, width)
        if along[at] - reach <= 0.5 * deep + 0.5 * min(height, width):
            break
    if not found:
        return 0, _reach(line, along, 0, depth[way[0]], piece, y, x0, x1, height, width)
    return at, reach


@njit
def _lever(deep, height, width):  # type: ignore[no-untyped-def]
    """Return the length of way that tells the direction of an end."""
    return max(_LEAST * min(height, width), 1.5 * deep)


@njit
def _reach(line, along, at, deep, piece, y, x0, x1, height, width):  # type: ignore[no-untyped-def]
    """Return how far the piece reaches from place `at` of the way beyond its beginning, straight on."""
    inner = at
    while inner < len(line) - 1 and along[inner] - along[at] < _lever(deep, height, width):
        inner += 1
    dy = line[at, 0] - line[inner, 0]
    dx = line[at, 1] - line[inner, 1]
    size = np.hypot(dy, dx)
    if size == 0.0:
        return 0.0
    dy /= size
    dx /= size
    if deep < height + width:  # thin: a straight line soon leaves a staircase, so the last pixel counts
        straight = (line[0, 0] - line[at, 0]) * dy + (line[0, 1] - line[at, 1]) * dx
        return straight + 0.5 * (abs(dy) * height + abs(dx) * width)
    hop = 0.05 * min(height, width)
    t = 0.0
    while _inside(line[at, 0] + t * dy, line[at, 1] + t * dx, piece, y, x0, x1, height, width):
        t += hop
    return max(0.0, t - 0.5 * hop)


@njit
def _inside(py, px, piece, y, x0, x1, height, width):  # type: ignore[no-untyped-def]
    row = y[piece[0]] + int(np.floor(py / height + 0.5))
    column = x0[piece[0]] + int(np.floor(px / width + 0.5))
    low, high = 0, len(piece)  # the last run that begins at or before the pixel
    while high - low > 1:
        middle = (low + high) // 2
        i = piece[middle]
        if y[i] < row or (y[i] == row and x0[i] <= column):
            low = middle
        else:
            high = middle
    i = piece[low]
    return y[i] == row and x0[i] <= column < x1[i]
