"""Pixels that are no numbers are no particle, whatever a network makes of the value they are shown as."""

from typing import Any

import numpy as np

from napari_mpseg.inference.predictor import TilePredictor

Array = np.ndarray[Any, Any]
Margins = tuple[int, int, int, int]


class GapPredictor:
    """Gives probability 0 to pixels of which a channel is NaN or infinite, and else what another predictor gives.

    Parameters
    ----------
    predictor : TilePredictor
    """

    def __init__(self, predictor: TilePredictor) -> None:
        self.predictor = predictor
        self.halo, self.stride, self.exact = predictor.halo, predictor.stride, predictor.exact
        self.preferred_tile = int(getattr(predictor, "preferred_tile", 512))
        self.workers = int(getattr(predictor, "workers", 1))
        self.runtime_name: str | None = getattr(predictor, "runtime_name", None)

    def predict(self, window: Any, margins: Margins = (0, 0, 0, 0)) -> Array:
        """Return the probability of a window less its margins, float32 ``(Y, X)``; see ``TilePredictor``."""
        pixels = np.asarray(window)
        top, bottom, left, right = margins
        known = np.isfinite(pixels[top : pixels.shape[0] - bottom, left : pixels.shape[1] - right])
        known = known.all(2) if known.ndim == 3 else known
        found: Array = np.where(known, np.asarray(self.predictor.predict(pixels, margins)), np.float32(0))
        return found
