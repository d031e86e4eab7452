"""How good a segmentation is: pixels, particles and counts against truth."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_mpseg.evaluation.evidence import Evidence, gather_evidence
    from napari_mpseg.evaluation.metric import METRICS, MetricEntry, find_metric
    from napari_mpseg.evaluation.particle import ParticleMatch, match_particles
    from napari_mpseg.evaluation.pixel import PixelCounts, count_pixels
    from napari_mpseg.evaluation.report import Scores, evaluate

_HOMES = {
    "Evidence": "evidence",
    "METRICS": "metric",
    "MetricEntry": "metric",
    "find_metric": "metric",
    "gather_evidence": "evidence",
    "ParticleMatch": "particle",
    "match_particles": "particle",
    "PixelCounts": "pixel",
    "count_pixels": "pixel",
    "Scores": "report",
    "evaluate": "report",
}
__all__ = [
    "METRICS",
    "Evidence",
    "MetricEntry",
    "ParticleMatch",
    "PixelCounts",
    "Scores",
    "count_pixels",
    "evaluate",
    "find_metric",
    "gather_evidence",
    "match_particles",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
