"""Look at a few places in full, to tell where a screen does not suit an image."""

from typing import Any

import numpy as np

from napari_mpseg.inference.grid import TileGrid
from napari_mpseg.inference.predictor import Prepared
from napari_mpseg.inference.screening.cells import CELL
from napari_mpseg.inference.screening.predictor import ScreenedPredictor
from napari_mpseg.inference.windows import read_window
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback

Array = np.ndarray[Any, Any]
_SIDE = 256
_PARTICLE = 0.5


def lost_at_places(
    prepared: Prepared, screen: ScreenedPredictor, on_progress: ProgressCallback, cancel: CancelToken
) -> tuple[int, int, int]:
    """Compare the predictor alone with what its screen would let it see, at places spread over the image.

    On a filter with few particles most places hold none, and the comparison tells nothing. It is meant for images that
    are full of particles: there these are part of what the screen takes for background.

    Parameters
    ----------
    prepared : Prepared
        Without the screen.
    screen : ScreenedPredictor
        It tells, too, at how many places.

    Returns
    -------
    places, lost, particle : int
        At how many places something was lost; pixels of a probability above 0.5 that would be skipped, and all.

    Raises
    ------
    ImageError
        If the image cannot be read.
    Cancelled
        If `cancel` was set.
    """
    grid = TileGrid(prepared.image.shape, _SIDE, prepared.predictor.halo, prepared.predictor.stride)
    count = min(screen.settings.check, len(grid))
    places = lost = particle = 0
    for done in range(count):
        cancel.check()
        # evenly along the rows of tiles, as lines of text are read
        tile = grid[divmod((2 * done + 1) * len(grid) // (2 * count), grid.counts[1])]
        window = read_window(prepared.image, tile.window)
        seen = np.asarray(prepared.predictor.predict(window, tile.margins)) > _PARTICLE
        skipped = seen & ~_in_pixels(screen.cells(window), window.shape)[_core(tile.margins, window.shape)]
        lost, particle = lost + int(skipped.sum()), particle + int(seen.sum())
        places += bool(skipped.any())
        on_progress(Progress("Checking what is skipped", done + 1, count, "places"))
    return places, lost, particle


def _in_pixels(cells: Array, shape: tuple[int, ...]) -> Array:
    return cells.repeat(CELL, 0).repeat(CELL, 1)[: shape[0], : shape[1]]


def _core(margins: tuple[int, int, int, int], shape: tuple[int, ...]) -> tuple[slice, slice]:
    top, bottom, left, right = margins
    return slice(top, shape[0] - bottom), slice(left, shape[1] - right)
