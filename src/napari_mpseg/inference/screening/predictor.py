"""A predictor that asks a screen first and spares another one where nothing can be."""

from collections.abc import Callable
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
_NOTHING = np.zeros((0, 0), np.float32)


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
        self.runtime_name: str | None = getattr(predictor, "runtime_name", None)
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
        for (y0, y1, x0, x1), part in zip(boxes, self._parts(pixels, boxes), strict=True):
            place = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
            found[place] = part
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

    def _parts(self, pixels: Array, boxes: list[Box]) -> list[Array]:
        """Return the probability of rectangles, each from itself and its halo; those of one size are asked together."""
        alike: dict[tuple[tuple[int, int], Margins], list[tuple[int, Array]]] = {}
        for index, box in enumerate(boxes):
            part, margins = _with_halo(pixels, box, self.halo, self.stride)
            alike.setdefault((part.shape[:2], margins), []).append((index, part))
        many: Callable[[list[Array], Margins], list[Array]] = getattr(self.predictor, "predict_many", self._one_by_one)
        found: list[Array] = [_NOTHING] * len(boxes)
        for (_, margins), parts in alike.items():
            answers = many([part for _, part in parts], margins)
            for (index, _), answer in zip(parts, answers, strict=True):
                found[index] = np.asarray(answer, dtype=np.float32)
        return found

    def _one_by_one(self, parts: list[Array], margins: Margins) -> list[Array]:
        return [self.predictor.predict(part, margins) for part in parts]


def _with_halo(pixels: Array, box: Box, halo: int, stride: int) -> tuple[Array, Margins]:
    """Return a rectangle with what is around it, on the stride and inside the window, and its margins."""
    (y0, y1, top, bottom), (x0, x1, left, right) = (
        _span(box[axis * 2], box[axis * 2 + 1], pixels.shape[axis], halo, stride) for axis in (0, 1)
    )
    return np.ascontiguousarray(pixels[y0:y1, x0:x1]), (top, bottom, left, right)


def _span(start: int, stop: int, size: int, halo: int, stride: int) -> Box:
    """Return from where to where a part is read, on the stride and inside the window, and its margins."""
    low = max(0, (start - halo) // stride * stride)
    high = min(size, -(-(stop + halo) // stride) * stride)
    return low, high, start - low, high - stop
