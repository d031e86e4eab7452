"""Clark and Evans' test of the mean nearest-neighbour distance, by simulation and by Donnelly's formula.

Source: Clark and Evans 1954, Ecology 35, 445-453; edge correction of Donnelly 1978, in Hodder (ed.), Simulation Methods
in Archaeology. In the test by simulation, random patterns lie in the very same region, so its edge needs no correction.
"""

import math

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import SettingsError
from napari_mpseg.particles.pattern.distances import DISTANCES
from napari_mpseg.particles.pattern.envelope import global_envelope
from napari_mpseg.particles.pattern.neighbours import share_within
from napari_mpseg.particles.pattern.pattern import Pattern
from napari_mpseg.particles.pattern.pattern_settings import PatternSettings
from napari_mpseg.particles.pattern.pattern_test import PatternTest, answer
from napari_mpseg.particles.pattern.randomness import Null, RegionFullError, null_of
from napari_mpseg.particles.pattern.result import CLUSTERED, RANDOM, SELF_AVOIDING, TOO_FEW, Curve, PatternResult
from napari_mpseg.progress import CancelToken, ProgressCallback

Array = NDArray[np.float64]
_POINTS_OF_CURVE = 64


def donnelly(n: int, area: float, outline: float) -> tuple[float, float]:
    """Return the mean nearest-neighbour distance expected of a random pattern, and its standard error.

    Parameters
    ----------
    n : int
        Number of points.
    area, outline : float
        Of the region. An outline of 0 gives Clark and Evans' expectation without edge correction.

    Notes
    -----
    The constants of the edge correction are those of Donnelly 1978 as spatstat's ``clarkevans`` has them; some later
    texts round 0.0412 to 0.041.
    """
    expected = 0.5 * math.sqrt(area / n) + (0.0514 + 0.0412 / math.sqrt(n)) * outline / n
    variance = 0.0703 * area / n**2 + 0.037 * outline * math.sqrt(area / n**5)
    return expected, math.sqrt(variance)


def two_sided(observed: float, simulated: Array) -> float:
    """Return the two-sided Monte-Carlo p-value of a number among simulated ones (with itself counted in)."""
    low = 1 + int((simulated <= observed).sum())
    high = 1 + int((simulated >= observed).sum())
    return min(1.0, 2 * min(low, high) / (len(simulated) + 1))


def bounds(simulated: Array, alpha: float) -> tuple[float, float]:
    """Return below and above which numbers :func:`two_sided` gives `alpha` or less."""
    left_out = int(alpha / 2 * (len(simulated) + 1) + 1e-9)
    ordered = np.sort(simulated)
    return float(ordered[left_out - 1]), float(ordered[-left_out])


def _simulate(
    null: Null, settings: PatternSettings, grid: Array, on_progress: ProgressCallback, cancel: CancelToken
) -> tuple[Array, Array]:
    """Return the mean distance of each random pattern and, on the grid, its share of smaller distances."""
    means, curves = np.empty(settings.simulations), np.empty((settings.simulations, len(grid)))
    for number, points in enumerate(null.patterns(settings, on_progress, cancel)):
        gaps = null.gaps(points)
        means[number] = gaps.mean()
        if len(grid):
            curves[number] = share_within(gaps, grid)
    return means, curves


def _run(
    pattern: Pattern, settings: PatternSettings, on_progress: ProgressCallback, cancel: CancelToken
) -> PatternResult:
    if len(pattern) < settings.fewest:
        return answer("clark-evans", pattern, settings, TOO_FEW)
    null = null_of(pattern, settings)
    grid = np.empty(0)
    if settings.curve:
        grid = np.linspace(0, 1.5 * math.sqrt(pattern.area / len(pattern)), _POINTS_OF_CURVE + 1)[1:]
    try:
        means, curves = _simulate(null, settings, grid, on_progress, cancel)
    except RegionFullError:
        null = null_of(pattern, settings, fits=False)
        means, curves = _simulate(null, settings, grid, on_progress, cancel)
    expected, observed = float(means.mean()), float(null.measured.mean())
    p = two_sided(observed, means)
    low, high = bounds(means, settings.alpha)
    pattern_class = RANDOM
    if p <= settings.alpha:
        pattern_class = CLUSTERED if observed < expected else SELF_AVOIDING
    spread = float(means.std(ddof=1))
    return answer(
        "clark-evans",
        pattern,
        settings,
        pattern_class,
        theoretical=expected,
        statistic_name="R",
        statistic=observed / expected if expected else math.nan,
        critical=(low if observed < expected else high) / expected if expected else math.nan,
        p=p,
        details={
            "compared": "mean",
            "random_mean_from": low,
            "random_mean_to": high,
            "z": (observed - expected) / spread if spread else math.nan,
            "theoretical_without_edges": 0.5 * math.sqrt(pattern.area / len(pattern)),
            "discs_without_overlap": null.discs is not None,
        },
        notes=null.notes,
        curve=_curve(null.measured, grid, curves, settings) if settings.curve else None,
    )


def _curve(distances: Array, grid: Array, curves: Array, settings: PatternSettings) -> Curve:
    observed = share_within(distances, grid)
    band = global_envelope(observed, curves, settings.alpha)
    return Curve(
        "Nearest-neighbour distances (G function)",
        "Share of particles with a neighbour within",
        grid,
        observed,
        curves.mean(axis=0),
        band.low,
        band.high,
    )


def _run_donnelly(
    pattern: Pattern, settings: PatternSettings, on_progress: ProgressCallback, cancel: CancelToken
) -> PatternResult:
    from scipy.stats import norm

    n = len(pattern)
    if DISTANCES[pattern.distance].between_edges:
        raise SettingsError(
            "Donnelly's formula is for points, so distances between edges do not go with it. Choose the distance "
            "'centroid', or the test 'clark-evans'."
        )
    if n < settings.fewest:
        return answer("donnelly", pattern, settings, TOO_FEW)
    expected, error = donnelly(n, pattern.area, pattern.region.outline(pattern.calibration.pixel_size))
    observed = float(pattern.distances.mean())
    z = (observed - expected) / error
    p = float(2 * norm.sf(abs(z)))
    pattern_class = RANDOM
    if p <= settings.alpha:
        pattern_class = CLUSTERED if z < 0 else SELF_AVOIDING
    notes = ["Points may lie anywhere in this test, so the mere size of particles can look like avoiding."]
    if pattern.region.outline_px is None:
        notes.append("Donnelly's edge correction was made for rectangles; the test by simulation fits every region.")
    if pattern.distance != "centroid":
        notes.append("The expectation is for points that may lie anywhere, and eroded points may not.")
    return answer(
        "donnelly",
        pattern,
        settings,
        pattern_class,
        theoretical=expected,
        statistic_name="z",
        statistic=z,
        critical=math.copysign(float(norm.isf(settings.alpha / 2)), z),
        p=p,
        details={"compared": "mean", "R": observed / expected, "standard_error": error},
        notes=tuple(notes),
    )


CLARK_EVANS = PatternTest(
    "clark-evans",
    "Clark-Evans, by simulation",
    "Compares the mean nearest-neighbour distance with that of random patterns laid in the same region.",
    "Clark and Evans 1954; Monte Carlo",
    _run,
)
DONNELLY = PatternTest(
    "donnelly",
    "Clark-Evans with Donnelly's edge correction",
    "Compares the mean nearest-neighbour distance with a formula for random points in a rectangle. No simulation.",
    "Clark and Evans 1954; Donnelly 1978",
    _run_donnelly,
    simulates=False,
)
