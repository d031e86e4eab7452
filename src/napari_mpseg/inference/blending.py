"""Cross-fading of overlapping windows, for networks that see further than any window."""

from typing import Any

import numpy as np

from napari_mpseg.images.image import Image
from napari_mpseg.inference.grid import Tile, TileGrid
from napari_mpseg.inference.predictor import TilePredictor
from napari_mpseg.inference.windows import read_window

Pieces = dict[tuple[int, int], np.ndarray[Any, Any]]


def blended_graph(name: str, image: Image, predictor: TilePredictor, grid: TileGrid) -> dict[Any, Any]:
    """Return a dask graph in which each tile is the weighted sum of its own window and its neighbours'.

    A window's weight falls linearly from 1 to 0 over its halo, from `fade` pixels inside its core's border to
    `fade` pixels outside, so that the weights of all windows add up to 1 everywhere. Every window is computed
    once and cut into one piece per tile it reaches.
    """
    graph: dict[Any, Any] = {}
    for tile in grid:
        row, col = tile.index
        graph[f"window-{name}", row, col] = (window_pieces, image, predictor, grid, tile)
        others = around(grid, tile.index)
        for other in others:
            graph[f"piece-{name}", row, col, *other] = (_pick, (f"window-{name}", *other), tile.index)
        graph[name, row, col] = (add_pieces, [(f"piece-{name}", row, col, *other) for other in others], tile)
    return graph


def around(grid: TileGrid, index: tuple[int, int]) -> list[tuple[int, int]]:
    """Return the indices of a tile and its neighbours, whose windows reach it."""
    (row, col), (rows, cols) = index, grid.counts
    return [
        (r, c) for r in range(max(0, row - 1), min(rows, row + 2)) for c in range(max(0, col - 1), min(cols, col + 2))
    ]


def fade_width(grid: TileGrid) -> int:
    """Return over how many pixels on each side of a border two windows are mixed.

    Half the halo: the outer half of a window, where the network misses most context, has no weight.
    """
    return max(0, min(grid.halo // 2, grid.tile // 2))


def window_pieces(image: Image, predictor: TilePredictor, grid: TileGrid, tile: Tile) -> Pieces:
    """Return the weighted probability of a tile's window, cut into one piece per tile it reaches."""
    y0, y1, x0, x1 = tile.core
    wy0, wy1, wx0, wx1 = tile.window
    fade = fade_width(grid)
    height, width = grid.shape
    reach = (max(0, y0 - fade), min(height, y1 + fade), max(0, x0 - fade), min(width, x1 + fade))
    margins = (reach[0] - wy0, wy1 - reach[1], reach[2] - wx0, wx1 - reach[3])
    probability = predictor.predict(read_window(image, tile.window), margins)
    weights = np.outer(_ramp(reach[0], reach[1], y0, y1, fade, height), _ramp(reach[2], reach[3], x0, x1, fade, width))
    weighted = (probability * weights).astype(np.float32)
    pieces = {}
    for r, c in around(grid, tile.index):
        oy0, oy1, ox0, ox1 = grid[r, c].core
        a, b = max(oy0, reach[0]), min(oy1, reach[1])
        p, q = max(ox0, reach[2]), min(ox1, reach[3])
        whole = np.zeros((max(0, b - a), max(0, q - p)), np.float32)
        if whole.size:
            whole = weighted[a - reach[0] : b - reach[0], p - reach[2] : q - reach[2]].copy()
        pieces[r, c] = _Placed(whole, a - oy0, p - ox0)
    return pieces  # type: ignore[return-value]


class _Placed:
    """A piece and where it goes in its tile."""

    __slots__ = ("values", "x", "y")

    def __init__(self, values: np.ndarray[Any, Any], y: int, x: int) -> None:
        self.values, self.y, self.x = values, y, x


def _ramp(start: int, stop: int, low: int, high: int, fade: int, size: int) -> np.ndarray[Any, Any]:
    """Return weights of the pixels start..stop of a window with core low..high along one axis."""
    centres = np.arange(start, stop) + 0.5
    weights = np.ones(stop - start)
    if fade and low > 0:
        weights = np.minimum(weights, np.clip((centres - (low - fade)) / (2 * fade), 0, 1))
    if fade and high < size:
        weights = np.minimum(weights, np.clip(((high + fade) - centres) / (2 * fade), 0, 1))
    return weights


def _pick(pieces: Any, index: tuple[int, int]) -> Any:
    return pieces[index]


def add_pieces(pieces: list[Any], tile: Tile) -> np.ndarray[Any, Any]:
    """Return the probability of a tile, float32 ``(Y, X)``: the sum of the pieces of all windows that reach it."""
    total = np.zeros(tile.core_shape, np.float32)
    for piece in pieces:
        height, width = piece.values.shape
        total[piece.y : piece.y + height, piece.x : piece.x + width] += piece.values
    return np.clip(total, 0.0, 1.0)
