"""Average precision and average recall as COCO's evaluation has them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import SettingsError
from napari_mpseg.evaluation.coco_matching import ALL, LARGE, MEDIUM, SMALL, AreaRange, Graded, detections_of, grade
from napari_mpseg.evaluation.metric_entry import Array, Evidences, MetricEntry

Numbers = NDArray[np.float64]

LEAST_OVERLAPS = tuple(np.linspace(0.5, 0.95, 10).tolist())
"""COCO's IoU thresholds, digit by digit as its tool has them."""
RECALLS = np.linspace(0.0, 1.0, 101)
"""COCO's recall levels."""
ELEVEN_RECALLS = np.linspace(0.0, 1.0, 11)
"""Recall levels of PASCAL VOC 2007."""
LIMIT = 100
"""Predicted particles of an image that COCO looks at."""

_CHUNK = 4_000_000  # numbers held at once while many samples are taken


@dataclass(frozen=True, eq=False)
class Curves:
    """What several images come to together, for each of B samples of them.

    Attributes
    ----------
    precision : ndarray of float64
        ``(T, B)``: mean interpolated precision over the recall levels.
    recall : ndarray of float64
        ``(T, B)``: highest recall reached.
    n_truth : ndarray of float64
        ``(B,)``: true particles that count.
    n_found : ndarray of float64
        ``(T, B)``: predicted particles that count.
    """

    precision: Numbers
    recall: Numbers
    n_truth: Numbers
    n_found: Numbers


def curves(
    graded: Sequence[Graded], weights: Array | None = None, recalls: Numbers = RECALLS, limit: int | None = None
) -> Curves:
    """Rank the predicted particles of all images together.

    Parameters
    ----------
    graded : sequence of Graded
        Of N images; equal scores keep this order.
    weights : ndarray, optional
        ``(B, N)``: how often each image counts in each sample; default one sample with all images once.
    recalls : ndarray of float64
        Levels at which the precision is taken.
    limit : int, optional
        Look only at the first of each image.
    """
    taken = np.ones((1, len(graded))) if weights is None else np.asarray(weights, np.float64)
    count = [len(one.scores[:limit]) for one in graded]
    levels = graded[0].matched.shape[0]
    score = np.concatenate([one.scores[:limit] for one in graded])
    order = np.argsort(-score, kind="stable")
    image = np.repeat(np.arange(len(graded)), count)[order]
    matched = np.concatenate([one.matched[:, :limit] for one in graded], 1)[:, order]
    ignored = np.concatenate([one.ignored[:, :limit] for one in graded], 1)[:, order]
    truths = taken @ np.asarray([one.n_truth for one in graded], np.float64)
    found = np.stack([taken @ np.bincount(image, row, len(graded)) for row in (~ignored).astype(np.float64)])
    precision, recall = np.zeros((levels, len(taken))), np.zeros((levels, len(taken)))
    step = max(1, _CHUNK // max(1, len(image)))
    for start in range(0, len(taken), step):
        rows = slice(start, start + step)
        if not len(image):
            break
        often = taken[rows][:, image]
        total = np.maximum(truths[rows, None], 1e-300)
        for level in range(levels):
            good = np.cumsum(often * (matched[level] & ~ignored[level]), 1)
            bad = np.cumsum(often * (~matched[level] & ~ignored[level]), 1)
            reached = good / total
            best = np.maximum.accumulate((good / (bad + good + np.spacing(1)))[:, ::-1], 1)[:, ::-1]
            recall[level, rows] = reached[:, -1]
            for row, (at, envelope) in enumerate(zip(reached, best, strict=True), start):
                first = np.searchsorted(at, recalls, side="left")
                precision[level, row] = np.append(envelope, 0.0)[first].mean()
    return Curves(precision, recall, truths, found)


def _entry(
    name: str,
    title: str,
    what: str,
    take: Callable[[Curves], Numbers],
    least: Sequence[float],
    areas: AreaRange,
    limit: int = LIMIT,
) -> MetricEntry:
    def weighted(evidences: Evidences, weights: Array) -> Array:
        if not any(len(evidence.particles.scores) or evidence.n_truth for evidence in evidences):
            return np.ones(len(weights))
        found = curves([grade(detections_of(one), least, areas, limit) for one in evidences], weights)
        nothing = np.where(found.n_found > 0, 0.0, 1.0)
        return np.asarray(np.where(found.n_truth > 0, take(found), nothing).mean(0))

    def variant(value: float) -> MetricEntry:
        if value != int(value) or value < 1:
            raise SettingsError(f"{name}:{value:g}: give the number of particles of an image as 1 or more.")
        return _entry(name, f"{title} (best {value:g})", what, take, least, areas, int(value))

    definition = (
        f"{what} Only the {limit} best predicted particles of an image count; `{name}:3000` looks at 3000. Equal "
        "scores stay in the order of the labels, and each predicted particle takes the best true one still free."
    )
    undefined = "Where no true particle counts: 1 if no predicted one does either, else 0 (COCO's own tool says -1)."
    source = "COCO (Lin et al. 2014), its reference evaluation"
    return MetricEntry(name, title, "particle", definition, undefined, "higher", weighted, source, variant=variant)


def _precision(found: Curves) -> Numbers:
    return found.precision


def _recall(found: Curves) -> Numbers:
    return found.recall


_EVERY = "averaged over matches at an IoU of 0.5, 0.55, ... 0.95 or more."
_MEAN = "COCO's average precision: mean of the interpolated precision at the 101 recalls 0, 0.01, ... 1, "
_SIZES = {SMALL: "up to 1024 px", MEDIUM: "of 1024 to 9216 px", LARGE: "of 9216 px or more"}

COCO_ENTRIES = (
    _entry("coco-ap", "COCO AP", _MEAN + _EVERY, _precision, LEAST_OVERLAPS, ALL),
    _entry("coco-ap50", "COCO AP50", _MEAN + "with matches at an IoU of 0.5 or more.", _precision, (0.5,), ALL),
    _entry("coco-ap75", "COCO AP75", _MEAN + "with matches at an IoU of 0.75 or more.", _precision, (0.75,), ALL),
    *(
        _entry(
            f"coco-ap-{areas.name}",
            f"COCO AP {areas.name}",
            f"{_MEAN}{_EVERY[:-1]}, of particles {told}; others count neither as missed nor as false.",
            _precision,
            LEAST_OVERLAPS,
            areas,
        )
        for areas, told in _SIZES.items()
    ),
    _entry(
        "coco-ar", "COCO AR", f"COCO's average recall: highest recall reached, {_EVERY}", _recall, LEAST_OVERLAPS, ALL
    ),
)
