"""The dask array of probabilities: one task per tile, nothing computed before it is asked for."""

import uuid
from typing import Any

import numpy as np

from napari_mpseg.images.image import Image
from napari_mpseg.inference.blending import blended_graph
from napari_mpseg.inference.grid import Tile, TileGrid
from napari_mpseg.inference.predictor import TilePredictor
from napari_mpseg.inference.windows import read_window

DEFAULT_TILE = 512


def tiled_probability(image: Image, predictor: TilePredictor, tile_size: int | None = None) -> Any:
    """Return the probability of particle as a lazy dask array, one chunk per tile.

    Parameters
    ----------
    image : Image
        What `predictor` was prepared on.
    predictor : TilePredictor
        If it is exact, every chunk is computed from its own window, and no pixel depends on the tiling. If it is
        not, neighbouring windows overlap and are cross-faded.
    tile_size : int, optional
        Side of a tile in pixels; default what the predictor prefers (640 for networks on the CPU), else 512.

    Returns
    -------
    dask.array.Array
        float32 ``(Y, X)``, 0 to 1.
    """
    import dask.array as da

    grid = tile_grid(image, predictor, tile_size)
    name = f"probability-{uuid.uuid4().hex}"
    if predictor.exact:
        graph: dict[Any, Any] = {(name, *tile.index): (predict_core, image, predictor, tile) for tile in grid}
    else:
        graph = blended_graph(name, image, predictor, grid)
    return da.Array(graph, name, grid.chunks, dtype=np.float32)


def tile_grid(image: Image, predictor: TilePredictor, tile_size: int | None = None) -> TileGrid:
    """Return the grid on which `predictor` works best."""
    preferred: int = getattr(predictor, "preferred_tile", DEFAULT_TILE)
    size = tile_size or preferred
    return TileGrid(image.shape, size, predictor.halo, predictor.stride)


def predict_core(image: Image, predictor: TilePredictor, tile: Tile) -> np.ndarray[Any, Any]:
    """Return the probability of one tile's core, float32 ``(Y, X)``."""
    return predict_window(read_window(image, tile.window), predictor, tile)


def predict_window(window: Any, predictor: TilePredictor, tile: Tile) -> np.ndarray[Any, Any]:
    """Return the probability of the core of a tile whose window has been read, float32 ``(Y, X)``."""
    core: np.ndarray[Any, Any] = np.asarray(predictor.predict(window, tile.margins), dtype=np.float32)
    return core
