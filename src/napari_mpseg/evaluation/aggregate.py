"""Metrics of several images, in one of the ways in which papers put them together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import SettingsError
from napari_mpseg.evaluation.metric import METRICS, MetricEntry, find_metric
from napari_mpseg.evaluation.metric_entry import Array, Evidences
from napari_mpseg.registry import Registry

Numbers = NDArray[np.float64]

PER_IMAGE = ("iou", "rw-miou")
"""Metrics that the papers take per image, the m of mIoU."""

TABLE_1 = ("balanced-accuracy", "precision", "recall", "iou", "f0.5", "f1", "f2")
"""Columns of Table 1 of Baek et al. 2021 (mAcc, P, R, mIoU, F0.5, F1, F2), to be put together by ``"folds"``."""


@dataclass(frozen=True)
class Aggregation:
    """A way of putting images together.

    Attributes
    ----------
    name, title : str
    definition : str
    sampled : callable
        ``(entry, evidences, weights) -> values``: of samples of the images, as
        :attr:`~napari_mpseg.evaluation.metric_entry.MetricEntry.weighted`.
    by_group : bool
        Whether images are to be drawn again within their folds.
    """

    name: str
    title: str
    definition: str
    sampled: Callable[[MetricEntry, Evidences, Array], Numbers]
    by_group: bool = False


AGGREGATIONS: Registry[Aggregation] = Registry("way of putting images together")


def _total(entry: MetricEntry, evidences: Evidences, weights: Array) -> Numbers:
    return entry.sampled(evidences, weights)


def _mean(entry: MetricEntry, evidences: Evidences, weights: Array) -> Numbers:
    return np.asarray(weights @ entry.each(evidences) / weights.sum(1))


def _folds(entry: MetricEntry, evidences: Evidences, weights: Array) -> Numbers:
    # the mean of counts over folds differs from their sum by a factor that no ratio of them feels
    return (_mean if entry.name in PER_IMAGE else _total)(entry, evidences, weights)


def _fold_mean(entry: MetricEntry, evidences: Evidences, weights: Array) -> Numbers:
    groups = np.asarray([evidence.group for evidence in evidences])
    values = []
    for group in np.unique(groups):
        inside = np.flatnonzero(groups == group).tolist()
        values.append(entry.sampled([evidences[i] for i in inside], weights[:, inside]))
    return np.asarray(np.mean(values, 0))


for _way in (
    Aggregation(
        "total",
        "total",
        "Counts of all images are added up, particles pooled, and the metric is taken once. Large images weigh more.",
        _total,
    ),
    Aggregation("mean", "mean over images", "The metric of every image by itself; the mean of these.", _mean),
    Aggregation(
        "folds",
        "averaged over folds",
        "TP, FP, FN and TN averaged over the folds first, the metric from these averages; IoU and rw-mIoU per image, "
        "averaged over all images (Baek et al. 2021, Table 1).",
        _folds,
    ),
    Aggregation(
        "fold-mean",
        "mean over folds",
        "The metric of every fold's images together; the mean over the folds (Lee and Jhang 2021).",
        _fold_mean,
        by_group=True,
    ),
):
    AGGREGATIONS.add(_way.name, _way)


def score(evidences: Evidences, names: Sequence[str] = (), how: str = "total") -> dict[str, float]:
    """Return metrics of several images.

    Parameters
    ----------
    evidences : sequence of Evidence
    names : sequence of str
        Metrics, with a parameter after a colon where wanted (``"particle-f1-iou:0.75"``); empty for all that the
        evidence allows.
    how : str
        Name in :data:`AGGREGATIONS`: ``"total"``, ``"mean"``, ``"folds"`` or ``"fold-mean"``.

    Returns
    -------
    dict of str to float
        By name as asked; never NaN.

    Raises
    ------
    UnknownNameError
        If a metric or way is not known.
    SettingsError
        Without any evidence, or if a parameter makes no sense.
    ImageError
        If a metric needs a probability that an image has not.
    """
    way = AGGREGATIONS[how]
    if not len(evidences):
        raise SettingsError("Metrics need the evidence of one image or more; none was given.")
    once = np.ones((1, len(evidences)))
    return {
        name: float(way.sampled(find_metric(name), evidences, once)[0]) for name in names or possible_metrics(evidences)
    }


def possible_metrics(evidences: Evidences) -> list[str]:
    """Return the names of all metrics that can be taken: those of probabilities only if every image has one."""
    graded = all(evidence.levels is not None for evidence in evidences)
    return [name for name, entry in METRICS.items() if graded or not entry.needs_probability]
