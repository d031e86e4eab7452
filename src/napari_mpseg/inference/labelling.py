"""Connected components over tiles: the same labels as of the whole image at once.

Each tile is labelled by itself. What touches across borders is joined afterwards from the tiles' outermost pixels
alone, too small particles are dropped, and the rest is numbered 1..N in raster order of the first pixel, as
:func:`skimage.measure.label` numbers the whole image. A last pass writes the final numbers.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_mpseg.inference.grid import Tile, TileGrid

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class TileSummary:
    """What must be known of a labelled tile to join it with its neighbours.

    Attributes
    ----------
    index : tuple of int
        Row and column of the tile.
    areas : ndarray of int64
        Pixels of each provisional label 1..n.
    first : ndarray of int64
        Raster position ``y * width + x`` in the whole image of each label's first pixel.
    borders : tuple of ndarray
        Provisional labels along the top, bottom, left and right edge; empty where the tile is empty.
    """

    index: tuple[int, int]
    areas: Array
    first: Array
    borders: tuple[Array, Array, Array, Array]

    @property
    def count(self) -> int:
        """Number of provisional labels."""
        return len(self.areas)


_NONE = np.zeros(0, np.int32)


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
        return np.zeros(mask.shape, np.int32), TileSummary(tile.index, _NONE, _NONE, (_NONE,) * 4)
    from skimage.measure import label

    labels = np.asarray(label(mask, connectivity=connectivity), np.int32)
    flat = labels.ravel()
    places = np.flatnonzero(flat)
    values = flat[places]
    areas = np.bincount(values)[1:]
    # places rise, so the first occurrence of a label is its first pixel in raster order
    _, where = np.unique(values, return_index=True)
    rows, cols = np.divmod(places[where], mask.shape[1])
    first = (rows + tile.core[0]).astype(np.int64) * width + cols + tile.core[2]
    borders = (labels[0].copy(), labels[-1].copy(), labels[:, 0].copy(), labels[:, -1].copy())
    return labels, TileSummary(tile.index, areas.astype(np.int64), first, borders)


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


def join_tiles(summaries: list[TileSummary], grid: TileGrid, connectivity: int = 2, min_size: int = 0) -> FinalNumbers:
    """Join the tiles' provisional labels and number the particles of at least `min_size` pixels.

    Memory grows with the number of provisional labels and with the border length of tiles that hold any.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    filled = {summary.index: summary for summary in summaries if summary.count}
    offsets: dict[tuple[int, int], int] = {}
    total = 0
    for index, summary in filled.items():
        offsets[index] = total
        total += summary.count
    if not total:
        return FinalNumbers({}, 0)
    pairs = _touching(filled, offsets, connectivity)
    graph = coo_array((np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), shape=(total, total))
    groups, group = connected_components(graph, directed=False)
    area = np.bincount(group, np.concatenate([s.areas for s in filled.values()]), groups).astype(np.int64)
    first = np.full(groups, np.iinfo(np.int64).max)
    np.minimum.at(first, group, np.concatenate([s.first for s in filled.values()]))
    kept = np.flatnonzero(area >= max(1, min_size))
    number = np.zeros(groups, np.int32)
    number[kept[np.argsort(first[kept])]] = np.arange(1, len(kept) + 1, dtype=np.int32)
    final = number[group]
    tables = {
        index: np.concatenate([[np.int32(0)], final[offset : offset + filled[index].count]]).astype(np.int32)
        for index, offset in offsets.items()
    }
    return FinalNumbers(tables, len(kept))


def _touching(
    filled: dict[tuple[int, int], TileSummary], offsets: dict[tuple[int, int], int], connectivity: int
) -> Array:
    """Return pairs of provisional labels (global, from 0) that touch across a border, ``(P, 2)``."""
    found = [np.zeros((0, 2), np.int64)]
    for (row, col), summary in filled.items():
        _top, bottom, _left, right = summary.borders
        here = offsets[row, col] - 1
        for (dr, dc), mine, side in (((0, 1), right, 2), ((1, 0), bottom, 0)):
            other = filled.get((row + dr, col + dc))
            if other is not None:
                theirs, there = other.borders[side], offsets[other.index] - 1
                for shift in (-1, 0, 1) if connectivity == 2 else (0,):
                    found.append(_pairs(*_shifted(mine, theirs, shift), here, there))
        if connectivity == 2:
            for dc, corner, side in ((1, bottom[-1:], 0), (-1, bottom[:1], -1)):
                other = filled.get((row + 1, col + dc))
                if other is not None:
                    theirs = other.borders[0][:1] if side == 0 else other.borders[0][-1:]
                    found.append(_pairs(corner, theirs, here, offsets[other.index] - 1))
    return np.unique(np.concatenate(found), axis=0)


def _shifted(a: Array, b: Array, shift: int) -> tuple[Array, Array]:
    if shift == 0:
        return a, b
    return (a[1:], b[:-1]) if shift < 0 else (a[:-1], b[1:])


def _pairs(a: Array, b: Array, offset_a: int, offset_b: int) -> Array:
    both = (a > 0) & (b > 0)
    return np.stack([a[both].astype(np.int64) + offset_a, b[both].astype(np.int64) + offset_b], 1)
