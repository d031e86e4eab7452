"""Which particles were found, and which predicted ones are none."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import ImageError, SettingsError
from napari_mpseg.evaluation.label_sides import is_mask
from napari_mpseg.evaluation.pairs import checked_pair, parts_of
from napari_mpseg.registry import Registry


def ratio(numerator: float, denominator: float, perfect: bool) -> float:
    """Return a quotient."""
    if denominator:
        return float(numerator / denominator)
    return 1.0 if perfect else 0.0


Ids = NDArray[np.int64]

_LARGEST_LABEL = 2**26  # a table of areas up to it takes 512 MiB


@dataclass(frozen=True)
class Contingency:
    """How two labellings overlap: only pairs that share a pixel are kept.

    Attributes
    ----------
    predicted, truth, pixels : ndarray of int64
        Label, label and number of common pixels of each overlapping pair.
    predicted_area, truth_area : ndarray of int64
        Pixels per label; index 0 is background.
    """

    predicted: Ids
    truth: Ids
    pixels: Ids
    predicted_area: Ids
    truth_area: Ids


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
        Truth labels found and missed, predicted labels that are false; for boolean input, labels as
        ``scipy.ndimage.label`` numbers them (8-connected).
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
        return ratio(self.found, self.n_truth, self.n_predicted == 0)

    @property
    def precision(self) -> float:
        """Share of the predicted particles that are true; 1 where there is neither truth nor prediction."""
        return ratio(self.correct, self.n_predicted, self.n_truth == 0)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return ratio(2 * self.precision * self.recall, self.precision + self.recall, False)


def _as_labels(array: Any) -> Any:
    """Return labels as they are; a mask is labelled, 8-connected, in memory."""
    if not is_mask(array):
        return array
    from scipy import ndimage

    return ndimage.label(np.asarray(array) != 0, np.ones((3, 3)), output=np.int32)[0]


def _add(total: Ids, part: Ids) -> Ids:
    if len(part) > len(total):
        total, part = part.copy(), total
    total[: len(part)] += part
    return total


def _areas(labels: NDArray[Any], name: str) -> Ids:
    if labels.size and (int(labels.min()) < 0 or int(labels.max()) > _LARGEST_LABEL):
        raise ImageError(
            f"The {name}'s labels go from {int(labels.min())} to {int(labels.max())}: number particles from 1, without "
            f"negative numbers or gaps (at most {_LARGEST_LABEL})."
        )
    return np.bincount(labels.ravel().astype(np.int64, copy=False)).astype(np.int64)


def contingency(predicted: Any, truth: Any) -> Contingency:
    """Count the common pixels of all overlapping pairs of labels, part by part.

    Parameters
    ----------
    predicted, truth : array
        ``(Y, X)`` labels, not negative, of equal shape.

    Raises
    ------
    ImageError
        If the shapes differ or an array holds no labels.
    """
    predicted_area, truth_area = np.zeros(1, np.int64), np.zeros(1, np.int64)
    keys, counts = [], []
    for part in parts_of(predicted, truth):
        left, right = np.asarray(predicted[part.slices]), np.asarray(truth[part.slices])
        predicted_area = _add(predicted_area, _areas(left, "prediction"))
        truth_area = _add(truth_area, _areas(right, "truth"))
        both = (left != 0) & (right != 0)
        key = left[both].astype(np.int64) << 32 | right[both].astype(np.int64)
        unique, count = np.unique(key, return_counts=True)
        keys.append(unique)
        counts.append(count)
    pairs, where = np.unique(np.concatenate(keys or [np.zeros(0, np.int64)]), return_inverse=True)
    pixels = np.zeros(len(pairs), np.int64)
    np.add.at(pixels, where, np.concatenate(counts or [np.zeros(0, np.int64)]))
    return Contingency(pairs >> 32, pairs & 0xFFFFFFFF, pixels, predicted_area, truth_area)


Criterion = Callable[[Contingency, float], NDArray[np.bool_]]

CRITERIA: Registry[Criterion] = Registry("match criterion")


@CRITERIA.register("overlap")
def by_overlap(table: Contingency, threshold: float) -> NDArray[np.bool_]:
    """Accept every pair that shares a pixel: the question is whether an analyst's eye is led to the particle."""
    return np.ones(len(table.pixels), bool)


