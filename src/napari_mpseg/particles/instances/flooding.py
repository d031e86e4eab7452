"""The flooding of ImageJ's binary watershed: how the areas of the maxima grow until they meet.

The distance map is rounded to levels 1 ... 254, with 255 for the areas of the maxima that stand out. Level by level,
from the highest down, areas grow by one pixel at a time in eight directions, one after the other. A pixel in whose
neighbourhood two areas would meet stays empty: these pixels are the dividing lines.
"""

import numpy as np

from napari_mpseg.particles.compiled import njit
from napari_mpseg.particles.instances.maxima import AREA, NEIGHBOUR_X, NEIGHBOUR_Y

FULL = 255
_LISTED, _LOWERED = 4, 32
_ORDER = np.array([7, 3, 1, 5, 0, 4, 2, 6])  # diagonals first


def _growth() -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """Return, per neighbourhood (bit k: neighbour k is full), the directions (bit k) in which to grow into its middle.

    Growth in direction k needs the neighbour opposite to k. Where the full neighbours are in more than one group,
    counting a full side's corners as full, the middle would join two areas and stays empty.
    """
    table = np.zeros(256, np.int64)
    for item in range(256):
        full = [bool(item >> k & 1) for k in range(8)]
        directions = sum(1 << k for k in range(8) if full[(k + 4) % 8])
        around = list(full)
        for side in range(0, 8, 2):
            if full[side]:
                around[(side + 1) % 8] = around[(side + 7) % 8] = True
        changes = sum(around[k] != around[(k + 1) % 8] for k in range(8))
        table[item] = directions if changes < 4 else 0
    return table


_GROWTH = _growth()


@njit
def to_levels(distances, marks, highest):  # type: ignore[no-untyped-def]
    """Return the levels to flood, uint8 ``(Y, X)``: 0 background, 255 the areas of maxima.

    Parameters
    ----------
    distances : float32 ``(Y, X)``
        The distance map.
    marks : uint8 ``(Y, X)``
        Of :func:`~napari_mpseg.particles.instances.maxima.mark_maxima`.
    highest : float
        The highest distance in the whole image, which moves the steps between the levels a little.
    """
    rows, columns = distances.shape
    scale = 1.0 if highest - 1.0 <= 253.0 else 253.0 / (highest - 1.0)
    zero = 1.0 - (highest - 1.0) * (1.0 / 253.0 / 2.0 - 1e-6)
    levels = np.zeros((rows, columns), np.uint8)
    for y in range(rows):
        for x in range(columns):
            if marks[y, x] & AREA:
                levels[y, x] = FULL
            elif distances[y, x] >= 0.5:
                level = 1 + np.floor((distances[y, x] - zero) * scale + 0.5)
                levels[y, x] = min(max(level, 1), FULL - 1)
    return levels


