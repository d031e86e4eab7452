"""Which particles were found, and which predicted ones are none."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.evaluation.evidence import Evidence, gather_evidence
from napari_mpseg.evaluation.matching import CRITERIA, Criterion
from napari_mpseg.evaluation.metric_entry import Array, Evidences, MetricEntry, ratio

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class ParticleMatch:
    """Found, missed and false particles.

    Attributes
    ----------
    n_truth, n_predicted : int
        Particles that count (see :func:`match_particles`).
    found : int
        True particles that were found.
    correct : int
        Predicted particles that stand for a true one.
    criterion : str
        What "found" means.
    found_labels, missed_labels, false_labels : ndarray of int64
        Truth labels found and missed, predicted labels that are false; for a mask, its 8-connected pieces are numbered
        in raster order.
    """

    n_truth: int
    n_predicted: int
    found: int
    correct: int
    criterion: str
    found_labels: Ids
    missed_labels: Ids
    false_labels: Ids

    @property
    def missed(self) -> int:
        """True particles that were not found."""
        return self.n_truth - self.found

    @property
    def false(self) -> int:
        """Predicted particles that are none."""
        return self.n_predicted - self.correct

    @property
    def recall(self) -> float:
        """Share of the true particles that were found; 1 where there is neither truth nor prediction."""
        return float(_recall(*self._counts))

    @property
    def precision(self) -> float:
        """Share of the predicted particles that are true; 1 where there is neither truth nor prediction."""
        return float(_precision(*self._counts))

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return float(_f1(*self._counts))

    @property
    def _counts(self) -> tuple[Array, ...]:
        return tuple(np.asarray([self.found, self.n_truth, self.correct, self.n_predicted]))


def match_particles(
    predicted_labels: Any,
    truth_labels: Any,
    min_size: int = 3,
    criterion: str = "overlap",
    threshold: float | None = None,
) -> ParticleMatch:
    """Tell which true particles were found and which predicted ones are false.

    A true particle is found if a predicted particle overlaps it in at least one pixel (``"overlap"``), if one
    reaches an intersection over union of `threshold` with it (``"iou"``), or if one's centroid is at most `threshold`
    pixels away (``"distance"``). Predicted particles below `min_size` are as good as not predicted. True ones
    below `min_size` need not be found, and a predicted particle that matches only such is neither correct nor false.
    Without truth and prediction recall, precision and F1 are 1.

    Parameters
    ----------
    predicted_labels, truth_labels : array
        ``(Y, X)`` labels or masks of equal shape; numpy, dask or zarr. An array of one value beside 0 is a mask: its
        8-connected pieces are the particles.
    min_size : int
        Least number of pixels of a particle that counts.
    criterion : str
        ``"overlap"``, ``"iou"`` or ``"distance"``.
    threshold : float, optional
        Least intersection over union, above 0 to 1, default 0.5 (pairs are unambiguous above 0.5); or the largest
        distance in pixels, default 3.

    Returns
    -------
    ParticleMatch
        Counts, and the labels behind them.

    Raises
    ------
    ImageError
        If the shapes differ or an array is neither labels nor a mask.
    SettingsError
        If the threshold or the size cannot be.
    UnknownNameError
        If the criterion is not known.
    """
    rule = CRITERIA[criterion]
    rule.checked(threshold)
    return matched(gather_evidence(predicted_labels, truth_labels, min_size=min_size), criterion, threshold)


def matched(evidence: Evidence, criterion: str = "overlap", threshold: float | None = None) -> ParticleMatch:
    """Return what :func:`match_particles` does, from evidence."""
    particles = evidence.particles
    matching = CRITERIA[criterion](particles, threshold)
    found, correct, neutral = matching.found, matching.correct, matching.neutral
    wrong = np.setdiff1d(np.arange(evidence.n_predicted), np.concatenate([correct, neutral]))
    missed = np.setdiff1d(np.arange(evidence.n_truth), found)
    return ParticleMatch(
        n_truth=evidence.n_truth,
        n_predicted=evidence.n_predicted - len(neutral),
        found=len(found),
        correct=len(correct),
        criterion=criterion,
        found_labels=particles.truth_labels[found],
        missed_labels=particles.truth_labels[missed],
        false_labels=particles.predicted_labels[wrong],
    )


# Each formula takes arrays: one value per resample.


def _recall(found: Array, n_truth: Array, correct: Array, n_predicted: Array) -> Array:
    return ratio(found, n_truth, n_predicted == 0)


def _precision(found: Array, n_truth: Array, correct: Array, n_predicted: Array) -> Array:
    return ratio(correct, n_predicted, n_truth == 0)


def _f1(*counts: Array) -> Array:
    recall, precision = _recall(*counts), _precision(*counts)
    return ratio(2 * precision * recall, precision + recall, False)


_FORMULAS: dict[str, tuple[str, Callable[..., Array]]] = {
    "precision": ("Share of the predicted particles that stand for a true one", _precision),
    "recall": ("Share of the true particles that were found", _recall),
    "f1": ("Harmonic mean of particle precision and recall", _f1),
}
_UNDEFINED = "1 with neither truth nor prediction; 0 if only one of them has particles."
_SOURCES = {
    "overlap": "napari-mpseg",
    "iou": "Kirillov et al. 2019 (recognition quality)",
    "distance": "Chenouard et al. 2014",
}


def particle_entry(kind: str, criterion: Criterion, value: float | None = None) -> MetricEntry:
    """Return the metric ``"precision"``, ``"recall"`` or ``"f1"`` of particles by a criterion of matching.

    Raises
    ------
    SettingsError
        If the criterion's parameter is out of range.
    """
    parameter = criterion.checked(value)
    words, formula = _FORMULAS[kind]

    def weighted(evidences: Evidences, weights: Array) -> Array:
        counts = [_counts_of(evidence, criterion, parameter) for evidence in evidences]
        return formula(*(weights @ np.asarray(counts, np.float64).reshape(-1, 4)).T)

    variant: Callable[[float], MetricEntry] | None = None
    name, title = f"particle-{kind}", f"particle {kind.upper() if kind == 'f1' else kind}"
    if criterion.name != "overlap":
        name, title = f"{name}-{criterion.name}", f"{title} ({criterion.title.format(value=parameter)})"

        def variant(other: float) -> MetricEntry:
            return particle_entry(kind, criterion, other)

    definition = f"{words}; two particles match if {criterion.definition.format(value=parameter)}."
    return MetricEntry(
        name, title, "particle", definition, _UNDEFINED, "higher", weighted, _SOURCES[criterion.name], variant=variant
    )


def _counts_of(evidence: Evidence, criterion: Criterion, value: float) -> tuple[int, int, int, int]:
    matching = criterion(evidence.particles, value)
    counted = evidence.n_predicted - len(matching.neutral)
    return len(matching.found), evidence.n_truth, len(matching.correct), counted


PARTICLE_ENTRIES = tuple(particle_entry(kind, criterion) for criterion in CRITERIA.values() for kind in _FORMULAS)
