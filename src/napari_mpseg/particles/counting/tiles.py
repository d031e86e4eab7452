"""The pieces of one tile: what must be known of them to count the whole image, and no pixels."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.inference.grid import Tile, TileGrid
from napari_mpseg.particles.counting.joining import core_of, joined
from napari_mpseg.particles.counting.settings import CountSettings, CountSizes
from napari_mpseg.particles.counting.source import CountSource, read

Array = NDArray[Any]
Line = tuple[Array, Array]  # values along an edge, and how often each follows itself

TOP, BOTTOM, LEFT, RIGHT = range(4)


def _none() -> Array:
    return np.zeros(0, np.int64)


def _no_pairs() -> Array:
    return np.zeros((0, 2), np.int64)


@dataclass(frozen=True, eq=False)
class TileCount:
    """The joined pieces of one tile, and what touches its edges.

    Attributes
    ----------
    index : tuple of int
        Row and column of the tile.
    edges : tuple
        Top, bottom, left and right: values and their lengths. Piece i is i + 1, background j is -(j + 1), or 0 where
        holes do not matter.
    boxes : ndarray of int64
        ``(N, 4)``: y0, x0, y1, x1 of each piece in the image, ends not included.
    first : ndarray of int64
        Raster position of each piece's first pixel in the image.
    own : ndarray of int64
        Pixels of each that were particle before joining.
    sums, largest : ndarray of float64
        Sum and maximum of their probability, as stored.
    gaps : ndarray of int64
        Pixels of each connected background.
    open_gaps : ndarray of bool
        Whether it reaches the border of the image.
    beside : ndarray of int64
        ``(K, 2)``: piece and background that touch with a side, from 0.
    numbers : ndarray of int64
        ``(J, 2)``: piece, from 0, and a label that lies in it.
    """

    index: tuple[int, int]
    edges: tuple[Line, Line, Line, Line]
    boxes: Array = field(default_factory=lambda: np.zeros((0, 4), np.int64))
    first: Array = field(default_factory=_none)
    own: Array = field(default_factory=_none)
    sums: Array = field(default_factory=lambda: np.zeros(0))
    largest: Array = field(default_factory=lambda: np.zeros(0))
    gaps: Array = field(default_factory=_none)
    open_gaps: Array = field(default_factory=lambda: np.zeros(0, bool))
    beside: Array = field(default_factory=_no_pairs)
    numbers: Array = field(default_factory=_no_pairs)


@dataclass(frozen=True)
class CountTiles:
    """Work of one item ``(row, column)`` per tile, for any scheduler.

    Attributes
    ----------
    source : CountSource
        What is counted on.
    grid : TileGrid
        With a halo of the reach of joining.
    settings : CountSettings
        What to do.
    sizes : CountSizes
        The same in pixels.
    """

    source: CountSource
    grid: TileGrid
    settings: CountSettings
    sizes: CountSizes

    @property
    def apart(self) -> bool:
        """Whether each label is one particle: they are told apart already, and nothing is joined."""
        return self.source.numbered and not self.sizes.joins

    def needs(self, item: Hashable) -> tuple[()]:
        """Return nothing: tiles are looked at each for itself."""
        return ()

    def do(self, item: Any, *given: Any) -> TileCount:
        """Join the strands of a tile, and return what is to be known of them."""
        tile = self.grid[item]
        if self.apart:
            return self._of_labels(tile)
        values = self.source.read(tile.window)
        own, pieces = self.pieces(tile, values)
        if pieces is None:
            return self._empty(tile)
        labels = pieces.labels()
        core = core_of(tile)
        seen = self.source.sure
        sure = values[core] if seen is self.source.data else None if seen is None else read(seen, tile.core)
        numbers = values[core] if self.source.numbered else None
        marked, gaps = self._with_gaps(labels)
        return TileCount(
            tile.index,
            _edges(marked),
            _boxes(pieces, tile),
            _first(pieces, tile, self.grid.shape[1]),
            *_own(labels, own, len(pieces.areas), sure),
            *gaps,
            self._open(marked, tile, len(gaps[0])),
            _beside(marked) if self.sizes.fills else _no_pairs(),
            _numbers(labels, own, numbers),
        )

    def _of_labels(self, tile: Tile) -> TileCount:
        """Return the labels of a tile as its pieces; what touches them does not matter."""
        values = self.source.read(tile.core)
        y, x = np.nonzero(values)
        found, piece = np.unique(values[y, x], return_inverse=True)
        piece, count = piece.ravel(), len(found)
        y, x = y + tile.core[0], x + tile.core[2]
        boxes = np.empty((count, 4), np.int64)
        boxes[:, :2], boxes[:, 2:] = np.iinfo(np.int64).max, -1
        for column, (better, places) in enumerate(
            ((np.minimum, y), (np.minimum, x), (np.maximum, y + 1), (np.maximum, x + 1))
        ):
            better.at(boxes[:, column], piece, places)
        first = np.full(count, np.iinfo(np.int64).max)
        np.minimum.at(first, piece, y * self.grid.shape[1] + x)
        labels = np.zeros(values.shape, np.int64)
        labels[values != 0] = piece + 1
        seen = self.source.sure
        return TileCount(
            tile.index,
            _edges(np.zeros_like(labels)),
            boxes,
            first,
            *_own(labels, values != 0, count, None if seen is None else read(seen, tile.core)),
            numbers=np.stack([np.arange(count), found.astype(np.int64)], 1),
        )

    def pieces(self, tile: Tile, values: Array) -> tuple[Array, Any]:
        """Return the own pixels of a tile's core, and its joined pieces; None for these where there are none."""
        from napari_mpseg.inference.components import find_components

        mask, core = self.source.mask(values), core_of(tile)
        if not mask.any():
            return mask[core], None
        whole = joined(mask, self.sizes, self.settings.erode_first)[core]
        return mask[core], find_components(whole, self.settings.connectivity) if whole.any() else None

    def _with_gaps(self, labels: Array) -> tuple[Array, tuple[Array]]:
        """Return labels with the connected background as negative numbers, and the sizes of that."""
        if not self.sizes.fills:
            return labels, (_none(),)
        from napari_mpseg.inference.components import find_components

        gaps = find_components(labels == 0, 3 - self.settings.connectivity)
        return labels - gaps.labels(), (gaps.areas,)

    def _empty(self, tile: Tile) -> TileCount:
        height, width = tile.core_shape
        value = np.array([-1 if self.sizes.fills else 0])
        across, down = (value, np.array([width])), (value, np.array([height]))
        gaps = np.array([height * width] if self.sizes.fills else [], np.int64)
        edges = (across, across, down, down)
        at_border = np.full(len(gaps), any(self._at_border(tile)))
        return TileCount(tile.index, edges, gaps=gaps, open_gaps=at_border)

    def _at_border(self, tile: Tile) -> tuple[bool, bool, bool, bool]:
        (height, width), (y0, y1, x0, x1) = self.grid.shape, tile.core
        return y0 == 0, y1 == height, x0 == 0, x1 == width

    def _open(self, marked: Array, tile: Tile, count: int) -> Array:
        reaches = np.zeros(count, bool)
        lines = (marked[0], marked[-1], marked[:, 0], marked[:, -1])
        for line, at_border in zip(lines, self._at_border(tile), strict=True):
            if at_border:
                reaches[-line[line < 0] - 1] = True
        return reaches


