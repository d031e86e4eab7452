"""From the pieces of all tiles to the particles of the image."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.inference.grid import TileGrid
from napari_mpseg.particles.counting.settings import CountSettings, CountSizes
from napari_mpseg.particles.counting.tiles import BOTTOM, LEFT, RIGHT, TOP, TileCount, touching_sides

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Groups:
    """The particles of an image, in raster order of their first joined pixel.

    Attributes
    ----------
    boxes : ndarray of int64
        ``(N, 4)``: y0, x0, y1, x1, ends not included.
    own : ndarray of int64
        Pixels that were particle before joining.
    sums, largest : ndarray of float64
        Sum and maximum of their probability, as stored.
    numbers : list of tuple of int
        The labels in each, rising; empty where they have no numbers.
    tables : dict
        Per tile: entry i is the number of the particle that its piece i is of (from 1; 0 is dropped); entry 0 is 0.
    """

    boxes: Array
    own: Array
    sums: Array
    largest: Array
    numbers: list[tuple[int, ...]]
    tables: dict[tuple[int, int], Array]


def group_tiles(tiles: Sequence[TileCount], grid: TileGrid, settings: CountSettings, sizes: CountSizes) -> Groups:
    """Join the pieces of tiles that touch, enclose one another, or hold the same label.

    Parameters
    ----------
    tiles : sequence of TileCount
        All of the grid, in any order.
    grid : TileGrid
        Over the image.
    settings, sizes
        As the tiles were looked at.
    """
    parts = sorted(tiles, key=lambda tile: tile.index)
    starts = np.cumsum([0, *(len(part.own) for part in parts)])
    gap_starts = np.cumsum([0, *(len(part.gaps) for part in parts)])
    lines = _Lines(parts, grid, starts, gap_starts)
    pairs = [pair for one, two in lines.borders() for pair in _touching(one, two, settings.connectivity, 1)]
    count = int(starts[-1])
    numbers = _moved(parts, "numbers", starts)
    which, place = np.unique(numbers[:, 1], return_inverse=True)
    pairs.append(np.stack([numbers[:, 0], place.ravel() + count], 1))
    total = count + len(which)
    if sizes.fills:
        gap, holes = _holes(parts, lines, gap_starts, 3 - settings.connectivity, sizes.largest_hole)
        beside = _beside(parts, lines, starts, gap_starts)
        enclosed = gap[beside[:, 1]]
        inside = holes[enclosed]
        pairs.append(np.stack([beside[inside, 0], enclosed[inside] + total], 1))
        total += len(holes)
    group = _components(pairs, total)[:count]
    return _gathered(parts, group, numbers, sizes.least)


@dataclass(frozen=True)
class _Lines:
    """The edges of tiles as lines through the image; pieces are above 0, background below."""

    parts: Sequence[TileCount]
    grid: TileGrid
    starts: Array
    gap_starts: Array

    def borders(self) -> Iterator[tuple[Array, Array]]:
        """Give the pixels on either side of every border between two rows or columns of tiles."""
        rows, columns = self.grid.counts
        for above in range(rows - 1):
            one = [self._edge(above * columns + column, BOTTOM) for column in range(columns)]
            two = [self._edge((above + 1) * columns + column, TOP) for column in range(columns)]
            yield np.concatenate(one), np.concatenate(two)
        for before in range(columns - 1):
            one = [self._edge(row * columns + before, RIGHT) for row in range(rows)]
            two = [self._edge(row * columns + before + 1, LEFT) for row in range(rows)]
            yield np.concatenate(one), np.concatenate(two)

    def _edge(self, part: int, side: int) -> Array:
        values, lengths = self.parts[part].edges[side]
        moved = np.where(values > 0, values + self.starts[part], values - self.gap_starts[part] * (values < 0))
        return np.repeat(moved, lengths)


def _touching(one: Array, two: Array, connectivity: int, sign: int) -> Iterator[Array]:
    """Give the pairs, from 0, of pieces (sign 1) or background (-1) that touch across a border."""
    size = len(one)
    for shift in (-1, 0, 1) if connectivity == 2 else (0,):
        here, there = one[max(0, -shift) : size - max(0, shift)], two[max(0, shift) : size - max(0, -shift)]
        both = (here * sign > 0) & (there * sign > 0)
        found = np.stack([here[both], there[both]], 1) * sign - 1
        yield found[np.append(True, (found[1:] != found[:-1]).any(1))] if len(found) else found


def _holes(
    parts: Sequence[TileCount], lines: _Lines, starts: Array, connectivity: int, largest: float | None
) -> tuple[Array, Array]:
    """Return which connected background each tile's is of, and which of those are holes that are filled."""
    pairs = [pair for one, two in lines.borders() for pair in _touching(one, two, connectivity, -1)]
    gap = _components(pairs, int(starts[-1]))
    areas = np.bincount(gap, np.concatenate([part.gaps for part in parts]))
    reaches = np.bincount(gap, np.concatenate([part.open_gaps for part in parts])) > 0
    holes = ~reaches if largest is None else ~reaches & (areas <= largest * (1 + 1e-9))
    return gap, holes


