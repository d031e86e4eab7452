"""Metrics over all thresholds, from the counts of pixels by stored level of probability."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.evaluation.evidence import Evidence
from napari_mpseg.evaluation.metric_entry import Array, Evidences, MetricEntry, ratio
from napari_mpseg.evaluation.pixel import f_beta, precision, recall

Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Curve:
    """Precision and recall at every threshold.

    Attributes
    ----------
    levels : ndarray of int64
        ``(256,)``: 0 ... 255; at position k all pixels of a stored probability of k or more are particle.
    precision, recall, f1 : ndarray of float64
        ``(256,)``. Where nothing is predicted any more, precision is 1, as in scikit-learn's curves.
    average_precision : float
        Area under the curve, see ``METRICS["average-precision"]``.
    """

    levels: NDArray[np.int64]
    precision: Numbers
    recall: Numbers
    f1: Numbers
    average_precision: float


def counts_by_level(background: Array, particle: Array) -> tuple[Array, Array, Array, Array]:
    """Return TP, FP, FN and TN if all pixels of a level or more are particle.

    Parameters
    ----------
    background, particle : ndarray
        ``(..., 256)``: pixels of each in truth by level.
    """
    tp, fp = (np.cumsum(counts[..., ::-1], -1)[..., ::-1] for counts in (particle, background))
    return tp, fp, tp[..., :1] - tp, fp[..., :1] - fp


def precision_recall_curve(evidence: Evidence | Evidences) -> Curve:
    """Return the curve of one image, or of several together.

    Raises
    ------
    ImageError
        If an image was compared without its probability.
    SettingsError
        Without any evidence.
    """
    evidences = [evidence] if isinstance(evidence, Evidence) else list(evidence)
    area = AVERAGE_PRECISION.of(evidences)
    counts = counts_by_level(*_levels(evidences, np.ones((1, len(evidences))))[0])
    tp, fp, _, _ = counts
    return Curve(np.arange(256), ratio(tp, tp + fp, True), recall(*counts), f_beta(1.0)(*counts), area)


def _levels(evidences: Evidences, weights: Array) -> Numbers:
    """Return ``(B, 2, 256)``."""
    stored = [np.zeros((2, 256)) if evidence.levels is None else evidence.levels for evidence in evidences]
    return np.asarray(weights @ np.asarray(stored, np.float64).reshape(len(evidences), -1)).reshape(-1, 2, 256)


def _average_precision(background: Array, particle: Array) -> Array:
    counts = counts_by_level(background, particle)
    tp, fp, _, _ = counts
    total = tp[..., :1]
    area = (precision(*counts) * particle).sum(-1) / np.maximum(total[..., 0], 1)
    quiet = (tp[..., 1] == 0) & (fp[..., 1] == 0)
    return np.where(total[..., 0] > 0, area, np.where(quiet, 1.0, 0.0))


def _best_f1(background: Array, particle: Array) -> Array:
    # level 0 is never particle
    return np.asarray(f_beta(1.0)(*counts_by_level(background, particle))[..., 1:].max(-1))


def _entry(
    name: str, title: str, definition: str, undefined: str, source: str, formula: Callable[..., Array]
) -> MetricEntry:
    def weighted(evidences: Evidences, weights: Array) -> Array:
        levels = _levels(evidences, weights)
        return formula(levels[:, 0], levels[:, 1])

    return MetricEntry(
        name, title, "probability", definition, undefined, "higher", weighted, source, needs_probability=True
    )


AVERAGE_PRECISION = _entry(
    "average-precision",
    "average precision",
    "Area under the precision-recall curve of the pixels as a sum of steps, from the highest stored level of "
    "probability to the lowest: sum of (R_k - R_(k-1)) P_k, without interpolation.",
    "Without particles in truth: 1 if no pixel has a probability above 0, else 0. With a probability of 0 everywhere "
    "the share of true pixels.",
    "scikit-learn (average_precision_score)",
    _average_precision,
)

PROBABILITY_ENTRIES = (
    AVERAGE_PRECISION,
    _entry(
        "best-f1",
        "best F1",
        "Highest pixel F1 that any one threshold gives, over the 255 stored levels of probability; the threshold is "
        "the same for all images together.",
        "Without particles in truth: 1 if no pixel has the highest probability (one threshold finds nothing), else 0.",
        "Arbelaez et al. 2011 (optimal data set scale)",
        _best_f1,
    ),
)
