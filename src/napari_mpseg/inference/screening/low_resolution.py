"""Where the network itself sees something on a small version of the window."""

from typing import Any

import numpy as np

from napari_mpseg.inference.grid import round_up
from napari_mpseg.inference.predictor import TilePredictor
from napari_mpseg.inference.screening.cells import CELL, as_channels, cell_count, extremes

Array = np.ndarray[Any, Any]
FACTOR = 4
"""How many times smaller the network sees the window: a sixteenth of the pixels."""


def seen_when_small(
    window: Any, predictor: TilePredictor, limit: float, *, bright: bool = True, dark: bool = True
) -> Array:
    """Return in which cells the network gives more than `limit` to the window shrunk four times.

    A block of 4 x 4 px becomes its brightest value (for dark particles its darkest). Its mean would not do: a
    particle of three or four pixels is gone in it.

    Parameters
    ----------
    window : ndarray
        ``(Y, X)`` or ``(Y, X, C)``.
    predictor : TilePredictor
        The network, as made ready for the whole image.
    limit : float
        Probability, 0 to 1.
    bright, dark : bool
        Which kinds of particles there may be; with both the network is asked twice.

    Returns
    -------
    ndarray of bool
        One value per cell of 8 x 8 px, ``(ceil(Y / 8), ceil(X / 8))``.
    """
    pixels = as_channels(window)
    rows, cols = (cell_count(size) for size in pixels.shape[:2])
    multiple = np.lcm(FACTOR * predictor.stride, CELL)
    height, width = (round_up(size, int(multiple)) for size in pixels.shape[:2])
    below, right = height - pixels.shape[0], width - pixels.shape[1]
    pixels = np.pad(pixels, ((0, below), (0, right), (0, 0)), mode="edge")
    found = np.zeros((height // CELL, width // CELL), bool)
    for wanted in (True,) * bright + (False,) * dark:
        small = extremes(pixels, FACTOR, bright=wanted)
        answer = np.asarray(predictor.predict(small[..., 0] if np.ndim(window) == 2 else small))
        found |= extremes(answer[..., None], CELL // FACTOR, bright=True)[..., 0] > limit
    return found[:rows, :cols]
