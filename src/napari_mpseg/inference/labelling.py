"""Connected components over tiles: the same labels as of the whole image at once.

Each tile is labelled by itself. What touches across borders is joined afterwards from the tiles' outermost pixels
alone, too small particles are dropped, and the rest is numbered 1..N in raster order of the first pixel, as
:func:`skimage.measure.label` numbers the whole image. A last pass writes the final numbers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mpseg.inference.grid import Tile, TileGrid

if TYPE_CHECKING:
    from napari_mpseg.inference.components import Components

Array = np.ndarray[Any, Any]

TOP, BOTTOM, LEFT, RIGHT = range(4)


@dataclass(frozen=True)
class TileSummary:
    """What must be known of a labelled tile to join it with its neighbours: little, and nothing of the background.

    Attributes
    ----------
    index : tuple of int
        Row and column of the tile.
    areas : ndarray of int64
        Pixels of each provisional label 1..n.
    first : ndarray of int64
        Raster position ``y * width + x`` in the whole image of each label's first pixel.
    borders : ndarray of int32
        ``(3, K)``, a column for every labelled pixel at the tile's edge: which edge (:data:`TOP`, :data:`BOTTOM`,
        :data:`LEFT`, :data:`RIGHT`), where along it (x or y in the whole image), and its provisional label. A pixel in
        a corner lies at two edges.
    """

    index: tuple[int, int]
    areas: Array
    first: Array
    borders: Array

    @property
    def count(self) -> int:
        """Number of provisional labels."""
        return len(self.areas)

    def to_arrays(self) -> dict[str, Array]:
        """Return all of it as numpy arrays by name, for a file."""
        index = np.array(self.index, np.int64)
        return {"index": index, "areas": self.areas, "first": self.first, "borders": self.borders}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> "TileSummary":
        """Return the summary that :meth:`to_arrays` was called on."""
        row, column = (int(value) for value in arrays["index"])
        areas, first, borders = (np.asarray(arrays[name]) for name in ("areas", "first", "borders"))
        return cls((row, column), areas, first, borders)


def label_tile(mask: Array, tile: Tile, width: int, connectivity: int = 2) -> tuple[Array, TileSummary]:
    """Label one tile by itself.

    Parameters
    ----------
    mask : ndarray of bool
        ``(Y, X)`` of the tile's core.
    tile : Tile
        Where it lies.
    width : int
        Width of the whole image in pixels.
    connectivity : int
        1 joins over edges (4 neighbours), 2 also over corners (8 neighbours).

    Returns
    -------
    labels : ndarray of int32
        Provisional labels 1..n.
    summary : TileSummary
    """
    if not mask.any():
        return np.zeros(mask.shape, np.int32), _empty(tile)
    from napari_mpseg.inference.components import find_components

    found = find_components(mask, connectivity)
    return found.labels(), _summary(found, tile, width)


def summarise_tile(mask: Array, tile: Tile, width: int, connectivity: int = 2) -> TileSummary:
    """Return what :func:`label_tile` says of a tile, without writing labels."""
    if not mask.any():
        return _empty(tile)
    from napari_mpseg.inference.components import find_components

    return _summary(find_components(mask, connectivity), tile, width)


def number_tile(mask: Array, numbers: Array, connectivity: int = 2) -> Array:
    """Return the final labels of a tile, int32 ``(Y, X)``.

    Parameters
    ----------
    mask : ndarray of bool
        As :func:`label_tile` or :func:`summarise_tile` saw it.
    numbers : ndarray of int32
        The tile's table in :class:`FinalNumbers`.
    connectivity : int
        As there.
    """
    from napari_mpseg.inference.components import find_components

    return find_components(mask, connectivity).labels(numbers[1:])


def _empty(tile: Tile) -> TileSummary:
    return TileSummary(tile.index, np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((3, 0), np.int32))


def _summary(found: "Components", tile: Tile, width: int) -> TileSummary:
    y0, _, x0, _ = tile.core
    rows, columns = np.divmod(found.first, found.shape[1])
    parts = [
        np.stack([np.full(len(places), side), places + start, which + 1]).astype(np.int32)
        for side, (places, which), start in zip(
            (TOP, BOTTOM, LEFT, RIGHT), found.edges(), (x0, x0, y0, y0), strict=True
        )
    ]
    first = (rows + y0) * width + columns + x0
    return TileSummary(tile.index, found.areas, first, np.concatenate(parts, axis=1))


@dataclass(frozen=True)
class FinalNumbers:
    """The final number of every provisional label of every tile.

    Attributes
    ----------
    tables : dict
        Per tile index that holds labels: int32 array; entry i is the final number of provisional label i (0 is
        background or a dropped particle).
    count : int
        Number of particles kept.
    """

    tables: dict[tuple[int, int], Array]
    count: int


def join_tiles(
    summaries: Sequence[TileSummary], grid: TileGrid, connectivity: int = 2, min_size: int = 0
) -> FinalNumbers:
    """Join the tiles' provisional labels and number the particles of at least `min_size` pixels.

    Memory and time grow with the number of provisional labels and of labelled pixels at the edges of tiles.

    Parameters
    ----------
    summaries : sequence of TileSummary
        Of all tiles, in any order; those of empty tiles may be left out.
    grid : TileGrid
        Over the whole image.
    connectivity : int
        As the tiles were labelled with.
    min_size : int
        Particles of fewer pixels are dropped.
    """
    filled = in_order(summaries)
    if not filled:
        return FinalNumbers({}, 0)
    return number_groups(filled, *_touching(filled, starts_of(filled), max(grid.shape), connectivity), min_size)


def in_order(summaries: Sequence[TileSummary]) -> list[TileSummary]:
    """Return those that hold labels in raster order of the tiles, so that the order of arrival does not matter."""
    return sorted((summary for summary in summaries if summary.count), key=lambda summary: summary.index)


def starts_of(filled: Sequence[TileSummary]) -> Array:
    """Return how many provisional labels the tiles before each one have, and after the last how many there are."""
    return np.cumsum([0, *(summary.count for summary in filled)])


def number_groups(filled: Sequence[TileSummary], one: Array, two: Array, min_size: int = 0) -> FinalNumbers:
    """Give the particles that provisional labels make up their final numbers, in raster order.

    Parameters
    ----------
    filled : sequence of TileSummary
        Of :func:`in_order`.
    one, two : ndarray of int
        Provisional labels that belong to the same particle, counted from 0 over all of `filled`.
    min_size : int
        Particles of fewer pixels are dropped, and labels without any.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not filled:
        return FinalNumbers({}, 0)
    starts = starts_of(filled)
    total = int(starts[-1])
    graph = coo_array((np.ones(len(one), np.int8), (one, two)), shape=(total, total))
    groups, group = connected_components(graph, directed=False)
    area = np.bincount(group, np.concatenate([summary.areas for summary in filled]), groups).astype(np.int64)
    first = np.full(groups, np.iinfo(np.int64).max)
    np.minimum.at(first, group, np.concatenate([summary.first for summary in filled]))
    kept = np.flatnonzero(area >= max(1, min_size))
    number = np.zeros(groups, np.int32)
    number[kept[np.argsort(first[kept])]] = np.arange(1, len(kept) + 1, dtype=np.int32)
    final = number[group]
    tables = {
        summary.index: np.concatenate([np.zeros(1, np.int32), final[start:stop]])
        for summary, start, stop in zip(filled, starts[:-1], starts[1:], strict=True)
    }
    return FinalNumbers(tables, len(kept))


