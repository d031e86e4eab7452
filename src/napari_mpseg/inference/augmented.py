"""A predictor that averages its network's answers to several changed looks at every window."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mpseg.images.colour import change_colour, change_contrast
from napari_mpseg.images.image import Image
from napari_mpseg.images.region import read_region
from napari_mpseg.images.scaling import Scaling
from napari_mpseg.inference.augmentation import Variant
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback

if TYPE_CHECKING:
    from napari_mpseg.inference.runtime import NetworkPredictor

Array = np.ndarray[Any, Any]
Margins = tuple[int, int, int, int]
_BLOCK = 2048


class AugmentedPredictor:
    """Averages the probabilities of several variants; a ``TilePredictor`` like the one it asks.

    Each variant changes the window, which lies on the network's stride, and is changed back: flips and turns of a
    window are the same part of the flipped and turned image, so that the result depends on the tiling as little as
    without. Colour changes are the same numbers for every window.

    Parameters
    ----------
    predictor : NetworkPredictor
        It is asked once per variant.
    variants : sequence of Variant
    level : float
        Mean of the whole scaled image, about which contrast is changed; see :func:`mean_level`.
    cancel : CancelToken
        Looked at before each variant, so that cancelling takes no longer than without augmentation.
    """

    def __init__(
        self, predictor: "NetworkPredictor", variants: Sequence[Variant], level: float, cancel: CancelToken
    ) -> None:
        self.predictor = predictor
        self.variants = tuple(variants)
        self.level = level
        self.cancel = cancel
        self.halo, self.stride, self.exact = predictor.halo, predictor.stride, predictor.exact
        self.preferred_tile, self.workers = predictor.preferred_tile, predictor.workers
        self.runtime_name = predictor.runtime_name

    def predict(self, window: Any, margins: Margins = (0, 0, 0, 0)) -> Array:
        """Return the mean probability of a window less its margins, float32 ``(Y, X)``; see ``TilePredictor``."""
        pixels = self.predictor.scaled(window)
        total: Any = np.float32(0)
        for variant in self.variants:
            self.cancel.check()
            seen = turned(self._recoloured(pixels, variant), variant)
            answer = self.predictor.predict_scaled(seen, turned_margins(margins, variant))
            total = total + turned_back(answer, variant)
        mean: Array = total / np.float32(len(self.variants))
        return mean

    def _recoloured(self, pixels: Array, variant: Variant) -> Array:
        if variant.coloured:
            pixels = change_colour(pixels, variant.hue, variant.saturation)
        if variant.contrast != 1:
            pixels = change_contrast(pixels, variant.contrast, self.level)
        if variant.brightness != 1:
            pixels = pixels * np.float32(variant.brightness)
        # in training, augmented grey levels are cut to the same range
        return np.clip(pixels, 0, 1) if self.predictor.scaling.clip else pixels


def turned(values: Array, variant: Variant) -> Array:
    """Return ``(Y, X)`` or ``(Y, X, C)`` values turned, then mirrored."""
    values = np.rot90(values, variant.turns)
    return values[:, ::-1] if variant.mirrored else values


def turned_back(values: Array, variant: Variant) -> Array:
    """Undo :func:`turned` of an answer, ``(Y, X)`` or ``(outputs, Y, X)``."""
    return np.rot90(values[..., ::-1] if variant.mirrored else values, -variant.turns, axes=(-2, -1))


def turned_margins(margins: Margins, variant: Variant) -> Margins:
    """Return top, bottom, left and right of a turned window."""
    top, bottom, left, right = margins
    for _ in range(variant.turns % 4):
        top, bottom, left, right = right, left, top, bottom
    return (top, bottom, right, left) if variant.mirrored else (top, bottom, left, right)


def mean_level(image: Image, scaling: Scaling, on_progress: ProgressCallback, cancel: CancelToken) -> float:
    """Return the mean of all scaled pixels and channels of an image, read block by block.

    Raises
    ------
    ImageError
        If pixels cannot be read.
    Cancelled
        If `cancel` was set.
    """
    height, width = image.shape
    corners = [(y, x) for y in range(0, height, _BLOCK) for x in range(0, width, _BLOCK)]
    total, count = 0.0, 0
    for done, (y, x) in enumerate(corners, 1):
        cancel.check()
        pixels = scaling.apply(read_region(image, y, min(y + _BLOCK, height), x, min(x + _BLOCK, width)))
        total += float(pixels.sum(dtype=np.float64))
        count += pixels.size
        on_progress(Progress("Reading the mean level", done, len(corners), "blocks"))
    return total / max(count, 1)
