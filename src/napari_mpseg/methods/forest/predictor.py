"""A forest made ready to predict windows."""

from typing import Any

import numpy as np

from napari_mpseg.images.scaling import Scaling
from napari_mpseg.methods.forest.features import compute_features, feature_halo
from napari_mpseg.methods.forest.forest import Forest

_BAND = 128  # rows whose features are held at once


class ForestPredictor:
    """Turns windows of pixels into probabilities with a forest; exact, and safe to use from several threads.

    Parameters
    ----------
    forest : Forest
    scaling : Scaling
        Brings pixels to the range the forest was trained at.
    """

    stride = 1
    exact = True
    preferred_tile = 1024

    def __init__(self, forest: Forest, scaling: Scaling) -> None:
        self.forest = forest
        self.scaling = scaling
        self.halo = feature_halo(forest.card.settings)

    def predict(self, window: Any, margins: tuple[int, int, int, int] = (0, 0, 0, 0)) -> np.ndarray[Any, Any]:
        """Return the probability of a window less its margins, float32 ``(Y, X)``; see ``TilePredictor``.

        It is 0 where a channel is no number or infinite.
        """
        given = np.asarray(window)
        pixels = self.scaling.apply(given)
        top, bottom, left, right = margins
        height, width = pixels.shape[:2]
        found = np.empty((height - top - bottom, width - left - right), np.float32)
        for start in range(0, len(found), _BAND):
            stop = min(start + _BAND, len(found))
            first, last = max(0, top + start - self.halo), min(height, top + stop + self.halo)
            around = (top + start - first, last - top - stop, left, right)
            planes = compute_features(pixels[first:last], self.forest.card.settings, around)
            found[start:stop] = self.forest.trees.probability(planes)
        if given.dtype.kind == "f":
            known = np.isfinite(given[top : height - bottom, left : width - right])
            found[~(known if known.ndim == 2 else known.all(2))] = 0
        return found
