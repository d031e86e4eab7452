"""A predictor that looks at the image smaller or larger than it is."""

import math
from typing import Any

import numpy as np

from napari_mpseg.images.resampling import enlarged, shrunk
from napari_mpseg.inference.grid import round_up
from napari_mpseg.inference.predictor import TilePredictor

Array = np.ndarray[Any, Any]
Margins = tuple[int, int, int, int]
_LARGEST_TILE = 2560


class ShrunkPredictor:
    """Asks about blocks of ``factor`` x ``factor`` pixels as if each were one, and blends the answers between them.

    The blocks lie on the same grid in every window, so that the result depends on the tiling as little as without.

    Parameters
    ----------
    predictor : TilePredictor
    factor : int
        2 or more.
    """

    def __init__(self, predictor: TilePredictor, factor: int) -> None:
        self.predictor, self.factor = predictor, factor
        self.stride, self.exact = predictor.stride * factor, predictor.exact
        self.halo = (predictor.halo + 1) * factor
        inner = int(getattr(predictor, "preferred_tile", 512))
        self.preferred_tile = min(round_up(inner * factor, self.stride), round_up(_LARGEST_TILE, self.stride))
        self.workers = int(getattr(predictor, "workers", 1))
        self.runtime_name: str | None = getattr(predictor, "runtime_name", None)

    def predict(self, window: Any, margins: Margins = (0, 0, 0, 0)) -> Array:
        """Return the probability of a window less its margins, float32 ``(Y, X)``; see ``TilePredictor``."""
        factor = self.factor
        small = shrunk(np.asarray(window), factor)
        # one block more than the core, because answers are blended with their neighbours'
        inner = tuple(max(0, margin // factor - 1) for margin in margins)
        answer = enlarged(self.predictor.predict(small, inner), factor)  # type: ignore[arg-type]
        top, bottom, left, right = (margin - kept * factor for margin, kept in zip(margins, inner, strict=True))
        return answer[top : answer.shape[0] - bottom, left : answer.shape[1] - right]


class EnlargedPredictor:
    """Asks about an image ``factor`` times as large, and averages the answers over each pixel.

    Parameters
    ----------
    predictor : TilePredictor
    factor : int
        2 or more.
    """

    def __init__(self, predictor: TilePredictor, factor: int) -> None:
        self.predictor, self.factor = predictor, factor
        self.stride = predictor.stride // math.gcd(predictor.stride, factor)
        self.exact = predictor.exact
        self.halo = -(-predictor.halo // factor) + 1
        inner = int(getattr(predictor, "preferred_tile", 512))
        self.preferred_tile = max(64, round_up(inner // factor, self.stride))
        self.workers = int(getattr(predictor, "workers", 1))
        self.runtime_name: str | None = getattr(predictor, "runtime_name", None)

    def predict(self, window: Any, margins: Margins = (0, 0, 0, 0)) -> Array:
        """Return the probability of a window less its margins, float32 ``(Y, X)``; see ``TilePredictor``."""
        large = enlarged(np.asarray(window), self.factor)
        top, bottom, left, right = (margin * self.factor for margin in margins)
        return shrunk(self.predictor.predict(large, (top, bottom, left, right)), self.factor)


def resampled(predictor: TilePredictor, factor: float) -> TilePredictor:
    """Return the predictor that sees the image by about `factor` smaller (above 1) or larger (below 1)."""
    smaller, larger = whole_factor(factor)
    if smaller > 1:
        return ShrunkPredictor(predictor, smaller)
    return EnlargedPredictor(predictor, larger) if larger > 1 else predictor


def whole_factor(factor: float) -> tuple[int, int]:
    """Return by which whole factors an image is shrunk and enlarged; one of them is 1."""
    if factor >= 1.5:
        return round(factor), 1
    return (1, round(1 / factor)) if factor <= 1 / 1.5 else (1, 1)
