"""Labels of a mask of any size, made where they are read."""

import uuid
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.inference.grid import Tile, TileGrid
from napari_mpseg.inference.labelling import join_tiles, label_tile
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback, silent

_TILE = 1024


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

    Every tile is read and labelled once to join the tiles, and again whenever it is asked for. Memory grows with the
    number of particles.

    Parameters
    ----------
    stored : array
        Whole numbers ``(Y, X)`` (numpy, dask, zarr).
    lowest : int
        Pixels of this value or more are particle.
    connectivity : {1, 2}
        1: pixels touch with their sides (4 neighbours). 2: corners too (8 neighbours).
    tile : int
        Side of a tile in pixels. The labels do not depend on it.
    on_progress, cancel
        See :mod:`napari_mpseg.progress`.

    Returns
    -------
    dask.array.Array
        int32 ``(Y, X)``; labels 1 ... N without gaps, in raster order of each particle's first pixel.

    Raises
    ------
    Cancelled
        If `cancel` was set.
    """
    import dask.array as da

    grid = TileGrid((int(stored.shape[0]), int(stored.shape[1])), tile)

    def labelled(part: Tile) -> tuple[NDArray[np.int32], Any]:
        y0, y1, x0, x1 = part.core
        return label_tile(np.asarray(stored[y0:y1, x0:x1]) >= lowest, part, grid.shape[1], connectivity)

    summaries = []
    for done, part in enumerate(grid, 1):
        if cancel is not None:
            cancel.check()
        summaries.append(labelled(part)[1])
        on_progress(Progress("Joining particles", done, len(grid), "tiles"))
    tables = join_tiles(summaries, grid, connectivity).tables

    def numbered(part: Tile) -> NDArray[np.int32]:
        labels, _ = labelled(part)
        return np.asarray(tables[part.index][labels]) if part.index in tables else labels

    name = f"labels-{uuid.uuid4().hex}"
    graph: dict[Any, Any] = {(name, *part.index): (numbered, part) for part in grid}
    return da.Array(graph, name, grid.chunks, dtype=np.int32)
