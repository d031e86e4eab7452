"""Labels of a mask of any size, made where they are read."""

import uuid
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.inference.grid import Tile, TileGrid
from napari_mpseg.inference.labelling import TileSummary, join_tiles, number_tile, summarise_tile
from napari_mpseg.inference.schedulers import Scheduler, find_scheduler
from napari_mpseg.particles.labelling import check_labelling
from napari_mpseg.progress import CancelToken, ProgressCallback, silent

_TILE = 1024


def label_chunks(
    mask: Any,
    *,
    connectivity: int = 2,
    min_size: int = 0,
    tile: int | None = None,
    scheduler: str | Scheduler | None = None,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> Any:
    """Give every connected particle of a mask of any size a number, chunk by chunk.

    The labels are those of :func:`~napari_mpseg.particles.labelling.label_mask`, whatever the chunks. Every chunk is
    read and labelled once to join the chunks, and again whenever its labels are asked for, which is cheaper than
    keeping them. Memory is that of a few chunks, plus a few numbers per particle.

    Parameters
    ----------
    mask : array
        ``(Y, X)`` (numpy, dask, zarr); what is not 0 is particle.
    connectivity : {1, 2}
        1: pixels touch with their sides (4 neighbours). 2: corners too (8 neighbours), as in ImageJ.
    min_size : int
        Particles of fewer pixels are left out.
    tile : int, optional
        Side of the chunks of labels, in pixels. Default the mask's own if they are square, else 1024.
    scheduler : str or Scheduler, optional
        Where the chunks are looked at to join them, see :mod:`napari_mpseg.inference.schedulers`; default threads.
    on_progress, cancel
        See :mod:`napari_mpseg.progress`.

    Returns
    -------
    dask.array.Array
        int32 ``(Y, X)``; labels 1 ... N without gaps, in raster order of each particle's first pixel.

    Raises
    ------
    ImageError
        If the mask is not two-dimensional.
    SettingsError
        If `connectivity` is neither 1 nor 2, or `min_size` is negative.
    Cancelled
        If `cancel` was set.

    Examples
    --------
    >>> import dask.array as da
    >>> label_chunks(da.eye(3, chunks=2)).compute().tolist()
    [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    """
    check_labelling(mask, connectivity, min_size)
    tiles = _Tiles(mask, TileGrid((int(mask.shape[0]), int(mask.shape[1])), tile or _side(mask)), None, connectivity)
    return _labels(tiles, min_size, scheduler, on_progress, cancel)


def lazy_labels(
    stored: Any,
    lowest: int = 1,
    *,
    connectivity: int = 2,
    tile: int = _TILE,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> Any:
    """Return the connected pixels of a stored probability as labels, without storing these.

    As :func:`label_chunks`, but of whole numbers of which those of `lowest` or more are particle.

    Parameters
    ----------
    stored : array
        Whole numbers ``(Y, X)`` (numpy, dask, zarr).
    lowest : int
        Pixels of this value or more are particle.
    connectivity, tile, on_progress, cancel
        See :func:`label_chunks`.

    Returns
    -------
    dask.array.Array
        int32 ``(Y, X)``; labels 1 ... N without gaps, in raster order of each particle's first pixel.

    Raises
    ------
    Cancelled
        If `cancel` was set.
    """
    check_labelling(stored, connectivity, 0)
    tiles = _Tiles(stored, TileGrid((int(stored.shape[0]), int(stored.shape[1])), tile), lowest, connectivity)
    return _labels(tiles, 0, None, on_progress, cancel)


@dataclass(frozen=True)
class _Tiles:
    """The work of labelling every tile by itself, to know what touches across borders; labels are forgotten."""

    values: Any
    grid: TileGrid
    lowest: int | None
    connectivity: int

    def needs(self, item: Any) -> tuple[()]:
        return ()

    def do(self, item: Any, *given: Any) -> TileSummary:
        tile = self.grid[item]
        y0, y1, x0, x1 = tile.core
        part = self.values[y0:y1, x0:x1]
        # in this thread: tiles already run side by side
        part = part.compute(scheduler="synchronous") if hasattr(part, "compute") else part
        return summarise_tile(self.mask(part), tile, self.grid.shape[1], self.connectivity)

    def mask(self, part: Any) -> NDArray[np.bool_]:
        values = np.asarray(part)
        if self.lowest is not None:
            return np.asarray(values >= self.lowest)
        return values if values.dtype == bool else np.asarray(values != 0)


def _labels(
    tiles: _Tiles,
    min_size: int,
    scheduler: str | Scheduler | None,
    on_progress: ProgressCallback,
    cancel: CancelToken | None,
) -> Any:
    import dask.array as da
    from dask.highlevelgraph import HighLevelGraph

    grid, summaries = tiles.grid, []
    find_scheduler(scheduler).run(
        tiles,
        [tile.index for tile in grid],
        stage="Joining particles",
        on_result=lambda index, summary: summaries.append(summary),
        on_progress=on_progress,
        cancel=cancel or CancelToken(),
    )
    tables = join_tiles(summaries, grid, tiles.connectivity, min_size).tables
    values = tiles.values
    chunked = values.rechunk(grid.chunks) if isinstance(values, da.Array) else da.from_array(values, grid.chunks, False)
    same = _Tiles(None, grid, tiles.lowest, tiles.connectivity)  # what the tasks need of it: not the array
    name = f"labels-{uuid.uuid4().hex}"
    layer = {
        (name, *tile.index): (_numbered, (chunked.name, *tile.index), same, tile, tables.get(tile.index))
        for tile in grid
    }
    graph = HighLevelGraph.from_collections(name, layer, dependencies=[chunked])
    return da.Array(graph, name, grid.chunks, dtype=np.int32)


def _numbered(part: Any, tiles: _Tiles, tile: Tile, table: NDArray[np.int32] | None) -> NDArray[np.int32]:
    if table is None:
        return np.zeros(tile.core_shape, np.int32)
    return number_tile(tiles.mask(part), table, tiles.connectivity)


def _side(mask: Any) -> int:
    """Return the side of the mask's own chunks if they are square and of a useful size."""
    chunks = getattr(mask, "chunks", None) or ()
    sides = {int(size[0]) if isinstance(size, tuple) else int(size) for size in chunks}
    (side,) = sides if len(sides) == 1 else (_TILE,)
    return side if 256 <= side <= 4 * _TILE else _TILE
