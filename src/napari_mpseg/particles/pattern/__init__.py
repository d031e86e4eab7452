"""How particles lie: distances between neighbours, and tests for complete spatial randomness.

Importing this package loads nothing; its names are looked up when used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_mpseg.particles.pattern.analyse import analyse_pattern
    from napari_mpseg.particles.pattern.distances import DISTANCES
    from napari_mpseg.particles.pattern.pattern_settings import PatternSettings
    from napari_mpseg.particles.pattern.pattern_test import PATTERN_TESTS
    from napari_mpseg.particles.pattern.region import Region
    from napari_mpseg.particles.pattern.result import PatternResult

_HOMES = {
    "DISTANCES": "distances",
    "PATTERN_TESTS": "pattern_tests",
    "PatternResult": "result",
    "PatternSettings": "pattern_settings",
    "Region": "region",
    "analyse_pattern": "analyse",
}

__all__ = ["DISTANCES", "PATTERN_TESTS", "PatternResult", "PatternSettings", "Region", "analyse_pattern"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
