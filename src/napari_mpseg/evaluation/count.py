"""How far the number of particles is off."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.evaluation.metric_entry import Array, Evidences, MetricEntry

_LIMIT = 1.96  # standard deviations to either side that hold 95 % of normal differences


@dataclass(frozen=True, eq=False)
class BlandAltman:
    """Agreement of two ways of counting.

    Attributes
    ----------
    names : tuple of str
        Of the images.
    means, differences : ndarray of float64
        ``(N,)``: mean of predicted and true count, and predicted minus true.
    bias : float
        Mean difference.
    deviation : float
        Standard deviation of the differences (n - 1); 0 for one image.
    lower, upper : float
        Limits of agreement: bias - and + 1.96 standard deviations.
    """

    names: tuple[str, ...]
    means: NDArray[np.float64]
    differences: NDArray[np.float64]
    bias: float
    deviation: float
    lower: float
    upper: float


def bland_altman(evidences: Evidences) -> BlandAltman:
    """Return what a Bland-Altman picture of the particle counts shows (Bland and Altman 1986).

    Raises
    ------
    SettingsError
        Without any evidence.
    """
    bias, lower, upper = (entry.of(evidences) for entry in (COUNT_BIAS, LOWER_LIMIT, UPPER_LIMIT))
    counts = _counts(evidences)
    differences = counts[:, 1] - counts[:, 0]
    return BlandAltman(
        tuple(evidence.name for evidence in evidences),
        counts.mean(1),
        differences,
        bias,
        (upper - lower) / (2 * _LIMIT),
        lower,
        upper,
    )


def _counts(evidences: Evidences) -> NDArray[np.float64]:
    """Return true and predicted particles of each image, ``(N, 2)``."""
    return np.asarray([(e.n_truth, e.n_predicted) for e in evidences], np.float64).reshape(-1, 2)


def _moments(evidences: Evidences, weights: Array) -> tuple[Array, Array, Array, Array]:
    """Return the number of images and the means of the difference, its size and its square, per sample."""
    truth, predicted = _counts(evidences).T
    off = predicted - truth
    number = weights.sum(1)
    sums = weights @ np.stack([off, np.abs(off), off * off], 1)
    mean, size, square = (sums / np.maximum(number, 1)[:, None]).T
    return number, mean, size, square


def _deviation(number: Array, mean: Array, square: Array) -> Array:
    spread = np.maximum(square - mean * mean, 0) * number / np.maximum(number - 1, 1)
    return np.asarray(np.sqrt(spread))


def _entry(
    name: str,
    title: str,
    definition: str,
    better: str,
    source: str,
    formula: Callable[[Array, Array, Array, Array], Array],
) -> MetricEntry:
    def weighted(evidences: Evidences, weights: Array) -> Array:
        return formula(*_moments(evidences, weights))

    undefined = "Always defined; an image without particles has the count 0."
    if "limit" in name:
        undefined = "For one image the difference itself."
    return MetricEntry(name, title, "count", definition, undefined, better, weighted, source)


COUNT_BIAS = _entry(
    "count-bias",
    "count bias",
    "Mean over images of predicted minus true particles.",
    "zero",
    "Bland and Altman 1986",
    lambda number, mean, size, square: mean,
)
LOWER_LIMIT = _entry(
    "count-limit-lower",
    "lower limit of agreement",
    "Count bias - 1.96 standard deviations (n - 1) of the differences.",
    "zero",
    "Bland and Altman 1986",
    lambda number, mean, size, square: mean - _LIMIT * _deviation(number, mean, square),
)
UPPER_LIMIT = _entry(
    "count-limit-upper",
    "upper limit of agreement",
    "Count bias + 1.96 standard deviations (n - 1) of the differences.",
    "zero",
    "Bland and Altman 1986",
    lambda number, mean, size, square: mean + _LIMIT * _deviation(number, mean, square),
)

COUNT_ENTRIES = (
    _entry(
        "count-mae",
        "count MAE",
        "Mean over images of the absolute difference of predicted and true particles.",
        "lower",
        "Lee et al. 2022",
        lambda number, mean, size, square: size,
    ),
    _entry(
        "count-mse",
        "count MSE",
        "Mean over images of the squared difference of predicted and true particles.",
        "lower",
        "Lee et al. 2022",
        lambda number, mean, size, square: square,
    ),
    _entry(
        "count-rmse",
        "count RMSE",
        "Square root of the count MSE.",
        "lower",
        "Lee et al. 2022",
        lambda number, mean, size, square: np.sqrt(square),
    ),
    COUNT_BIAS,
    LOWER_LIMIT,
    UPPER_LIMIT,
)
