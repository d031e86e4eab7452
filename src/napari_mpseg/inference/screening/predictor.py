"""A predictor that asks a screen first and spares another one where nothing can be."""

from typing import Any

import numpy as np

from napari_mpseg.inference.grid import Box
from napari_mpseg.inference.predictor import TilePredictor
from napari_mpseg.inference.screening.boxes import boxes_around
from napari_mpseg.inference.screening.cells import CELL
from napari_mpseg.inference.screening.settings import ScreenSettings
from napari_mpseg.inference.screening.tally import Skipped
from napari_mpseg.inference.screening.ways import SCREENS

Array = np.ndarray[Any, Any]
Margins = tuple[int, int, int, int]


class ScreenedPredictor:
    """Gives probability 0 where the screen sees nothing, and else what another predictor gives.

    An exact predictor is run on small rectangles around what may be a particle, each with its halo: what is computed
    is what the whole window would have given there, but for rounding. A predictor that is not exact would see less
    than it does in a whole window, so whole windows are run or skipped. Picklable if the other predictor is, and as
    safe to use from several threads.

    Parameters
    ----------
    predictor : TilePredictor
    settings : ScreenSettings

    Attributes
    ----------
    tally : Skipped
        Counts what was skipped.
    """

    def __init__(self, predictor: TilePredictor, settings: ScreenSettings) -> None:
        self.predictor, self.settings, self.tally = predictor, settings, Skipped()
        self.halo, self.stride, self.exact = predictor.halo, predictor.stride, predictor.exact
        self.preferred_tile = int(getattr(predictor, "preferred_tile", 512))
        # a second tile is read and screened while the first one is computed
        self.workers = max(2, int(getattr(predictor, "workers", 1)))

    def predict(self, window: Any, margins: Margins = (0, 0, 0, 0)) -> Array:
        """Return the probability of a window less its margins, float32 ``(Y, X)``; see ``TilePredictor``."""
        pixels = np.asarray(window)
        top, bottom, left, right = margins
        inner = (top, pixels.shape[0] - bottom, left, pixels.shape[1] - right)
        boxes = self.boxes(pixels, inner)
        shape = inner[1] - inner[0], inner[3] - inner[2]
        size = shape[0] * shape[1]
        if boxes is None:
            self.tally.add(size, 0)
            return np.asarray(self.predictor.predict(pixels, margins), dtype=np.float32)
        found = np.zeros(shape, np.float32)
        computed = np.zeros(shape, bool)
        for box in boxes:
            y0, y1, x0, x1 = box
            place = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
            found[place] = self._part(pixels, box)
            computed[place] = True
        self.tally.add(size, size - int(np.count_nonzero(computed)))
        return found

    def boxes(self, pixels: Array, inner: Box) -> list[Box] | None:
        """Return which rectangles of `inner` are to be computed; None for all of it as one."""
        cells = self.cells(pixels)
        if self.exact:
            return boxes_around(cells, inner, self.halo, self.settings.block)
        y0, y1, x0, x1 = inner
        asked = cells[y0 // CELL : -(-y1 // CELL), x0 // CELL : -(-x1 // CELL)]
        return None if asked.any() else []

    def cells(self, pixels: Array) -> Array:
        """Return per cell of 8 x 8 px whether it is to be computed, bool ``(ceil(Y / 8), ceil(X / 8))``."""
        from scipy.ndimage import binary_dilation, binary_fill_holes

        found = SCREENS[self.settings.way].find(pixels, self.predictor, self.settings)
        if not found.any():
            return found
        steps = -(-self.settings.grow // CELL)
        if steps:
            side = 2 * steps + 1
            found = binary_dilation(found, np.ones((side, side), bool))
        # the inside of an even particle is as even as a background
        filled: Array = binary_fill_holes(found)
        return filled

    def _part(self, pixels: Array, box: Box) -> Array:
        """Return the probability of one rectangle, from it and its halo."""
        (y0, y1, above, below), (x0, x1, before, behind) = (
            _with_halo(box[axis * 2], box[axis * 2 + 1], pixels.shape[axis], self.halo, self.stride) for axis in (0, 1)
        )
        part = np.ascontiguousarray(pixels[y0:y1, x0:x1])
        return np.asarray(self.predictor.predict(part, (above, below, before, behind)), dtype=np.float32)


def _with_halo(start: int, stop: int, size: int, halo: int, stride: int) -> Box:
    """Return from where to where a part is read, on the stride and inside the window, and its margins."""
    low = max(0, (start - halo) // stride * stride)
    high = min(size, -(-(stop + halo) // stride) * stride)
    return low, high, start - low, high - stop