def _beside(parts: Sequence[TileCount], lines: _Lines, starts: Array, gap_starts: Array) -> Array:
    within = _moved(parts, "beside", starts)
    within[:, 1] += np.repeat(gap_starts[:-1], [len(part.beside) for part in parts])
    return np.concatenate([within, *(touching_sides(one, two) for one, two in lines.borders())])


def _moved(parts: Sequence[TileCount], name: str, starts: Array) -> Array:
    """Return pairs of all tiles, the first of each counted over the image."""
    pairs = [getattr(part, name) for part in parts]
    every = np.concatenate([np.zeros((0, 2), np.int64), *pairs])
    every[:, 0] += np.repeat(starts[:-1], [len(pair) for pair in pairs])
    return every


def _components(pairs: Sequence[Array], total: int) -> Array:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not total:
        return np.zeros(0, np.int64)
    every = np.concatenate([np.zeros((0, 2), np.int64), *pairs])
    graph = coo_array((np.ones(len(every), np.int32), (every[:, 0], every[:, 1])), shape=(total, total))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def _gathered(parts: Sequence[TileCount], group: Array, numbers: Array, least: float) -> Groups:
    """Add up the pieces of each group, drop what is too small, and number the rest."""
    _, group = np.unique(group, return_inverse=True)
    count = int(group.max(initial=-1)) + 1

    def every(name: str) -> Array:
        return np.concatenate([getattr(part, name) for part in parts])

    own = np.bincount(group, every("own"), count).astype(np.int64)
    first = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(first, group, every("first"))
    boxes = np.full((count, 4), np.iinfo(np.int64).max)
    boxes[:, 2:] = -1
    for column, better in enumerate((np.minimum, np.minimum, np.maximum, np.maximum)):
        better.at(boxes[:, column], group, every("boxes")[:, column])
    largest = np.zeros(count)
    np.maximum.at(largest, group, every("largest"))
    # sizes given in a unit come back from a division, a rounding error off
    kept = np.flatnonzero(own >= max(1.0, least * (1 - 1e-9)))
    kept = kept[np.argsort(first[kept])]
    number = np.zeros(count, np.int32)
    number[kept] = np.arange(1, len(kept) + 1, dtype=np.int32)
    final = number[group]
    sums = np.bincount(group, every("sums"), count)
    return Groups(
        boxes[kept],
        own[kept],
        sums[kept],
        largest[kept],
        _listed(numbers, final, len(kept)),
        _tables(parts, final),
    )


def _tables(parts: Sequence[TileCount], final: Array) -> dict[tuple[int, int], Array]:
    starts = np.cumsum([0, *(len(part.own) for part in parts)])
    spans = zip(parts, pairwise(starts.tolist()), strict=True)
    zero = np.zeros(1, np.int32)
    return {part.index: np.concatenate([zero, final[start:stop]]) for part, (start, stop) in spans if stop > start}


def _listed(numbers: Array, final: Array, count: int) -> list[tuple[int, ...]]:
    """Return the labels of every particle."""
    particle = final[numbers[:, 0]].astype(np.int64)
    rows = np.unique(np.stack([particle, numbers[:, 1]], 1)[particle > 0], axis=0)
    ends = np.searchsorted(rows[:, 0], np.arange(1, count + 2))
    labels = rows[:, 1].tolist()
    return [tuple(labels[start:stop]) for start, stop in pairwise(ends.tolist())]
