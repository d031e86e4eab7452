"""Tests of a whole function of distance: G, of nearest neighbours, and L, of all pairs.

Sources: Ripley 1977 (K), Besag 1977 (L), Diggle 2013 (G); judged by a global envelope. The functions carry no edge
correction: random patterns lie in the same region, so the edge does the same to both.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import SettingsError
from napari_mpseg.particles.pattern.distances import DISTANCES
from napari_mpseg.particles.pattern.envelope import Envelope, global_envelope
from napari_mpseg.particles.pattern.neighbours import pair_counts, share_within
from napari_mpseg.particles.pattern.pattern import Pattern
from napari_mpseg.particles.pattern.pattern_settings import PatternSettings
from napari_mpseg.particles.pattern.pattern_test import PatternTest, answer
from napari_mpseg.particles.pattern.randomness import Null, RegionFullError, null_of
from napari_mpseg.particles.pattern.result import CLUSTERED, RANDOM, SELF_AVOIDING, TOO_FEW, Curve, PatternResult
from napari_mpseg.progress import CancelToken, ProgressCallback

Array = NDArray[np.float64]
_POINTS_OF_CURVE = 50
_NOWHERE = (
    "By its p the curve is among the most extreme, but equal to others there and nowhere outside the band, so nothing "
    "says that particles lie nearer or further apart than at random."
)


@dataclass(frozen=True)
class _Function:
    """A function of distance: of a pattern's points (or its measured distances), on a grid from 0 on."""

    name: str
    axis: str
    reach: Callable[[Pattern], float]
    of_points: Callable[[Null, Array, Array], Array]
    of_measured: Callable[[Null, Array], Array]


def _ripley(null: Null, points: Array, grid: Array) -> Array:
    """Return L(r) - r, 0 for a random pattern far from edges, positive for a clustered one."""
    n = len(points)
    pairs = np.cumsum(pair_counts(points, float(grid[0]), len(grid)))
    return np.asarray(np.sqrt(2 * null.pattern.area * pairs / (n * (n - 1) * math.pi)) - grid)


def _spacing(pattern: Pattern) -> float:
    return math.sqrt(pattern.area / len(pattern))


def _reach_of_nearest(pattern: Pattern) -> float:
    """Return three times the distance expected; a reach by what was measured would make the test see things."""
    return 1.5 * _spacing(pattern)


def _reach_of_pairs(pattern: Pattern) -> float:
    sides = [side * size for side, size in zip(pattern.region.shape, pattern.calibration.pixel_size, strict=True)]
    return min(min(sides) / 4, 5 * _spacing(pattern))


_G = _Function(
    "Nearest-neighbour distances (G function)",
    "Share of particles with a neighbour within",
    _reach_of_nearest,
    lambda null, points, grid: share_within(null.gaps(points), grid),
    lambda null, grid: share_within(null.measured, grid),
)
_L = _Function(
    "Pairs by distance (L function)",
    "L(r) - r",
    _reach_of_pairs,
    _ripley,
    lambda null, grid: _ripley(null, null.pattern.points, grid),
)


def _test(
    name: str,
    function: _Function,
    pattern: Pattern,
    settings: PatternSettings,
    on_progress: ProgressCallback,
    cancel: CancelToken,
) -> PatternResult:
    if len(pattern) < settings.fewest:
        return answer(name, pattern, settings, TOO_FEW)
    grid = np.linspace(0, function.reach(pattern), _POINTS_OF_CURVE + 1)[1:]
    null = null_of(pattern, settings)
    try:
        simulated, means = _simulated(null, function, grid, settings, on_progress, cancel)
    except RegionFullError:
        null = null_of(pattern, settings, fits=False)
        simulated, means = _simulated(null, function, grid, settings, on_progress, cancel)
    observed = function.of_measured(null, grid)
    band = global_envelope(observed, simulated, settings.alpha)
    pattern_class, where = _judged(observed, band, grid, settings.alpha)
    unit = pattern.calibration.unit
    notes = [*null.notes, *(f"{text} {reach[0]:.4g} to {reach[1]:.4g} {unit}." for text, reach in where)]
    if band.p <= settings.alpha and not where:
        notes.append(_NOWHERE)
    return answer(
        name,
        pattern,
        settings,
        pattern_class,
        theoretical=float(means.mean()),
        statistic_name="p",
        statistic=band.p,
        critical=settings.alpha,
        p=band.p,
        details={"compared": "mean", "discs_without_overlap": null.discs is not None},
        notes=tuple(notes),
        curve=Curve(function.name, function.axis, grid, observed, simulated.mean(axis=0), band.low, band.high),
    )


def _simulated(
    null: Null,
    function: _Function,
    grid: Array,
    settings: PatternSettings,
    on_progress: ProgressCallback,
    cancel: CancelToken,
) -> tuple[Array, Array]:
    curves, means = np.empty((settings.simulations, len(grid))), np.empty(settings.simulations)
    for number, points in enumerate(null.patterns(settings, on_progress, cancel)):
        curves[number] = function.of_points(null, points, grid)
        means[number] = null.gaps(points).mean()
    return curves, means


def _judged(
    observed: Array, band: Envelope, grid: Array, alpha: float
) -> tuple[str, list[tuple[str, tuple[float, float]]]]:
    """Return the class, by where the curve first leaves the band, and over which distances it does on which side."""
    if band.p > alpha:
        return RANDOM, []
    above, below = observed > band.high, observed < band.low
    if not (above | below).any():
        return RANDOM, []
    where = [
        (
            f"There are {amount} neighbours than in random patterns at some distances from",
            (grid[side][0], grid[side][-1]),
        )
        for amount, side in (("more", above), ("fewer", below))
        if side.any()
    ]
    first = int(np.argmax(above | below))  # what happens between the nearest is what the words mean
    return (CLUSTERED if above[first] else SELF_AVOIDING), where


def _run_g(
    pattern: Pattern, settings: PatternSettings, on_progress: ProgressCallback, cancel: CancelToken
) -> PatternResult:
    return _test("g-function", _G, pattern, settings, on_progress, cancel)


def _run_l(
    pattern: Pattern, settings: PatternSettings, on_progress: ProgressCallback, cancel: CancelToken
) -> PatternResult:
    if DISTANCES[pattern.distance].between_edges:
        raise SettingsError(
            "The L function counts pairs of points, so distances between edges do not go with it. Choose the "
            "distance 'centroid', or the test 'g-function'."
        )
    return _test("l-function", _L, pattern, settings, on_progress, cancel)


G_FUNCTION = PatternTest(
    "g-function",
    "G function with global envelope",
    "Compares the whole distribution of nearest-neighbour distances with random patterns laid in the same region.",
    "Diggle 2013; Myllymäki et al. 2017",
    _run_g,
)
L_FUNCTION = PatternTest(
    "l-function",
    "L function with global envelope",
    "Compares the number of pairs at every distance with random patterns laid in the same region; sees clusters and "
    "distances beyond the nearest neighbour.",
    "Ripley 1977; Besag 1977; Myllymäki et al. 2017",
    _run_l,
)
