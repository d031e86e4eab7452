"""Rules that weigh how much each side of a level says: entropies, correlation, certainty."""

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]

_TINY = float(np.finfo(np.float64).eps)  # shares below this count as none
_NEAR = 5  # two levels that differ by this much or less count as one, in the rule of Renyi entropy


def max_entropy(counts: Counts) -> int | None:
    """Return the level at which the Shannon entropies of both sides add up to the most.

    Notes
    -----
    With the shares p of the grey values, and P their sum up to level t, it is the t of the greatest
    H(p / P, up to t) + H(p / (1 - P), above t), H being - sum p log p. The first one, of several.

    References
    ----------
    Kapur, Sahoo and Wong 1985, doi:10.1016/0734-189X(85)90125-2.
    """
    p, below, above = _shares(counts)
    logs = _logarithms(p)
    return _first_most(_entropies(np.cumsum(p * logs), below) + _entropies(_sums_above(p * logs), above), below, above)


def renyi_entropy(counts: Counts) -> int | None:
    """Return a weighted mean of the levels of greatest Renyi entropy of the orders 1/2, 1 and 2.

    Notes
    -----
    The Renyi entropy of order a is log(sum p^a) / (1 - a); order 1 is :func:`max_entropy`. The three levels, in order,
    get the weights 1, 2, 1 if both gaps between them are small (at most 5) or both are large, 0, 1, 3 if only the
    lower gap is small, and 3, 1, 0 if only the upper one is. Each weight counts a quarter of the share of pixels
    between the lowest and the highest level; the shares outside go to the lowest and the highest. The mean is cut to a
    whole number.

    References
    ----------
    Kapur, Sahoo and Wong 1985, doi:10.1016/0734-189X(85)90125-2; Sahoo, Wilkins and Yeager 1997,
    doi:10.1016/S0031-3203(96)00065-9.
    """
    p, below, above = _shares(counts)
    found = [max_entropy(counts), *(_renyi_level(p, below, above, order) for order in (0.5, 2.0))]
    levels = sorted(level for level in found if level is not None)
    if len(levels) < len(found):
        return None
    low, middle, high = levels
    close = (middle - low <= _NEAR, high - middle <= _NEAR)
    weights = {(True, False): (0, 1, 3), (False, True): (3, 1, 0)}.get(close, (1, 2, 1))
    between = below[high] - below[low]
    return int(
        low * (below[low] + between * weights[0] / 4)
        + middle * between * weights[1] / 4
        + high * (1 - below[high] + between * weights[2] / 4)
    )


def yen(counts: Counts) -> int | None:
    """Return the level of the greatest correlation of both sides.

    Notes
    -----
    It is the t of the greatest 2 log(P (1 - P)) - log(sum of p^2 up to t times sum of p^2 above t).

    References
    ----------
    Yen, Chang and Chang 1995, doi:10.1109/83.366472.
    """
    p, below, _ = _shares(counts)
    squares = np.cumsum(p**2) * _sums_above(p**2)
    correlation = 2 * _logarithms(below * (1 - below)) - _logarithms(squares)
    return int(np.argmax(correlation))


def shanbhag(counts: Counts) -> int | None:
    """Return the level at which both sides are equally certain of their pixels.

    Notes
    -----
    How surely a grey value belongs to its side grows from 1/2 at the level to 1 at the end of the histogram, with the
    share of pixels between; the certainty of a side is the mean of -log of that over its pixels. It is the t of the
    smallest difference between both sides. Grey value 0 is left out of the sum, as in ImageJ.

    References
    ----------
    Shanbhag 1994, doi:10.1006/cgip.1994.1037.
    """
    p, below, above = _shares(counts)
    levels = _levels(below, above)
    if not levels.size:
        return None
    grey, factors = np.arange(1, 256), 0.5 / below[levels, np.newaxis]
    inside = grey <= levels[:, np.newaxis]
    dark = factors[:, 0] * _in_turn(-p[1:] * _logarithms(np.where(inside, 1 - factors * below[:-1], 1.0)))
    factors = 0.5 / above[levels, np.newaxis]
    bright = factors[:, 0] * _in_turn(-p[1:] * _logarithms(np.where(inside, 1.0, 1 - factors * above[1:])))
    return int(levels[np.argmin(np.abs(dark - bright))])


def _shares(counts: Counts) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the shares of the grey values, and for each level the share up to it and above it."""
    p = counts / counts.sum()
    below = np.cumsum(p)
    return p, below, 1 - below


def _in_turn(terms: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return sums over the last axis, one term after the other.

    numpy's own order would part levels that an empty bin makes equal.
    """
    sums: NDArray[np.float64] = np.cumsum(terms, axis=-1)[..., -1]
    return sums


def _levels(below: NDArray[np.float64], above: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the levels with pixels on both sides."""
    return np.flatnonzero((below >= _TINY) & (np.abs(above) >= _TINY))


def _logarithms(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return natural logarithms, 0 for what is not positive."""
    return np.log(np.where(values > 0, values, 1.0))


def _sums_above(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each level the sum of the values above it."""
    return np.append(np.cumsum(values[::-1])[::-1][1:], 0.0)


def _entropies(sums: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return log P - sum(p log p) / P, the entropy of shares p that add up to P."""
    positive = np.where(shares > 0, shares, 1.0)
    return np.log(positive) - sums / positive


def _renyi_level(
    p: NDArray[np.float64], below: NDArray[np.float64], above: NDArray[np.float64], order: float
) -> int | None:
    powers = p**order
    dark, bright = np.cumsum(powers), _sums_above(powers)
    products = dark * bright / np.where(below * above > 0, below * above, 1.0) ** order
    return _first_most(_logarithms(products) / (1 - order), below, above)


def _first_most(values: NDArray[np.float64], below: NDArray[np.float64], above: NDArray[np.float64]) -> int | None:
    levels = _levels(below, above)
    return int(levels[np.argmax(values[levels])]) if levels.size else None
