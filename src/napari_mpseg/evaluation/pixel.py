"""Metrics over pixels, from the four counts of a confusion matrix.

Undefined cases. A metric whose denominator is zero is 1 where prediction and truth agree on every pixel and 0
where they do not: an empty prediction of an empty image is perfect, a particle predicted on an empty image is not. No
metric is ever NaN, so a mean over images stays a mean over all of them. Balanced accuracy averages over the classes
that the truth holds.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from napari_mpseg.evaluation.pairs import parts
from napari_mpseg.registry import Registry


@dataclass(frozen=True)
class PixelCounts:
    """How many pixels of each kind there are.

    Attributes
    ----------
    tp, fp, fn, tn : int
        Predicted and true; predicted but not true; true but not predicted; neither.
    """

    tp: int = 0
    fp: int = 0
    fn: int = 0
    tn: int = 0

    def __add__(self, other: "PixelCounts") -> "PixelCounts":
        """Return the counts of both taken together."""
        return PixelCounts(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn, self.tn + other.tn)

    @property
    def total(self) -> int:
        """Number of pixels."""
        return self.tp + self.fp + self.fn + self.tn

    def to_dict(self) -> dict[str, int]:
        """Return the counts by name."""
        return asdict(self)


PixelMetric = Callable[[PixelCounts], float]

PIXEL_METRICS: Registry[PixelMetric] = Registry("pixel metric")


def count_pixels(predicted: Any, truth: Any) -> PixelCounts:
    """Count right and wrong pixels, part by part.

    Parameters
    ----------
    predicted, truth : array
        ``(Y, X)`` labels or boolean masks of equal shape (numpy, dask or zarr); every value other than 0 is particle.

    Returns
    -------
    PixelCounts
        Over all pixels.

    Raises
    ------
    ImageError
        If the shapes differ (both are told), or an array is neither labels nor a mask.

    Examples
    --------
    >>> count_pixels(np.array([[0, 2, 2]]), np.array([[0, 1, 0]]))
    PixelCounts(tp=1, fp=1, fn=0, tn=1)
    """
    counts = PixelCounts()
    for left, right in parts(predicted, truth):
        found, real = left != 0, right != 0
        n_found, n_real = int(np.count_nonzero(found)), int(np.count_nonzero(real))
        both = int(np.count_nonzero(found & real))
        counts += PixelCounts(both, n_found - both, n_real - both, left.size - n_found - n_real + both)
    return counts


def ratio(numerator: float, denominator: float, perfect: bool) -> float:
    """Return a quotient; where it is undefined, 1 if nothing was wrong, else 0."""
    if denominator:
        return float(numerator / denominator)
    return 1.0 if perfect else 0.0


def _perfect(counts: PixelCounts) -> bool:
    return counts.fp == 0 and counts.fn == 0


@PIXEL_METRICS.register("precision")
def precision(counts: PixelCounts) -> float:
    """Share of the predicted pixels that are true: TP / (TP + FP)."""
    return ratio(counts.tp, counts.tp + counts.fp, _perfect(counts))


@PIXEL_METRICS.register("recall")
def recall(counts: PixelCounts) -> float:
    """Share of the true pixels that are predicted: TP / (TP + FN)."""
    return ratio(counts.tp, counts.tp + counts.fn, _perfect(counts))


def f_beta(counts: PixelCounts, beta: float) -> float:
    """Return van Rijsbergen's F: (1 + b^2) TP / ((1 + b^2) TP + b^2 FN + FP)."""
    weight = beta * beta
    hits = (1 + weight) * counts.tp
    return ratio(hits, hits + weight * counts.fn + counts.fp, _perfect(counts))


@PIXEL_METRICS.register("f1")
def f1(counts: PixelCounts) -> float:
    """Harmonic mean of precision and recall, the Dice coefficient: 2 TP / (2 TP + FP + FN)."""
    return f_beta(counts, 1.0)


@PIXEL_METRICS.register("f0.5")
def f_half(counts: PixelCounts) -> float:
    """F with precision weighted more than recall: b = 0.5."""
    return f_beta(counts, 0.5)


@PIXEL_METRICS.register("f2")
def f2(counts: PixelCounts) -> float:
    """F with recall weighted more than precision: b = 2."""
    return f_beta(counts, 2.0)


@PIXEL_METRICS.register("iou")
def iou(counts: PixelCounts) -> float:
    """Intersection over union, the Jaccard index: TP / (TP + FP + FN)."""
    return ratio(counts.tp, counts.tp + counts.fp + counts.fn, _perfect(counts))


@PIXEL_METRICS.register("balanced-accuracy")
def balanced_accuracy(counts: PixelCounts) -> float:
    """Mean of the share of particle pixels and the share of background pixels that are right."""
    shares = []
    if counts.tp + counts.fn:
        shares.append(counts.tp / (counts.tp + counts.fn))
    if counts.tn + counts.fp:
        shares.append(counts.tn / (counts.tn + counts.fp))
    return float(sum(shares) / len(shares)) if shares else 1.0
