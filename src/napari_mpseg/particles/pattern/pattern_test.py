"""What a test of the point pattern is, and the registry that holds them all."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_mpseg.particles.pattern.pattern import Pattern
from napari_mpseg.particles.pattern.pattern_settings import PatternSettings
from napari_mpseg.particles.pattern.result import TOO_FEW, PatternResult
from napari_mpseg.progress import CancelToken, ProgressCallback
from napari_mpseg.registry import Registry
from napari_mpseg.settings import to_dict

Run = Callable[[Pattern, PatternSettings, ProgressCallback, CancelToken], PatternResult]


@dataclass(frozen=True)
class PatternTest:
    """One test of whether particles lie as if at random.

    Attributes
    ----------
    name : str
        What the user chooses it by.
    title, definition : str
        For people.
    source : str
        Whose it is.
    run : callable
        Takes a :class:`~napari_mpseg.particles.pattern.pattern.Pattern` in its region, settings, progress callback and
        cancel token.
    sound : bool
        Whether it calls random patterns random as often as it says.
    simulates : bool
        Whether it lays random patterns to compare with.
    fewest : int or None
        How many particles it needs; None: as many as the settings say.
    """

    name: str
    title: str
    definition: str
    source: str
    run: Run
    sound: bool = True
    simulates: bool = True
    fewest: int | None = None


PATTERN_TESTS: Registry[PatternTest] = Registry("test of the point pattern")


def answer(test: str, pattern: Pattern, settings: PatternSettings, pattern_class: str, **more: Any) -> PatternResult:
    """Return a result with what every test says: the region and the measured distances."""
    if "distances" not in more and len(pattern) > 1:
        more["distances"] = pattern.distances
    distances = more.get("distances", ())
    if len(distances):
        more = {
            "mean": float(distances.mean()),
            "median": float(np.median(distances)),
            "variance": float(distances.var()),
            **more,
        }
    n = more.pop("n", len(pattern))
    if pattern_class == TOO_FEW:
        more["details"] = {**more.get("details", {}), "fewest": PATTERN_TESTS[test].fewest or settings.fewest}
    more = {"unit": pattern.calibration.unit, "area": pattern.area, "region": pattern.region.name, **more}
    return PatternResult(
        pattern_class,
        test,
        PATTERN_TESTS[test].title,
        pattern.distance,
        n,
        settings=to_dict(settings),
        notes=(*pattern.notes, *more.pop("notes", ())),
        **more,
    )
