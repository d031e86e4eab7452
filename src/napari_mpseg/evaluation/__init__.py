"""How good a segmentation is: pixels, particles, counts and sizes against truth."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_mpseg.evaluation.aggregate import AGGREGATIONS, score
    from napari_mpseg.evaluation.aims import AIMS
    from napari_mpseg.evaluation.count import bland_altman
    from napari_mpseg.evaluation.errors import ERROR_COLOURS, error_map, error_particles
    from napari_mpseg.evaluation.evidence import Evidence, gather_evidence
    from napari_mpseg.evaluation.metric import METRICS, MetricEntry, find_metric
    from napari_mpseg.evaluation.operating_points import OperatingPoint, choose_threshold
    from napari_mpseg.evaluation.particle import ParticleMatch, match_particles
    from napari_mpseg.evaluation.pixel import PixelCounts, count_pixels
    from napari_mpseg.evaluation.probability import precision_recall_curve
    from napari_mpseg.evaluation.report import Scores, evaluate

_HOMES = {
    "AGGREGATIONS": "aggregate",
    "score": "aggregate",
    "bland_altman": "count",
    "ERROR_COLOURS": "errors",
    "error_map": "errors",
    "error_particles": "errors",
    "Evidence": "evidence",
    "gather_evidence": "evidence",
    "METRICS": "metric",
    "MetricEntry": "metric",
    "find_metric": "metric",
    "AIMS": "aims",
    "OperatingPoint": "operating_points",
    "choose_threshold": "operating_points",
    "ParticleMatch": "particle",
    "match_particles": "particle",
    "PixelCounts": "pixel",
    "count_pixels": "pixel",
    "precision_recall_curve": "probability",
    "Scores": "report",
    "evaluate": "report",
}
__all__ = [
    "AGGREGATIONS",
    "AIMS",
    "ERROR_COLOURS",
    "METRICS",
    "Evidence",
    "MetricEntry",
    "OperatingPoint",
    "ParticleMatch",
    "PixelCounts",
    "Scores",
    "bland_altman",
    "choose_threshold",
    "count_pixels",
    "error_map",
    "error_particles",
    "evaluate",
    "find_metric",
    "gather_evidence",
    "match_particles",
    "precision_recall_curve",
    "score",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
