"""What every window saw of the particles in and around its tile: kept until they are numbered, never in a result.

Each tile has one chunk of its own, its core and `overlap` pixels on every side of it, so that two neighbours have both
looked at the strip around their common border, and both answers are there to be compared. The numbers in a chunk are
the tile's own, 1..n in raster order. The array lies beside the result store::

    NAME.ome.zarr      the result store
    NAME.pieces.zarr   this

Chunks are written, and checked when a run is gone on with, like those of the result store.
"""

from pathlib import Path
from typing import Any

import numpy as np

from napari_mpseg.errors import StoreError
from napari_mpseg.inference.grid import Box, Tile, TileGrid
from napari_mpseg.inference.labelling import TileSummary
from napari_mpseg.inference.store import create_level

Array = np.ndarray[Any, Any]

_NONE = np.iinfo(np.int64).max  # where a piece without a pixel in the core begins


def pieces_place(store: Path) -> Path:
    """Return where the pieces belonging to a result store lie."""
    return store.with_name(f"{store.name.removesuffix('.ome.zarr')}.pieces.zarr")


class Pieces:
    """The pieces of all tiles, on disk; picklable.

    Parameters
    ----------
    place : Path
        Of :func:`pieces_place`.
    grid : TileGrid
        Over the whole image.
    overlap : int
        Pixels around a core that are kept, 1 to the grid's halo.
    """

    def __init__(self, place: Path, grid: TileGrid, overlap: int) -> None:
        self.place, self.grid, self.overlap = place, grid, overlap
        self._array: Any = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_array": None}

    def make(self) -> None:
        """Make the array, unless an earlier run has left it.

        Raises
        ------
        StoreError
            If the folder cannot be written.
        """
        import zarr
        from zarr.storage import LocalStore

        side, (rows, columns) = self._side, self.grid.counts
        shape = rows * side, columns * side
        try:
            if tuple(self._opened().shape) == shape:
                return
        except StoreError:
            pass  # not there yet; or its description was lost in a power cut, and all tiles are done again
        try:
            root = zarr.open_group(LocalStore(self.place), mode="w", zarr_format=3)
            self._array = create_level(root, 0, shape, (side, side), "int32")
        except OSError as error:
            raise StoreError(
                f"Cannot create {self.place}: {error.strerror or error}. Choose another folder or free some space."
            ) from error

    def box(self, index: tuple[int, int]) -> Box:
        """Return what is kept of a tile, ``(y0, y1, x0, x1)`` in the image: its core and what is around it."""
        y0, y1, x0, x1 = self.grid[index].core
        (height, width), reach = self.grid.shape, self.overlap
        return max(0, y0 - reach), min(height, y1 + reach), max(0, x0 - reach), min(width, x1 + reach)

    def strip(self, one: tuple[int, int], other: tuple[int, int]) -> Box:
        """Return what was kept of both of two neighbouring tiles, ``(y0, y1, x0, x1)`` in the image."""
        (ay0, ay1, ax0, ax1), (by0, by1, bx0, bx1) = self.box(one), self.box(other)
        return max(ay0, by0), min(ay1, by1), max(ax0, bx0), min(ax1, bx1)

    def read(self, index: tuple[int, int], box: Box) -> Array:
        """Return what a tile's window saw in a part of its box, int32 ``(Y, X)``."""
        found: Array = np.asarray(self._opened()[self._slices(index, box)])
        return found

    def write(self, index: tuple[int, int], numbers: Array) -> None:
        """Keep what a tile's window saw in the whole of its box."""
        self._opened()[self._slices(index, self.box(index))] = numbers

    @property
    def _side(self) -> int:
        return self.grid.tile + 2 * self.overlap

    def _slices(self, index: tuple[int, int], box: Box) -> tuple[slice, slice]:
        # a chunk begins `overlap` pixels before the core, also where the image does not
        down, right = (place * (self._side - self.grid.tile) + self.overlap for place in index)
        y0, y1, x0, x1 = box
        return slice(y0 + down, y1 + down), slice(x0 + right, x1 + right)

    def _opened(self) -> Any:
        if self._array is None:
            import zarr
            from zarr.storage import LocalStore

            try:
                self._array = zarr.open_group(LocalStore(self.place), mode="r+")["0"]
            except (OSError, KeyError, ValueError) as error:
                raise StoreError(f"{self.place} cannot be written: {error}.") from error
        return self._array


def numbered_pieces(labels: Array) -> Array:
    """Return labels as int32 1..n in raster order of each one's first pixel; what is below 1 is background."""
    flat = labels.ravel()
    places = np.flatnonzero(flat > 0)
    _, first, which = np.unique(flat[places], return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int32)
    rank[np.argsort(first)] = np.arange(1, len(first) + 1, dtype=np.int32)
    numbers = np.zeros(labels.shape, np.int32)
    numbers.ravel()[places] = rank[which]
    return numbers


def summarise_pieces(numbers: Array, box: Box, tile: Tile, width: int) -> TileSummary:
    """Return what must be known of a tile's pieces to number them.

    Parameters
    ----------
    numbers : ndarray of int32
        ``(Y, X)`` of :func:`numbered_pieces`.
    box : tuple of int
        Where they lie in the image.
    tile : Tile
        Only pixels in its core count. Pieces without any have area 0: they are there to be compared.
    width : int
        Width of the whole image in pixels.
    """
    y0, y1, x0, x1 = tile.core
    core = numbers[y0 - box[0] : y1 - box[0], x0 - box[2] : x1 - box[2]]
    count = int(numbers.max(initial=0))
    rows, columns = np.nonzero(core)
    found = core[rows, columns] - 1
    first = np.full(count, _NONE)
    np.minimum.at(first, found, (rows + y0) * width + columns + x0)
    return TileSummary(tile.index, np.bincount(found, minlength=count), first, np.zeros((3, 0), np.int32))
