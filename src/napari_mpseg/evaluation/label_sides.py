"""Particles of a label image or of a mask, seen part by part."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import ImageError
from napari_mpseg.evaluation.pairs import Part, parts_of

Ids = NDArray[np.int64]

_TABLE = 2**22  # a table over so many labels is quicker than sorting them


@dataclass(frozen=True)
class Pixels:
    """The pixels of particles in one part.

    Attributes
    ----------
    places : ndarray of int64
        Flat index in the part.
    ids : ndarray of int64
        The particles in the part, by number as the side knows them, ``(n,)``.
    position : ndarray of int64
        Which of `ids` each pixel belongs to.
    """

    places: Ids
    ids: Ids
    position: Ids


class LabelSide:
    """A label image: every value is a particle, wherever its pixels lie."""

    def __init__(self, name: str) -> None:
        self._name = name

    def take(self, values: NDArray[Any], part: Part) -> Pixels:
        """Return the particles' pixels in a part of the array."""
        flat = values.ravel()
        places = np.flatnonzero(flat)
        labels = flat[places]
        if labels.size and (labels.dtype.kind != "u" or labels.dtype.itemsize == 8):
            low, high = int(labels.min()), int(labels.max())
            if low < 0 or high >= 2**63:
                raise ImageError(
                    f"The {self._name}'s labels go from {low} to {high}: number particles from 1, without negative "
                    "numbers, up to what int64 holds."
                )
        return Pixels(places, *_distinct(labels.astype(np.int64, copy=False)))

    def final(self, ids: Ids) -> Ids:
        """Return the labels of particles by their numbers."""
        return ids


class MaskSide:
    """A mask: its pieces are the particles, joined across parts when all were seen."""

    def __init__(self, shape: tuple[int, int], connectivity: int = 2) -> None:
        self._shape, self._connectivity = shape, connectivity
        self._summaries: list[Any] = []
        self._starts: dict[tuple[int, int], int] = {}
        self._count = 0

    def take(self, values: NDArray[Any], part: Part) -> Pixels:
        """Return the pieces' pixels in a part of the array."""
        from napari_mpseg.inference.grid import Tile
        from napari_mpseg.inference.labelling import label_tile

        tile = Tile(part.index, part.core, part.core)
        labels, summary = label_tile(values != 0, tile, self._shape[1], self._connectivity)
        places = np.flatnonzero(labels.ravel())
        first = self._count
        self._starts[part.index] = first
        self._count += summary.count
        if summary.count:
            self._summaries.append(summary)
        ids = np.arange(first, self._count, dtype=np.int64)
        return Pixels(places, ids, labels.ravel()[places].astype(np.int64) - 1)

    def final(self, ids: Ids) -> Ids:
        """Return the labels of pieces by their numbers: 1..N in raster order of the first pixels."""
        from napari_mpseg.inference.grid import TileGrid
        from napari_mpseg.inference.labelling import join_tiles

        numbers = np.zeros(self._count, np.int64)
        joined = join_tiles(self._summaries, TileGrid(self._shape), self._connectivity)
        for index, table in joined.tables.items():
            start = self._starts[index]
            numbers[start : start + len(table) - 1] = table[1:]
        return numbers[ids]


def side_of(array: Any, name: str, connectivity: int = 2) -> LabelSide | MaskSide:
    """Return how to read an array: as a mask if it holds a single value beside 0, as labels otherwise."""
    if not is_mask(array):
        return LabelSide(name)
    return MaskSide((int(array.shape[0]), int(array.shape[1])), connectivity)


def is_mask(array: Any) -> bool:
    """Tell whether an array holds a single value beside 0, as masks of 0 and 255 do."""
    if np.dtype(array.dtype).kind == "b":
        return True
    value = 0
    for part in parts_of(array):
        values = np.asarray(array[part.slices])
        others = values[(values != 0) & (values != value)]
        if others.size:
            if value or (others != others[0]).any():
                return False
            value = int(others[0])
    return value != 0


def _distinct(labels: Ids) -> tuple[Ids, Ids]:
    """Return the labels that occur, rising, and the position of each pixel's label among them."""
    if not labels.size:
        return labels, labels
    low, high = int(labels.min()), int(labels.max())
    if high - low >= _TABLE:
        found, position = np.unique(labels, return_inverse=True)
        return found, position.astype(np.int64, copy=False)
    occurs = np.zeros(high - low + 1, bool)
    occurs[labels - low] = True
    position = np.cumsum(occurs) - 1
    return np.flatnonzero(occurs) + low, position[labels - low]
