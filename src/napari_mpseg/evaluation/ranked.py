"""Average precision of particles ranked by their score."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.evaluation.matching import by_iou
from napari_mpseg.evaluation.metric_entry import Array, Evidences, MetricEntry

Numbers = NDArray[np.float64]

_CHUNK = 4_000_000  # numbers held at once while many samples are taken

ELEVEN = np.arange(11) / 10
"""Recall levels of PASCAL VOC."""
HUNDRED_AND_ONE = np.arange(101) / 100
"""Recall levels of COCO."""
COCO_OVERLAPS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))


@dataclass(frozen=True, eq=False)
class Ranking:
    """Predicted particles of all images, best score first.

    Attributes
    ----------
    image : ndarray of int64
        ``(M,)``: which image each belongs to.
    correct : ndarray of float64
        ``(M,)``: 1 if it matches a true particle, 0 if it is false.
    last : ndarray of int64
        Positions that end a run of equal scores: particles of one score enter together, so that their order does not
        matter.
    n_truth : ndarray of float64
        ``(N,)``: true particles of each image.
    """

    image: NDArray[np.int64]
    correct: Numbers
    last: NDArray[np.int64]
    n_truth: Numbers


def rank(evidences: Evidences, overlap: float) -> Ranking:
    """Rank the predicted particles; those that match only too small true ones are left out.

    Each particle is matched once, best IoU first. Above an IoU of 0.5 nobody has two partners, so that this and the
    orders of matching of PASCAL VOC and COCO come to the same.
    """
    images, marks, scores = [np.zeros(0, np.int64)], [np.zeros(0)], [np.zeros(0)]
    for number, evidence in enumerate(evidences):
        matching = by_iou(evidence.particles, overlap)
        mark = np.zeros(evidence.n_predicted)
        mark[matching.predicted] = 1
        kept = np.setdiff1d(np.arange(evidence.n_predicted), matching.neutral)
        images.append(np.full(len(kept), number))
        marks.append(mark[kept])
        scores.append(evidence.particles.scores[kept])
    score = np.concatenate(scores)
    order = np.argsort(-score, kind="stable")
    score = score[order]
    last = np.flatnonzero(np.append(score[1:] != score[:-1], True)) if len(score) else np.zeros(0, np.int64)
    truths = np.asarray([evidence.n_truth for evidence in evidences], np.float64)
    return Ranking(np.concatenate(images)[order], np.concatenate(marks)[order], last, truths)


def interpolated(ranking: Ranking, weights: Array, recalls: Numbers) -> Numbers:
    """Return the mean of the interpolated precision at `recalls`, for every sample ``(B,)``.

    The interpolated precision at a recall is the highest precision at this or any higher recall.
    """
    weights = np.asarray(weights, np.float64)
    result = np.zeros(len(weights))
    truths = weights @ ranking.n_truth
    found = weights @ np.bincount(ranking.image, minlength=weights.shape[1])
    result[(truths == 0) & (found == 0)] = 1.0
    todo = np.flatnonzero((truths > 0) & (found > 0))
    step = max(1, _CHUNK // max(1, len(ranking.image)))
    for start in range(0, len(todo), step):
        rows = todo[start : start + step]
        taken = weights[rows][:, ranking.image]
        correct = np.cumsum(taken * ranking.correct, 1)[:, ranking.last]
        precision = correct / np.maximum(np.cumsum(taken, 1)[:, ranking.last], 1)
        best = np.maximum.accumulate(precision[:, ::-1], 1)[:, ::-1]
        recall = correct / truths[rows, None]
        for row, reached, envelope in zip(rows, recall, best, strict=True):
            # a recall of 3/10 is the level 0.3, however both are rounded
            first = np.searchsorted(reached, recalls - 1e-12)
            result[row] = np.append(envelope, 0.0)[first].mean()
    return result


def _entry(
    name: str, title: str, definition: str, source: str, overlaps: Sequence[float], recalls: Numbers
) -> MetricEntry:
    def weighted(evidences: Evidences, weights: Array) -> Array:
        values = [interpolated(rank(evidences, overlap), weights, recalls) for overlap in overlaps]
        return np.asarray(np.mean(values, 0))

    undefined = "1 with neither truth nor prediction; 0 if only one of them has particles."
    return MetricEntry(name, title, "particle", definition, undefined, "higher", weighted, source)


_RANKED = (
    "Predicted particles are ranked by score, the mean probability (without probability all are equal and enter "
    "together); the interpolated precision at a recall is the highest precision at this or a higher recall. "
)

RANKED_ENTRIES = (
    _entry(
        "ap50",
        "AP50",
        _RANKED + "Its mean at the 11 recalls 0, 0.1, ... 1, with matches at an IoU of 0.5 or more.",
        "PASCAL VOC 2007 (Everingham et al. 2010); Babkauskas 2023",
        (0.5,),
        ELEVEN,
    ),
    _entry(
        "ap50-95",
        "AP50-95",
        _RANKED
        + "Its mean at the 101 recalls 0, 0.01, ... 1 (COCO's, not the 11 of `ap50`), averaged over matches at an "
        "IoU of 0.5, 0.55, ... 0.95 or more.",
        "COCO (Lin et al. 2014)",
        COCO_OVERLAPS,
        HUNDRED_AND_ONE,
    ),
)
