"""Panoptic quality and its two factors."""

from collections.abc import Callable

import numpy as np

from napari_mpseg.evaluation.evidence import Evidence
from napari_mpseg.evaluation.matching import by_iou, overlaps
from napari_mpseg.evaluation.metric_entry import Array, Evidences, MetricEntry, ratio

_ABOVE_HALF = float(np.nextafter(0.5, 1.0))
_SOURCE = "Kirillov et al. 2019"


def _counts(evidence: Evidence) -> tuple[float, float, float]:
    """Return the sum of the matched pairs' IoU, their number, and that of particles without a partner."""
    particles = evidence.particles
    matching = by_iou(particles, _ABOVE_HALF)
    both, _ = overlaps(particles)
    pairs = len(matching.truth)
    alone = evidence.n_truth + evidence.n_predicted - len(matching.neutral) - 2 * pairs
    return float(both[both >= _ABOVE_HALF].sum()), pairs, alone


def _panoptic(overlap: Array, pairs: Array, alone: Array) -> Array:
    return ratio(overlap, pairs + alone / 2, True)


def _segmentation(overlap: Array, pairs: Array, alone: Array) -> Array:
    return ratio(overlap, pairs, alone == 0)


def _recognition(overlap: Array, pairs: Array, alone: Array) -> Array:
    return ratio(pairs, pairs + alone / 2, True)


def _entry(name: str, title: str, definition: str, formula: Callable[..., Array]) -> MetricEntry:
    def weighted(evidences: Evidences, weights: Array) -> Array:
        return formula(*(weights @ np.asarray([_counts(evidence) for evidence in evidences]).reshape(-1, 3)).T)

    undefined = "1 with neither truth nor prediction; 0 without any match."
    return MetricEntry(name, title, "particle", definition, undefined, "higher", weighted, _SOURCE)


PANOPTIC_ENTRIES = (
    _entry(
        "panoptic-quality",
        "panoptic quality",
        "Sum of the IoU of matched particles (IoU above 0.5) over matched pairs + false / 2 + missed / 2; the product "
        "of segmentation and recognition quality.",
        _panoptic,
    ),
    _entry(
        "segmentation-quality",
        "segmentation quality",
        "Mean IoU of the particles matched with an IoU above 0.5.",
        _segmentation,
    ),
    _entry(
        "recognition-quality",
        "recognition quality",
        "Matched pairs (IoU above 0.5) over matched pairs + false / 2 + missed / 2; the F1 of particles.",
        _recognition,
    ),
)
