"""How sure a count is, and from which count on something is detected."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

ENOUGH_BLANKS = 3
"""Blanks from which a limit of detection can be told."""


@dataclass(frozen=True)
class BlankLevel:
    """What blanks hold.

    Attributes
    ----------
    n : int
        Number of blanks.
    mean : float
        Particles per blank, 0 without blanks.
    sd : float
        Sample standard deviation (n - 1); NaN of fewer than two.
    lod, loq : float
        Limits of detection and quantification, mean + 3 sd and mean + 10 sd; NaN of fewer than three blanks.
    """

    n: int
    mean: float
    sd: float
    lod: float
    loq: float


def blank_level(counts: Sequence[float]) -> BlankLevel:
    """Return mean, spread and limits of the counts of blanks, on the whole filter each.

    Examples
    --------
    >>> level = blank_level([2, 4, 6])
    >>> level.mean, level.sd, level.lod, level.loq
    (4.0, 2.0, 10.0, 24.0)
    """
    nan = float("nan")
    mean = fmean(counts) if counts else 0.0
    sd = stdev(counts) if len(counts) > 1 else nan
    enough = len(counts) >= ENOUGH_BLANKS
    return BlankLevel(len(counts), mean, sd, mean + 3 * sd if enough else nan, mean + 10 * sd if enough else nan)


def poisson_interval(count: int, level: float = 0.95) -> tuple[float, float]:
    """Return the exact interval of the mean of a Poisson count (Garwood 1936).

    Parameters
    ----------
    count : int
        What was counted.
    level : float
        Of confidence, 0 to 1.

    Examples
    --------
    >>> [round(bound, 2) for bound in poisson_interval(10)]
    [4.8, 18.39]
    """
    from scipy.stats import chi2

    outside = (1 - level) / 2
    low = float(chi2.ppf(outside, 2 * count)) / 2 if count else 0.0
    return low, float(chi2.ppf(1 - outside, 2 * count + 2)) / 2


def weighted_poisson_interval(
    counts: Sequence[int], weights: Sequence[float], level: float = 0.95
) -> tuple[float, float]:
    """Return the interval of a weighted sum of Poisson counts (Fay and Feuer 1997, by the gamma distribution).

    With equal weights it is the weight times the exact interval of the sum, :func:`poisson_interval`.

    Parameters
    ----------
    counts : sequence of int
        What was counted.
    weights : sequence of float
        What one of each counts for, above zero.
    level : float
        Of confidence, 0 to 1.

    Examples
    --------
    >>> [round(bound, 2) for bound in weighted_poisson_interval([10, 0], [2.0, 2.0])]
    [9.59, 36.78]
    """
    from scipy.stats import chi2

    outside = (1 - level) / 2
    total = sum(weight * count for weight, count in zip(weights, counts, strict=True))
    variance = sum(weight**2 * count for weight, count in zip(weights, counts, strict=True))
    largest = max(weights)
    low = variance / (2 * total) * float(chi2.ppf(outside, 2 * total**2 / variance)) if total else 0.0
    more, wider = total + largest, variance + largest**2
    return low, wider / (2 * more) * float(chi2.ppf(1 - outside, 2 * more**2 / wider))
