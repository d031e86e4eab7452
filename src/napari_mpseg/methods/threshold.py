"""Global grey-level thresholds: one level for the whole image."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_mpseg.errors import SettingsError
from napari_mpseg.images.checks import check_image
from napari_mpseg.images.image import Image
from napari_mpseg.inference.predictor import Prepared
from napari_mpseg.methods.grey import GreyScale, grey_histogram
from napari_mpseg.progress import CancelToken, ProgressCallback, silent

Rule = Callable[[np.ndarray[Any, Any]], int]


@dataclass(frozen=True)
class LevelPredictor:
    """Probability 1 where the 8-bit grey value is above a level, else 0."""

    scale: GreyScale
    level: int
    halo: int = 0
    stride: int = 1
    exact: bool = True
    preferred_tile: int = 1024

    def predict(self, window: Any, margins: tuple[int, int, int, int] = (0, 0, 0, 0)) -> np.ndarray[Any, Any]:
        """Return 0 or 1 per pixel; see ``TilePredictor``."""
        top, bottom, left, right = margins
        grey = self.scale.apply(np.asarray(window)[top : window.shape[0] - bottom, left : window.shape[1] - right])
        return (grey > self.level).astype(np.float32)


class ThresholdMethod:
    """A global threshold as a method.

    Parameters
    ----------
    name : str
        Registered name.
    rule : callable or None
        Takes the 256-bin histogram of the 8-bit grey image and returns the level; pixels above it are particle.
    level : int or None
        A fixed level instead of a rule.
    """

    default_threshold = 0.5

    def __init__(self, name: str, rule: Rule | None = None, level: int | None = None) -> None:
        self.name = name
        self._rule = rule
        self._level = level

    def prepare(
        self, image: Image, *, on_progress: ProgressCallback = silent, cancel: CancelToken | None = None
    ) -> Prepared:
        """Take the image's histogram if the rule needs it; see ``Method.prepare``."""
        check_image(image)
        scale, histogram = grey_histogram(image, on_progress, cancel or CancelToken())
        if self._rule is None:
            assert self._level is not None
            return Prepared(image, LevelPredictor(scale, self._level))
        level = self._rule(histogram)
        note = f"{self.name} chose grey level {level} of 255; pixels above it are particle."
        return Prepared(image, LevelPredictor(scale, level), (note,))

    def describe(self) -> dict[str, Any]:
        """Return the fixed level, if any."""
        return {"level": self._level} if self._level is not None else {}


def automatic(rule: str = "max-entropy", device: str = "auto") -> ThresholdMethod:
    """Return an automatic threshold."""
    return ThresholdMethod(rule, max_entropy_level)


def fixed_level(level: int = 106, device: str = "auto") -> ThresholdMethod:
    """Return a fixed threshold on the 8-bit grey image.

    The default, 106, is the level that fits best three of the four groups of expert-labelled Nile-red patches this
    package is tested on.
    """
    if not 0 <= level <= 255:
        raise SettingsError(f"Grey level {level} is outside 0 to 255.")
    return ThresholdMethod("fixed-level", level=level)


def max_entropy_level(histogram: np.ndarray[Any, Any]) -> int:
    """Return the level at which the entropies of both sides add up to the most.

    Parameters
    ----------
    histogram : ndarray
        256 counts.

    Returns
    -------
    int
        The first such level; 255 (nothing is particle) if the image has a single grey value.

    References
    ----------
    Kapur, Sahoo and Wong 1985, doi:10.1016/0734-189X(85)90125-2.
    """
    total = histogram.sum()
    if not total or np.count_nonzero(histogram) < 2:
        return 255
    p = histogram / total
    below = np.cumsum(p)
    plogp = np.where(p > 0, p * np.log(np.where(p > 0, p, 1)), 0)
    sums = np.cumsum(plogp)
    above = 1 - below
    tiny = 1e-12
    levels = (below > tiny) & (above > tiny)
    with np.errstate(divide="ignore", invalid="ignore"):
        # H(p/P) = log P - sum(p log p)/P
        entropy = np.log(below) - sums / below + np.log(above) - (sums[-1] - sums) / above
    return int(np.argmax(np.where(levels, entropy, -np.inf)))
