"""Predicted particles matched to true ones by the rules of COCO's evaluation (Lin et al. 2014, its reference tool).

Predicted particles choose in the order of their scores, each the true one with the highest overlap that is still free.
True ones that are ignored (crowds, or of another size than is asked for) are only chosen where no other is near
enough; whoever chooses one counts neither as correct nor as false.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.evaluation.evidence import Evidence
from napari_mpseg.evaluation.matching import overlaps

Ints = NDArray[np.int64]
Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]

_ALMOST_ONE = 1 - 1e-10


@dataclass(frozen=True)
class AreaRange:
    """Areas in pixels of the particles that count, both ends included."""

    name: str
    low: float
    high: float


ALL = AreaRange("all", 0.0, 1e10)
SMALL = AreaRange("small", 0.0, 32.0**2)
MEDIUM = AreaRange("medium", 32.0**2, 96.0**2)
LARGE = AreaRange("large", 96.0**2, 1e10)


@dataclass(frozen=True, eq=False)
class Detections:
    """The predicted and true particles of one image, of one category where there are several.

    Attributes
    ----------
    scores, areas : ndarray of float64
        ``(D,)``: of the predicted particles, in the order of their file.
    truth_areas : ndarray of float64
        ``(G,)``
    crowd : ndarray of bool
        ``(G,)``: regions that any number of predicted particles may match, and which count for nothing.
    ignored : ndarray of bool
        ``(G,)``: true particles that count for nothing whatever their size; crowds are among them.
    pair_found, pair_truth : ndarray of int64
        ``(K,)``: positions of predicted and true particles that overlap.
    pair_overlap : ndarray of float64
        ``(K,)``: their intersection over union; with a crowd, over the predicted particle alone.
    """

    scores: Numbers
    areas: Numbers
    truth_areas: Numbers
    crowd: Flags
    ignored: Flags
    pair_found: Ints
    pair_truth: Ints
    pair_overlap: Numbers


@dataclass(frozen=True, eq=False)
class Graded:
    """What became of the predicted particles of one image, best score first.

    Attributes
    ----------
    scores : ndarray of float64
        ``(D,)``
    matched, ignored : ndarray of bool
        ``(T, D)``, at every least overlap: whether each chose a true particle, and whether it counts for nothing.
    n_truth : int
        True particles that count.
    """

    scores: Numbers
    matched: Flags
    ignored: Flags
    n_truth: int


def detections_of(evidence: Evidence) -> Detections:
    """Return the particles of an image compared before; true ones below its least size are ignored."""
    found = evidence.particles
    counted, small = len(found.truth_areas), len(found.small_areas)
    return Detections(
        scores=found.scores,
        areas=found.predicted_areas.astype(np.float64),
        truth_areas=np.concatenate([found.truth_areas, found.small_areas]).astype(np.float64),
        crowd=np.zeros(counted + small, bool),
        ignored=np.repeat([False, True], [counted, small]),
        pair_found=np.concatenate([found.pair_predicted, found.small_pair_predicted]),
        pair_truth=np.concatenate([found.pair_truth, found.small_pair_small + counted]),
        pair_overlap=np.concatenate(overlaps(found)),
    )


def grade(detections: Detections, least: Sequence[float], areas: AreaRange = ALL, limit: int = 100) -> Graded:
    """Match the particles of one image.

    Parameters
    ----------
    detections : Detections
    least : sequence of float
        ``T`` overlaps from which on two particles match.
    areas : AreaRange
        True particles of other areas are ignored, and so are predicted ones that match nothing.
    limit : int
        Predicted particles that are looked at, best first.
    """
    ranked = np.argsort(-detections.scores, kind="stable")[:limit]
    sizes = detections.truth_areas
    ignored = detections.ignored | (sizes < areas.low) | (sizes > areas.high)
    found, truth, overlap = _choices(detections, ranked, ignored, min(*least, _ALMOST_ONE))
    begin = np.flatnonzero(np.append(True, found[1:] != found[:-1]))[: len(found)]
    spans = list(zip(found[begin].tolist(), begin.tolist(), [*begin[1:].tolist(), len(found)], strict=False))
    own = detections.areas[ranked]
    outside = (own < areas.low) | (own > areas.high)
    matched = np.zeros((len(least), len(ranked)), bool)
    neutral = np.zeros_like(matched)
    for row, value in enumerate(least):
        chosen = _choose(spans, truth.tolist(), overlap.tolist(), ignored, detections.crowd, min(value, _ALMOST_ONE))
        for place, one in chosen:
            matched[row, place] = True
            neutral[row, place] = ignored[one]
        neutral[row] |= ~matched[row] & outside
    return Graded(detections.scores[ranked], matched, neutral, int(np.count_nonzero(~ignored)))


def _choices(detections: Detections, ranked: Ints, ignored: Flags, least: float) -> tuple[Ints, Ints, Numbers]:
    """Return what may match, by rank of the predicted particle; true ones that count come first."""
    place = np.full(len(detections.scores), -1, np.int64)
    place[ranked] = np.arange(len(ranked))
    near = (detections.pair_overlap >= least) & (place[detections.pair_found] >= 0)
    found, truth, overlap = (
        place[detections.pair_found[near]],
        detections.pair_truth[near],
        detections.pair_overlap[near],
    )
    order = np.lexsort((truth, ignored[truth], found))
    return found[order], truth[order], overlap[order]


def _choose(
    spans: list[tuple[int, int, int]],
    truth: list[int],
    overlap: list[float],
    ignored: Flags,
    crowd: Flags,
    least: float,
) -> list[tuple[int, int]]:
    """Return pairs of predicted particle, by rank, and true one."""
    taken = bytearray(len(ignored))
    chosen = []
    for place, first, last in spans:
        best, one = least, -1
        for index in range(first, last):
            other = truth[index]
            if taken[other] and not crowd[other]:
                continue
            if one >= 0 and not ignored[one] and ignored[other]:
                break
            if overlap[index] >= best:
                best, one = overlap[index], other
        if one >= 0:
            taken[one] = 1
            chosen.append((place, one))
    return chosen