def _edges(marked: Array) -> tuple[Line, Line, Line, Line]:
    return _line(marked[0]), _line(marked[-1]), _line(marked[:, 0]), _line(marked[:, -1])


def _line(values: Array) -> Line:
    starts = np.flatnonzero(np.append(True, values[1:] != values[:-1]))
    return values[starts].astype(np.int64), np.diff(np.append(starts, len(values)))


def _boxes(pieces: Any, tile: Tile) -> Array:
    y, x0, x1 = pieces.runs.astype(np.int64)
    boxes = np.empty((len(pieces.areas), 4), np.int64)
    boxes[:, :2], boxes[:, 2:] = np.iinfo(np.int64).max, -1
    np.minimum.at(boxes[:, 0], pieces.of_run, y)
    np.minimum.at(boxes[:, 1], pieces.of_run, x0)
    np.maximum.at(boxes[:, 2], pieces.of_run, y + 1)
    np.maximum.at(boxes[:, 3], pieces.of_run, x1)
    top, _, left, _ = tile.core
    return np.asarray(boxes + np.array([top, left, top, left]))


def _first(pieces: Any, tile: Tile, width: int) -> Array:
    y, x = np.divmod(pieces.first, pieces.shape[1])
    return np.asarray((y + tile.core[0]) * width + x + tile.core[2])


def _own(labels: Array, own: Array, count: int, sure: Array | None) -> tuple[Array, Array, Array]:
    """Return pixels, and sum and maximum of the probability, of each piece's own pixels."""
    inside = own & (labels > 0)
    piece = labels[inside] - 1
    pixels = np.bincount(piece, minlength=count).astype(np.int64)
    if sure is None:
        return pixels, np.zeros(count), np.zeros(count)
    values = sure[inside].astype(np.float64)
    largest = np.zeros(count)
    np.maximum.at(largest, piece, values)
    return pixels, np.bincount(piece, values, count), largest


def _numbers(labels: Array, own: Array, numbers: Array | None) -> Array:
    """Return every pair of a piece and a label in it."""
    if numbers is None:
        return _no_pairs()
    inside = own & (labels > 0)
    found, which = np.unique(numbers[inside], return_inverse=True)
    key = np.unique((labels[inside].astype(np.int64) - 1) * max(1, len(found)) + which.ravel())
    piece, place = np.divmod(key, max(1, len(found)))
    return np.stack([piece, found[place].astype(np.int64)], 1)


def _beside(marked: Array) -> Array:
    """Return every pair of a piece and a background that share the side of a pixel."""
    parts = [touching_sides(one, two) for one, two in ((marked[:, :-1], marked[:, 1:]), (marked[:-1], marked[1:]))]
    return np.unique(np.concatenate(parts), axis=0)


def touching_sides(one: Array, two: Array) -> Array:
    """Return the pairs of a piece and a background, from 0, at the same places of two arrays."""
    differ = ((one > 0) & (two < 0)) | ((one < 0) & (two > 0))
    first, second = one[differ].astype(np.int64), two[differ].astype(np.int64)
    piece, gap = np.maximum(first, second) - 1, -np.minimum(first, second) - 1
    width = int(gap.max(initial=0)) + 1
    key = np.unique(piece * width + gap)
    return np.stack(np.divmod(key, width), 1)