@njit
def lower_other_maxima(levels, marks, ordered):  # type: ignore[no-untyped-def]
    """Lower the maxima that do not stand out to the saddle over which they reach one that does, in `levels`.

    Parameters
    ----------
    levels : uint8 ``(Y, X)``
        Of :func:`to_levels`; written to.
    marks : uint8 ``(Y, X)``
        Written to.
    ordered : int64 ``(N,)``
        Of :func:`~napari_mpseg.particles.instances.maxima.candidates`.
    """
    rows, columns = levels.shape
    queue = np.empty(rows * columns, np.int64)
    for i in range(len(ordered) - 1, -1, -1):
        y0, x0 = ordered[i] // columns, ordered[i] % columns
        if marks[y0, x0] & (AREA | _LOWERED):
            continue
        level = int(levels[y0, x0]) + 1
        queue[0] = ordered[i]
        marks[y0, x0] |= _LISTED
        count, above, arrived = 1, 1, False
        while not arrived and level > 0:
            level -= 1
            above = count  # what was listed at higher levels
            done = 0
            while done < count and not arrived:
                y, x = queue[done] // columns, queue[done] % columns
                done += 1
                for side in range(8):
                    y2, x2 = y + NEIGHBOUR_Y[side], x + NEIGHBOUR_X[side]
                    if y2 < 0 or x2 < 0 or y2 >= rows or x2 >= columns or marks[y2, x2] & _LISTED:
                        continue
                    lowered = marks[y2, x2] & _LOWERED
                    if marks[y2, x2] & AREA or (lowered and levels[y2, x2] >= level):
                        arrived = True
                        break
                    if levels[y2, x2] >= level and not lowered:
                        queue[count] = y2 * columns + x2
                        count += 1
                        marks[y2, x2] |= _LISTED
        for k in range(count):
            marks[queue[k] // columns, queue[k] % columns] &= ~_LISTED
        for k in range(above):
            levels[queue[k] // columns, queue[k] % columns] = level
            marks[queue[k] // columns, queue[k] % columns] |= _LOWERED


@njit
def flood(levels):  # type: ignore[no-untyped-def]
    """Let the areas of level 255 grow over all lower levels, in `levels`; what stays below 255 divides them."""
    rows, columns = levels.shape
    pixels = np.empty(rows * columns, np.int64)  # of all levels, the lowest first
    start = _sorted_by_level(levels, pixels)
    todo = np.empty(rows * columns, np.int64)
    kept = 0  # pixels of higher levels, next to the background, that nothing has reached
    for level in range(FULL - 1, 0, -1):
        count = start[level + 1] - start[level]
        if count == 0:
            continue
        todo[kept : kept + count] = pixels[start[level] : start[level + 1]]
        count = _grow(levels, todo, kept + count)
        kept = 0
        for k in range(count):
            if _at_border(levels, todo[k]):
                todo[kept] = todo[k]
                kept += 1


@njit
def _sorted_by_level(levels, pixels):  # type: ignore[no-untyped-def]
    """Fill `pixels` with the flat indices of levels 1 to 254; level k lies at ``start[k]:start[k + 1]``."""
    start = np.zeros(FULL + 2, np.int64)
    flat = levels.ravel()
    for value in flat:
        if 0 < value < FULL:
            start[value + 1] += 1
    for level in range(1, FULL + 2):
        start[level] += start[level - 1]
    place = start.copy()
    for index in range(len(flat)):
        value = flat[index]
        if 0 < value < FULL:
            pixels[place[value]] = index
            place[value] += 1
    return start


@njit
def _grow(levels, todo, count):  # type: ignore[no-untyped-def]
    """Grow into the pixels of `todo` until none changes in any direction; return how many are left, at its front."""
    rows, columns = levels.shape
    full = np.empty(count, np.int64)
    idle, turn = 0, 0
    while count > 0 and idle < 8:
        direction = _ORDER[turn % 8]
        turn += 1
        left, grown = 0, 0
        for k in range(count):
            y, x = todo[k] // columns, todo[k] % columns
            around = 0
            for side in range(8):
                y2, x2 = y + NEIGHBOUR_Y[side], x + NEIGHBOUR_X[side]
                if 0 <= y2 < rows and 0 <= x2 < columns and levels[y2, x2] == FULL:
                    around |= 1 << side
            if _GROWTH[around] >> direction & 1:
                full[grown] = todo[k]
                grown += 1
            else:
                todo[left] = todo[k]
                left += 1
        for k in range(grown):  # all at once: they do not see each other
            levels[full[k] // columns, full[k] % columns] = FULL
        idle = 0 if grown else idle + 1
        count = left
    return count


@njit
def _at_border(levels, pixel):  # type: ignore[no-untyped-def]
    rows, columns = levels.shape
    y, x = pixel // columns, pixel % columns
    if y == 0 or x == 0 or y == rows - 1 or x == columns - 1:
        return True
    empty = False
    for side in range(8):
        empty |= levels[y + NEIGHBOUR_Y[side], x + NEIGHBOUR_X[side]] == 0
    return empty
