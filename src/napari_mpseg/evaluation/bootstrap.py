"""How sure a metric is: confidence intervals by drawing the images again."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import SettingsError
from napari_mpseg.evaluation.aggregate import AGGREGATIONS, possible_metrics
from napari_mpseg.evaluation.metric import find_metric
from napari_mpseg.evaluation.metric_entry import Array, Evidences

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """A metric with its confidence interval.

    Attributes
    ----------
    value : float
        From the images as they are.
    low, high : float or None
        Percentile interval; None for fewer than two images, whose spread nobody knows.
    """

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Difference:
    """A metric of a second method minus that of a first on the same images.

    Attributes
    ----------
    value : float
    low, high : float or None
        Percentile interval; one that does not hold 0 says that the methods differ. None for fewer than two images.
    share_above : float or None
        Share of the samples in which the second is above the first (equal ones count half).
    """

    value: float
    low: float | None
    high: float | None
    share_above: float | None


def bootstrap(
    evidences: Evidences,
    names: Sequence[str] = (),
    how: str = "total",
    *,
    resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, Interval]:
    """Return metrics with percentile bootstrap confidence intervals over images (Efron and Tibshirani 1993).

    Every sample draws as many images as there are, with replacement; for ``"fold-mean"`` within each fold.

    Parameters
    ----------
    evidences, names, how
        As :func:`napari_mpseg.evaluation.aggregate.score`.
    resamples : int
        Number of samples.
    level : float
        Share of the samples inside the interval, above 0 and below 1.
    seed : int
        Equal seeds give equal intervals.

    Raises
    ------
    SettingsError
        If a setting makes no sense; and as :func:`~napari_mpseg.evaluation.aggregate.score`.
    """
    samples = _samples(evidences, how, resamples, level, seed)
    way, once = AGGREGATIONS[how], np.ones((1, len(evidences)))
    result = {}
    for name in names or possible_metrics(evidences):
        entry = find_metric(name)
        value = float(way.sampled(entry, evidences, once)[0])
        if samples is None:
            result[name] = Interval(value, None, None)
        else:
            result[name] = Interval(value, *_interval(way.sampled(entry, evidences, samples), level))
    return result


def bootstrap_difference(
    first: Evidences,
    second: Evidences,
    names: Sequence[str] = (),
    how: str = "total",
    *,
    resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, Difference]:
    """Return how much a second method differs from a first on the same images, drawn together (paired).

    Parameters
    ----------
    first, second : sequence of Evidence
        Of the same images, matched by group and name.
    names, how, resamples, level, seed
        As :func:`bootstrap`.

    Raises
    ------
    SettingsError
        If the images are not the same; and as :func:`bootstrap`.
    """
    second = _same_images(first, second)
    samples = _samples(first, how, resamples, level, seed)
    way, once = AGGREGATIONS[how], np.ones((1, len(first)))
    result = {}
    for name in names or [name for name in possible_metrics(first) if name in possible_metrics(second)]:
        entry = find_metric(name)
        value = float((way.sampled(entry, second, once) - way.sampled(entry, first, once))[0])
        if samples is None:
            result[name] = Difference(value, None, None, None)
        else:
            drawn = way.sampled(entry, second, samples) - way.sampled(entry, first, samples)
            above = float(np.mean(drawn > 0) + np.mean(drawn == 0) / 2)
            result[name] = Difference(value, *_interval(drawn, level), above)
    return result


def _same_images(first: Evidences, second: Evidences) -> Evidences:
    keys, others = ([(evidence.group, evidence.name) for evidence in side] for side in (first, second))
    if sorted(keys) != sorted(others):
        lone = sorted(set(keys) ^ set(others))
        raise SettingsError(
            "A paired difference needs the same images on both sides"
            + (f"; only one side has {', '.join('/'.join(filter(None, key)) for key in lone[:5])}." if lone else ".")
        )
    if len(set(keys)) < len(keys):
        raise SettingsError("A paired difference needs images of different names (or of different folds).")
    return [second[others.index(key)] for key in keys]


def _samples(evidences: Evidences, how: str, resamples: int, level: float, seed: int) -> Array | None:
    """Return how often each image is in each sample, ``(B, N)``; None for fewer than two images."""
    if resamples < 1:
        raise SettingsError(f"{resamples} samples make no interval: give 1 or more, 2000 as a rule.")
    if not 0 < level < 1:
        raise SettingsError(f"A confidence level of {level} is impossible: give a share such as 0.95.")
    if not len(evidences):
        raise SettingsError("Metrics need the evidence of one image or more; none was given.")
    if len(evidences) < 2:
        return None
    groups = np.asarray([evidence.group if AGGREGATIONS[how].by_group else "" for evidence in evidences])
    generator = np.random.default_rng(seed)
    weights = np.zeros((resamples, len(evidences)))
    for group in np.unique(groups):
        inside = np.flatnonzero(groups == group)
        weights[:, inside] = generator.multinomial(len(inside), np.full(len(inside), 1 / len(inside)), resamples)
    return weights


def _interval(drawn: Numbers, level: float) -> tuple[float, float]:
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
