"""A screen before a predictor that tells particles apart: whole windows are run or skipped."""

from typing import Any

import numpy as np

from napari_mpseg.inference.instance_predictor import InstancePredictor, WindowInstances
from napari_mpseg.inference.screening.cells import CELL
from napari_mpseg.inference.screening.predictor import Margins, ScreenedPredictor
from napari_mpseg.inference.screening.settings import ScreenSettings


class ScreenedInstances(ScreenedPredictor):
    """Finds nothing where the screen sees nothing, and else what another predictor finds in the whole window.

    Which particles there are can depend on all of a window, so no smaller part of it is computed alone.

    Parameters
    ----------
    predictor : InstancePredictor
    settings : ScreenSettings
    """

    def __init__(self, predictor: InstancePredictor, settings: ScreenSettings) -> None:
        super().__init__(predictor, settings)
        self.finder = predictor
        self.overlap = predictor.overlap

    def predict_instances(self, window: Any, margins: Margins, threshold: float) -> WindowInstances:
        """Return probability and instances of a window, its margins included; see ``InstancePredictor``."""
        pixels = np.asarray(window)
        height, width = pixels.shape[:2]
        top, bottom, left, right = margins
        size = (height - top - bottom) * (width - left - right)
        # what is compared with the neighbours counts, too
        top, bottom, left, right = (max(0, margin - self.overlap) for margin in margins)
        rows = slice(top // CELL, -(-(height - bottom) // CELL))
        columns = slice(left // CELL, -(-(width - right) // CELL))
        if self.cells(pixels)[rows, columns].any():
            self.tally.add(size, 0)
            return self.finder.predict_instances(pixels, margins, threshold)
        self.tally.add(size, size)
        return WindowInstances(np.zeros((height, width), np.float32), np.zeros((height, width), np.int32))
