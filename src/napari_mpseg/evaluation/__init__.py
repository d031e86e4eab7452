"""How good a segmentation is: pixels, particles and counts against truth."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_mpseg.evaluation.particle import ParticleMatch, match_particles
    from napari_mpseg.evaluation.pixel import PIXEL_METRICS, PixelCounts, count_pixels
    from napari_mpseg.evaluation.report import Scores, evaluate

_HOMES = {
    "ParticleMatch": "particle",
    "match_particles": "particle",
    "PIXEL_METRICS": "pixel",
    "PixelCounts": "pixel",
    "count_pixels": "pixel",
    "Scores": "report",
    "evaluate": "report",
}
__all__ = [
    "PIXEL_METRICS",
    "ParticleMatch",
    "PixelCounts",
    "Scores",
    "count_pixels",
    "evaluate",
    "match_particles",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
