"""The test of ImageJ's plugin BioVoxxel "Particle Distribution (2D)", to the digit, with its faults.

Restated from what the plugin prints; see docs/pattern.md for how often it is wrong. All lengths are in pixels.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.particles.pattern.pattern import Pattern
from napari_mpseg.particles.pattern.pattern_settings import PatternSettings
from napari_mpseg.particles.pattern.pattern_test import PatternTest, answer
from napari_mpseg.particles.pattern.result import CLUSTERED, RANDOM, SELF_AVOIDING, TOO_FEW, PatternResult
from napari_mpseg.progress import CancelToken, ProgressCallback

_TABLE = (10, 30, 60, 100, 500, 1000, 2000, 3000, 4000, 5000)  # the degrees of freedom that the plugin knows
_FEWEST = 2
_FEWEST_FOR_WELCH = 11
_HAZARDS = (
    "This test compares a median (or mean) with an expected mean and takes that mean for the variance too. It calls "
    "completely random patterns non-random far more often than its level says, and the more the more particles there "
    "are. Use it to compare with figures made by BioVoxxel, not to learn how particles lie.",
)


@dataclass(frozen=True)
class Verdict:
    """The plugin's figures.

    Attributes
    ----------
    theoretical, centre, variance : float
        Expected mean distance, measured median or mean, and mean square about it.
    f, f_critical : float
        Ratio of the variances; NaN as critical value where the plugin's table has none.
    test : str
        ``"Welch's t-test"`` or ``"Student's t-test"``.
    degrees : int
        Of freedom.
    t, t_critical : float
        One-tailed.
    pattern_class : str
        Random, clustered or self-avoiding.
    """

    theoretical: float
    centre: float
    variance: float
    f: float
    f_critical: float
    test: str
    degrees: int
    t: float
    t_critical: float
    pattern_class: str


def verdict(distances: NDArray[np.float64], area: float, *, statistic: str = "median", level: float = 0.95) -> Verdict:
    """Return what the plugin says of nearest-neighbour distances.

    Parameters
    ----------
    distances : numpy.ndarray
        ``(N,)`` in pixels, N at least 2.
    area : float
        Of the image in pixels.
    statistic : str
        ``"median"`` (the plugin's default) or ``"mean"``.
    level : float
        0.95, 0.99 or 0.999 in the plugin.
    """
    centre = float(np.median(distances) if statistic == "median" else np.mean(distances))
    variance = float(np.mean((distances - centre) ** 2))
    return judged(len(distances), area, centre, variance, level)


def judged(n: int, area: float, centre: float, variance: float, level: float) -> Verdict:
    """Return what the plugin says of `n` distances with this median or mean and this mean square about it."""
    from scipy.stats import f as f_distribution
    from scipy.stats import t as t_distribution

    theoretical = 0.5 * math.sqrt(area / n)
    low, high = sorted((theoretical, variance))
    ratio = high / low if low > 0 else math.inf
    entry = _entry(n - 1)
    f_critical = float(f_distribution.ppf(level, entry, entry)) if n >= _FEWEST_FOR_WELCH else math.nan
    if n >= _FEWEST_FOR_WELCH and ratio >= f_critical:
        test = "Welch's t-test"
        expected, measured = theoretical / n, variance / n
        t = abs(theoretical - centre) / math.sqrt(expected + measured)
        freedom = (expected + measured) ** 2 / (expected**2 / (n - 1) + measured**2 / (n - 1))
        degrees = math.floor(freedom * (1 + 1e-12))  # a whole number must not fall below itself by rounding
    else:
        test, t, degrees = "Student's t-test", math.inf, 2 * n - 2  # the plugin divides whole numbers, and then by 0
    entry = _entry(degrees)
    t_critical = float(t_distribution.ppf(level, entry)) if entry else 0.0
    pattern_class = RANDOM
    if t >= t_critical and centre != theoretical:
        pattern_class = CLUSTERED if centre < theoretical else SELF_AVOIDING
    return Verdict(theoretical, centre, variance, ratio, f_critical, test, degrees, t, t_critical, pattern_class)


def _entry(degrees: int) -> int:
    return max((known for known in _TABLE if known <= degrees), default=0)


def voronoi_gaps(mask: NDArray[Any]) -> NDArray[np.float64]:
    """Return the plugin's "average NND" of each particle: twice the least distance map on the line round its cell.

    Lines are those of ImageJ's *Process > Binary > Voronoi*: the flooding of its watershed, on the distance map of the
    background upside down, in 254 levels.

    Parameters
    ----------
    mask : numpy.ndarray
        ``(Y, X)``; what is not 0 is particle, pixels that touch (8 neighbours) belong together.

    Returns
    -------
    numpy.ndarray
        float64 ``(N,)`` in pixels, in raster order of the particles.
    """
    from scipy.ndimage import distance_transform_edt
    from skimage.measure import label

    from napari_mpseg.particles.instances.flooding import FULL, flood

    inside = mask != 0
    pieces, count = label(inside, connectivity=2, return_num=True)
    if count < 2:
        return np.full(count, np.inf)
    far = distance_transform_edt(~inside).astype(np.float32)  # as ImageJ computes it
    depth = far.astype(np.float64)
    deepest = float(depth.max())
    bottom = -deepest - deepest * (1 / 253 / 2 - 1e-6)
    levels = np.clip(1 + np.floor((-depth - bottom) * (253 / deepest) + 0.5), 1, FULL - 1).astype(np.uint8)
    levels[inside] = FULL
    flood(levels)
    y, x = np.nonzero(levels < FULL)
    cells = label(levels == FULL, connectivity=1)
    piece_of = np.zeros(int(cells.max()) + 1, np.int64)
    piece_of[cells[inside]] = pieces[inside]
    padded = np.pad(piece_of[cells], 1)
    nearest = np.full(count + 1, np.inf)
    for down in (0, 1, 2):
        for right in (0, 1, 2):
            np.minimum.at(nearest, padded[y + down, x + right], far[y, x])
    return 2 * nearest[1:]


def _run(
    pattern: Pattern, settings: PatternSettings, on_progress: ProgressCallback, cancel: CancelToken
) -> PatternResult:
    distances, area = _in_pixels(pattern)
    if len(distances) < _FEWEST:
        return answer("biovoxxel", pattern, settings, TOO_FEW, n=len(distances))
    found = verdict(distances, area, statistic=settings.statistic, level=1 - settings.alpha)
    notes = list(_HAZARDS)
    if found.test.startswith("Student"):
        notes.append(
            "The plugin's Student's t-test divides by zero, so its t is infinite and no such pattern is ever random."
            + (" It is used for fewer than 11 particles." if len(distances) < _FEWEST_FOR_WELCH else "")
        )
    if len(distances) < len(pattern):
        notes.append("Particles that touch are one to the plugin, which sees only a mask.")
    if pattern.calibration.calibrated:
        notes.append("Lengths are in pixels here: the plugin mixes units when an image has a pixel size.")
    if pattern.region.area_px != pattern.region.shape[0] * pattern.region.shape[1]:
        notes.append("The plugin knows only the whole image, so its area was used, not that of the region.")
    return answer(
        "biovoxxel",
        pattern,
        settings,
        found.pattern_class,
        distances=distances,
        n=len(distances),
        unit="px",
        area=float(area),
        region="whole image",
        theoretical=found.theoretical,
        statistic_name="t",
        statistic=found.t,
        critical=found.t_critical,
        notes=tuple(notes),
        details={
            "compared": settings.statistic,
            "t_test": found.test,
            "degrees_of_freedom": found.degrees,
            "F": found.f,
            "F_critical": found.f_critical,
            "variance_about_compared": found.variance,
        },
    )


def _in_pixels(pattern: Pattern) -> tuple[NDArray[np.float64], int]:
    from napari_mpseg.particles.pattern.neighbours import nearest_gaps

    area = pattern.region.shape[0] * pattern.region.shape[1]
    if pattern.distance != "edge" or pattern.labels is None:
        return nearest_gaps(pattern.found.points), area
    return voronoi_gaps(pattern.labels), area - int(np.count_nonzero(pattern.labels))


BIOVOXXEL = PatternTest(
    "biovoxxel",
    "BioVoxxel (ImageJ plugin)",
    "F-test of the variances, then Welch's or Student's t-test of the median distance against 0.5 sqrt(area / n). "
    "Only to compare with figures made by the plugin: it is wrong far too often.",
    "BioVoxxel Toolbox, Particle Distribution (2D)",
    _run,
    sound=False,
    simulates=False,
    fewest=_FEWEST,
)
