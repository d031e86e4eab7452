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

from napari_mpseg.evaluation.metric_entry import Array, Evidences, MetricEntry, ratio
from napari_mpseg.evaluation.pairs import checked_pair, parts_of


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
    checked_pair(predicted, truth)
    counts = PixelCounts()
    for part in parts_of(predicted, truth):
        counts += counted(np.asarray(predicted[part.slices]) != 0, np.asarray(truth[part.slices]) != 0)
    return counts


def counted(found: "Array", real: "Array") -> PixelCounts:
    """Count the pixels of two boolean arrays in memory."""
    n_found, n_real = int(np.count_nonzero(found)), int(np.count_nonzero(real))
    both = int(np.count_nonzero(found & real))
    return PixelCounts(both, n_found - both, n_real - both, found.size - n_found - n_real + both)


# Each formula takes arrays of tp, fp, fn, tn and returns an array: one value per resample.


def precision(tp: Array, fp: Array, fn: Array, tn: Array) -> Array:
    """TP / (TP + FP)."""
    return ratio(tp, tp + fp, fp + fn == 0)


def recall(tp: Array, fp: Array, fn: Array, tn: Array) -> Array:
    """TP / (TP + FN)."""
    return ratio(tp, tp + fn, fp + fn == 0)


def specificity(tp: Array, fp: Array, fn: Array, tn: Array) -> Array:
    """TN / (TN + FP)."""
    return ratio(tn, tn + fp, fp + fn == 0)


def f_beta(beta: float) -> Callable[[Array, Array, Array, Array], Array]:
    """Return van Rijsbergen's F: (1 + b^2) TP / ((1 + b^2) TP + b^2 FN + FP)."""
    weight = beta * beta

    def formula(tp: Array, fp: Array, fn: Array, tn: Array) -> Array:
        hits = (1 + weight) * tp
        return ratio(hits, hits + weight * fn + fp, fp + fn == 0)

    return formula


def iou(tp: Array, fp: Array, fn: Array, tn: Array) -> Array:
    """TP / (TP + FP + FN)."""
    return ratio(tp, tp + fp + fn, fp + fn == 0)


def balanced_accuracy(tp: Array, fp: Array, fn: Array, tn: Array) -> Array:
    """Mean of recall and specificity, over the classes that the truth holds."""
    particle, background = tp + fn > 0, tn + fp > 0
    sum_of_shares = particle * recall(tp, fp, fn, tn) + background * specificity(tp, fp, fn, tn)
    return ratio(sum_of_shares, particle.astype(float) + background, True)


def recall_weighted(formula: Callable[..., Array]) -> Callable[..., Array]:
    """Return a formula times recall."""
    return lambda *counts: formula(*counts) * recall(*counts)


def _entry(name: str, title: str, definition: str, source: str, formula: Callable[..., Array]) -> MetricEntry:
    def weighted(evidences: Evidences, weights: Array) -> Array:
        counts = [(e.pixels.tp, e.pixels.fp, e.pixels.fn, e.pixels.tn) for e in evidences]
        return formula(*(weights @ np.asarray(counts, np.float64).reshape(-1, 4)).T)

    undefined = (
        "Without background in truth recall alone, without particles specificity alone; 1 without pixels."
        if name == "balanced-accuracy"
        else "Where the denominator is 0: 1 if no pixel is wrong, else 0."
    )
    return MetricEntry(name, title, "pixel", definition, undefined, "higher", weighted, source)


_RIJSBERGEN = "van Rijsbergen 1979, Information Retrieval"
_LEE = "Lee and Jhang 2021"

PIXEL_ENTRIES = (
    _entry(
        "balanced-accuracy",
        "balanced accuracy",
        "Mean of recall and specificity: (TP / (TP + FN) + TN / (TN + FP)) / 2.",
        "Baek et al. 2021",
        balanced_accuracy,
    ),
    _entry(
        "precision",
        "precision",
        "Share of the predicted pixels that are true: TP / (TP + FP).",
        _RIJSBERGEN,
        precision,
    ),
    _entry("recall", "recall", "Share of the true pixels that are predicted: TP / (TP + FN).", _RIJSBERGEN, recall),
    _entry(
        "specificity",
        "specificity",
        "Share of the true background that is predicted as such: TN / (TN + FP).",
        "Yerushalmy 1947",
        specificity,
    ),
    _entry(
        "f0.5",
        "F0.5",
        "F with precision weighted more than recall: 1.25 TP / (1.25 TP + 0.25 FN + FP).",
        _RIJSBERGEN,
        f_beta(0.5),
    ),
    _entry(
        "f1",
        "F1",
        "Harmonic mean of precision and recall: 2 TP / (2 TP + FP + FN).",
        _RIJSBERGEN,
        f_beta(1.0),
    ),
    _entry(
        "f2",
        "F2",
        "F with recall weighted more than precision: 5 TP / (5 TP + 4 FN + FP).",
        _RIJSBERGEN,
        f_beta(2.0),
    ),
    _entry("iou", "IoU", "Intersection over union: TP / (TP + FP + FN).", "Jaccard 1901", iou),
    _entry(
        "dice",
        "Dice",
        "Twice the intersection over the sum of both areas: 2 TP / (2 TP + FP + FN). The same number as F1.",
        "Dice 1945; Lee et al. 2022",
        f_beta(1.0),
    ),
    _entry("rw-f1", "rw-F1", "Recall-weighted F1: F1 x recall.", _LEE, recall_weighted(f_beta(1.0))),
    _entry("rw-miou", "rw-mIoU", "Recall-weighted intersection over union: IoU x recall.", _LEE, recall_weighted(iou)),
)