def _touching(filled: Sequence[TileSummary], starts: Array, longest: int, connectivity: int) -> tuple[Array, Array]:
    """Return pairs of provisional labels, counted from 0 over all tiles, that touch across a border."""
    sizes = [summary.borders.shape[1] for summary in filled]
    side, position, label = np.concatenate([summary.borders for summary in filled], axis=1).astype(np.int64)
    label += np.repeat(starts[:-1], sizes) - 1
    across = np.repeat(np.array([summary.index for summary in filled], np.int64), sizes, axis=0)
    found: list[tuple[Array, Array]] = []
    for near, far, axis in ((BOTTOM, TOP, 0), (RIGHT, LEFT, 1)):
        # A border between two rows (or columns) of tiles is one line through the whole image. Its pixels on either side
        # get the line's number and their place along it as one key, so neighbours over corners of tiles are no
        # special case; the gap of two keeps one line's ends from the next line's.
        key = across[:, axis] * (longest + 2) + position
        here, there = np.flatnonzero(side == near), np.flatnonzero(side == far)
        keys_here, keys_there = key[here], key[there] - (longest + 2)
        order = np.argsort(keys_there)
        there, keys_there = there[order], keys_there[order]
        for shift in (-1, 0, 1) if connectivity == 2 else (0,):
            place = np.searchsorted(keys_there, keys_here + shift)
            met = place < len(keys_there)
            met[met] = keys_there[place[met]] == keys_here[met] + shift
            found.append((label[here[met]], label[there[place[met]]]))
    return np.concatenate([pair[0] for pair in found]), np.concatenate([pair[1] for pair in found])