@CRITERIA.register("iou")
def by_iou(table: Contingency, threshold: float) -> NDArray[np.bool_]:
    """Accept pairs whose intersection over union reaches the threshold, best first, each particle once."""
    union = table.predicted_area[table.predicted] + table.truth_area[table.truth] - table.pixels
    overlap = table.pixels / union
    accepted = np.zeros(len(overlap), bool)
    used_predicted: set[int] = set()
    used_truth: set[int] = set()
    candidates = np.flatnonzero(overlap >= threshold)
    for index in candidates[np.argsort(-overlap[candidates], kind="stable")].tolist():
        pair = int(table.predicted[index]), int(table.truth[index])
        if pair[0] not in used_predicted and pair[1] not in used_truth:
            accepted[index] = True
            used_predicted.add(pair[0])
            used_truth.add(pair[1])
    return accepted


def match_particles(
    predicted_labels: Any,
    truth_labels: Any,
    min_size: int = 3,
    criterion: str = "overlap",
    threshold: float = 0.5,
) -> ParticleMatch:
    """Tell which true particles were found and which predicted ones are false.

    A true particle is found if a predicted particle overlaps it in at least one pixel (``"overlap"``), or if one
    reaches an intersection over union of `threshold` with it (``"iou"``). Predicted particles below
    `min_size` are as good as not predicted. True ones below `min_size` need not be found, and a predicted particle that
    matches only such is neither correct nor false. Without truth and prediction recall, precision and F1 are 1.

    Parameters
    ----------
    predicted_labels, truth_labels : array
        ``(Y, X)`` labels or masks of equal shape; numpy, dask or zarr. An array of one value beside 0 is a mask: its
        8-connected pieces are the particles, labelled in memory.
    min_size : int
        Least number of pixels of a particle that counts.
    criterion : str
        ``"overlap"`` or ``"iou"``.
    threshold : float
        Least intersection over union, above 0 to 1; pairs are unambiguous above 0.5.

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
    if not 0 < threshold <= 1:
        raise SettingsError(f"IoU threshold {threshold!r} is impossible: give a number above 0 and up to 1.")
    if min_size < 1:
        raise SettingsError(f"min_size {min_size!r} is impossible: give at least 1 pixel.")
    accept = CRITERIA[criterion]
    checked_pair(predicted_labels, truth_labels)
    table = contingency(_as_labels(predicted_labels), _as_labels(truth_labels))
    return _matched(table, accept, threshold, min_size, criterion)


def _matched(table: Contingency, accept: Criterion, threshold: float, min_size: int, criterion: str) -> ParticleMatch:
    keep = table.predicted_area[table.predicted] >= min_size
    table = Contingency(
        table.predicted[keep], table.truth[keep], table.pixels[keep], table.predicted_area, table.truth_area
    )
    counted_truth, counted_predicted = table.truth_area >= min_size, table.predicted_area >= min_size
    counted_truth[0] = counted_predicted[0] = False
    accepted = accept(table, threshold)
    matters = counted_truth[table.truth]
    found = np.unique(table.truth[accepted & matters])
    correct = np.unique(table.predicted[accepted & matters])
    neutral = np.setdiff1d(table.predicted[accepted & ~matters], correct)
    counted_predicted[neutral] = False
    return ParticleMatch(
        n_truth=int(counted_truth.sum()),
        n_predicted=int(counted_predicted.sum()),
        found=len(found),
        correct=len(correct),
        criterion=criterion,
        found_labels=found,
        missed_labels=np.setdiff1d(np.flatnonzero(counted_truth), found),
        false_labels=np.setdiff1d(np.flatnonzero(counted_predicted), correct),
    )
