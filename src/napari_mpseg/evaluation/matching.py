"""Which true particle stands for which predicted one: the criteria of a match."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import SettingsError
from napari_mpseg.evaluation.evidence import ParticleEvidence
from napari_mpseg.registry import Registry

Ids = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Matching:
    """Who matches whom, by position in the evidence.

    Attributes
    ----------
    truth, predicted : ndarray of int64
        ``(P,)``: the matched pairs.
    neutral : ndarray of int64
        Predicted particles that match only true ones below the least size: neither correct nor false.
    """

    truth: Ids
    predicted: Ids
    neutral: Ids

    @property
    def found(self) -> Ids:
        """True particles that were found, rising."""
        return np.unique(self.truth)

    @property
    def correct(self) -> Ids:
        """Predicted particles that stand for a true one, rising."""
        return np.unique(self.predicted)


@dataclass(frozen=True)
class Criterion:
    """A rule of matching.

    Attributes
    ----------
    name : str
    title : str
        With ``{value}`` where the parameter goes.
    definition : str
        The same.
    default : float
        Of the parameter; 0 where there is none.
    largest : float
        The parameter is above 0 and up to this.
    match : callable
        From evidence and parameter to a :class:`Matching`.
    """

    name: str
    title: str
    definition: str
    default: float
    largest: float
    match: Callable[[ParticleEvidence, float], Matching]

    def __call__(self, particles: ParticleEvidence, value: float | None = None) -> Matching:
        """Match the particles of one image.

        Raises
        ------
        SettingsError
            If the parameter is out of range.
        """
        return self.match(particles, self.checked(value))

    def checked(self, value: float | None) -> float:
        """Return the parameter, or the default for None; raise :class:`SettingsError` if it is impossible."""
        if value is None:
            return self.default
        if not 0 < value <= self.largest:
            upper = f" and up to {self.largest:g}" if np.isfinite(self.largest) else ""
            raise SettingsError(f"{value!r} is impossible for the match criterion {self.name!r}: give above 0{upper}.")
        return float(value)


CRITERIA: Registry[Criterion] = Registry("match criterion")


def _register(name: str, title: str, definition: str, default: float, largest: float) -> Callable[..., Any]:
    def add(function: Callable[[ParticleEvidence, float], Matching]) -> Callable[..., Any]:
        CRITERIA.add(name, Criterion(name, title, definition, default, largest, function))
        return function

    return add


@_register("overlap", "overlap", "one common pixel is enough", 0.5, 1.0)
def by_overlap(particles: ParticleEvidence, _value: float) -> Matching:
    """Accept every pair that shares a pixel: the question is whether an analyst's eye is led to the particle."""
    truth, predicted = particles.pair_truth, particles.pair_predicted
    return Matching(truth, predicted, np.setdiff1d(particles.small_pair_predicted, predicted))


@_register(
    "iou",
    "IoU {value:g}",
    "their intersection over union is {value:g} or more, each particle with one partner, the best pairs first",
    0.5,
    1.0,
)
def by_iou(particles: ParticleEvidence, value: float) -> Matching:
    """Accept pairs whose intersection over union reaches the value, best first, each particle once."""
    n_truth = len(particles.truth_areas)
    truth = np.concatenate([particles.pair_truth, particles.small_pair_small + n_truth])
    predicted = np.concatenate([particles.pair_predicted, particles.small_pair_predicted])
    overlap = np.concatenate(overlaps(particles))
    near = np.flatnonzero(overlap >= value)
    if value <= 0.5:  # above one half no particle can have two partners
        near = _each_once(near[np.argsort(-overlap[near], kind="stable")], truth, predicted)
    counts = truth[near] < n_truth
    return Matching(truth[near][counts], predicted[near][counts], np.unique(predicted[near][~counts]))


def overlaps(particles: ParticleEvidence) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the intersection over union of every pair, with counted and with too small true particles."""
    pairs = (
        (particles.pair_pixels, particles.truth_areas[particles.pair_truth], particles.pair_predicted),
        (
            particles.small_pair_pixels,
            particles.small_areas[particles.small_pair_small],
            particles.small_pair_predicted,
        ),
    )
    both, small = (pixels / (areas + particles.predicted_areas[found] - pixels) for pixels, areas, found in pairs)
    return both, small


def _each_once(order: Ids, truth: Ids, predicted: Ids) -> Ids:
    used_truth: set[int] = set()
    used_predicted: set[int] = set()
    kept = []
    for index, a, b in zip(order.tolist(), truth[order].tolist(), predicted[order].tolist(), strict=True):
        if a not in used_truth and b not in used_predicted:
            kept.append(index)
            used_truth.add(a)
            used_predicted.add(b)
    return np.asarray(kept, np.int64)


@_register(
    "distance",
    "{value:g} px",
    "their centroids are at most {value:g} px apart, each particle with one partner: as many pairs as possible, and of "
    "these choices the one with the smallest sum of distances",
    3.0,
    np.inf,
)
def by_distance(particles: ParticleEvidence, value: float) -> Matching:
    """Pair centroids one to one within a distance, as many as possible and then as near as possible."""
    from scipy.spatial import cKDTree

    none = np.zeros(0, np.int64)
    if not len(particles.predicted_centres):
        return Matching(none, none, none)
    tree = cKDTree(particles.predicted_centres)
    truth, predicted = _assigned(particles.truth_centres, tree, value)
    beside = tree.query_ball_point(particles.small_centres, value) if len(particles.small_centres) else []
    near_small = np.unique(np.concatenate([none, *(np.asarray(found, np.int64) for found in beside)]))
    return Matching(truth, predicted, np.setdiff1d(near_small, predicted))


def _assigned(centres: NDArray[np.float64], tree: Any, value: float) -> tuple[Ids, Ids]:
    from scipy.spatial import cKDTree

    if not len(centres):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    near = cKDTree(centres).sparse_distance_matrix(tree, value, output_type="coo_matrix")
    # most have nobody else in reach
    lone = (np.bincount(near.row, minlength=len(centres))[near.row] == 1) & (np.bincount(near.col)[near.col] == 1)
    rows, row = np.unique(near.row[~lone], return_inverse=True)
    columns, column = np.unique(near.col[~lone], return_inverse=True)
    some, others = _cheapest(row, column, near.data[~lone], len(rows), len(columns), value)
    truth, predicted = np.append(near.row[lone], rows[some]), np.append(near.col[lone], columns[others])
    return truth.astype(np.int64), predicted.astype(np.int64)


def _cheapest(
    row: Ids, column: Ids, distance: NDArray[np.float64], count: int, others: int, value: float
) -> tuple[Ids, Ids]:
    """Return the one-to-one pairs, as many as possible and then with the smallest sum of distances."""
    from scipy.sparse import coo_array, csr_array
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    if not count:
        return row, column
    # Every true particle may also stay alone, at a price that no sum of distances reaches: the cheapest full matching
    # then has the most pairs. One is added to all, since a zero would be no entry.
    alone = np.arange(count)
    places = np.concatenate([row, alone]), np.concatenate([column, others + alone])
    costs = np.concatenate([distance + 1.0, np.full(count, (count + 1) * value + 1.0)])
    graph = csr_array(coo_array((costs, places), shape=(count, others + count)))
    left, right = min_weight_full_bipartite_matching(graph)
    paired = right < others
    return left[paired], right[paired]
