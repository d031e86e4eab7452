"""A mask as a method: what is not 0 is particle. Labels masks of any size, tile by tile, through the front door."""

from dataclasses import replace
from typing import Any

import numpy as np

from napari_mpseg.images.image import Image
from napari_mpseg.inference.predictor import Prepared
from napari_mpseg.progress import CancelToken, ProgressCallback, silent
from napari_mpseg.results.result import Result


class MaskPredictor:
    """Probability 1 where a pixel is not 0 in any channel, else 0; see ``TilePredictor``."""

    halo = 0
    stride = 1
    exact = True
    preferred_tile = 1024

    def predict(self, window: Any, margins: tuple[int, int, int, int] = (0, 0, 0, 0)) -> np.ndarray[Any, Any]:
        """Return 0 or 1 per pixel, float32 ``(Y, X)``."""
        top, bottom, left, right = margins
        inside = np.asarray(window)[top : window.shape[0] - bottom, left : window.shape[1] - right] != 0
        return np.asarray(inside.any(2) if inside.ndim == 3 else inside, np.float32)


class MaskMethod:
    """The method that takes the image for the mask it is."""

    name = "mask"
    default_threshold = 0.5

    def prepare(self, image: Image, *, on_progress: ProgressCallback, cancel: CancelToken) -> Prepared:
        """Return the predictor; nothing has to be looked at."""
        return Prepared(image, MaskPredictor())

    def describe(self) -> dict[str, Any]:
        """Return no settings."""
        return {}


def label_pieces(mask: Image, on_progress: ProgressCallback = silent, cancel: CancelToken | None = None) -> Result:
    """Give every connected piece (8 neighbours) of a mask a label of its own, in a temporary store.

    Parameters
    ----------
    mask : Image
        ``(Y, X)`` or ``(Y, X, C)``, boolean or numbers; what is not 0 is particle.
    on_progress, cancel
        See :mod:`napari_mpseg.progress`.

    Returns
    -------
    Result
        Not measured.
    """
    from napari_mpseg.pipeline import segment

    numbers = replace(mask, data=(mask.data != 0).astype(np.uint8))
    return segment(numbers, MaskMethod(), min_size=0, measure=False, on_progress=on_progress, cancel=cancel)
