"""Borders of histogram bars."""

import math

import numpy as np
from numpy.typing import NDArray

_FEWEST, _MOST = 5, 60
_FEW = 6  # bars, to which their number is lowered where values repeat
_STEPS_A_BAR = 3  # of a logarithmic axis, at the median
_REPEATED = 0.2  # different values per particle, below which values repeat
_MOST_PARTICLES, _EMPTY = 0.9, 0.1  # share of the particles among which so many bars may be empty


def bin_edges(values: NDArray[np.float64], *, log: bool, count: int = 0) -> NDArray[np.float64]:
    """Return borders of bars that hold all values, none falling on a border by accident of rounding.

    The width follows Freedman and Diaconis (1981), on a logarithmic axis that of the logarithms, within 5 to 60 bars.
    Where values come in steps (areas are whole pixels), borders lie half-way between steps, so that every bar holds
    whole steps. Where few sizes come again and again, as diameters of particles of a few pixels do, bars are made wider
    until few of them are empty.

    Parameters
    ----------
    values : numpy.ndarray
        ``(N,)``, finite; above zero for a logarithmic axis.
    log : bool
        Of equal width on a logarithmic axis.
    count : int
        Number of bars; 0 to choose it. There may be fewer where values come in steps.

    Returns
    -------
    numpy.ndarray
        Rising, two or more.
    """
    unique, counts = np.unique(values, return_counts=True)
    if not len(unique):
        return np.array([1.0, 10.0] if log else [0.0, 1.0])
    if len(unique) == 1:
        return _around(float(unique[0]), log=log)
    if count:
        return _edges(unique, count, log=log)
    bars = _bar_count(np.log(values) if log else values)
    step = value_step(unique)
    if log and step:  # else whole steps make bars of uneven width: one step, two, one, two
        widest = math.log1p(_STEPS_A_BAR * step / float(np.median(values)))
        bars = max(_FEW, min(bars, round(math.log(unique[-1] / unique[0]) / widest)))
    edges = _edges(unique, bars, log=log)
    while bars > _FEW and _many_empty(edges, unique, counts):
        bars -= 1
        edges = _edges(unique, bars, log=log)
    return edges


def value_step(unique: NDArray[np.float64]) -> float:
    """Return what all values are apart by whole multiples, or 0 where they come in no steps.

    Parameters
    ----------
    unique : numpy.ndarray
        ``(N,)``, rising, each once.
    """
    if len(unique) < 3:
        return 0.0
    step = float(np.diff(unique).min())
    multiples = (unique - unique[0]) / step
    whole = np.abs(multiples - np.rint(multiples)) <= 1e-6 * np.maximum(1, multiples)
    return step if multiples[-1] < 1e9 and bool(whole.all()) else 0.0


def _edges(unique: NDArray[np.float64], bars: int, *, log: bool) -> NDArray[np.float64]:
    step = value_step(unique)
    low, high = unique[0] - step / 2, unique[-1] + step / 2
    if log:
        low = max(low, unique[0] / 2)
    edges = np.geomspace(low, high, bars + 1) if log else np.linspace(low, high, bars + 1)
    if step:
        edges = np.unique(unique[0] + (np.rint((edges - unique[0]) / step - 0.5) + 0.5) * step)
        edges[0] = low
    # so that the outermost values lie inside, whatever rounding did to the borders
    edges[0], edges[-1] = min(edges[0], unique[0]), max(edges[-1], unique[-1])
    return np.asarray(edges)


def _many_empty(edges: NDArray[np.float64], unique: NDArray[np.float64], counts: NDArray[np.int64]) -> bool:
    """Return whether the same few values again and again leave bars empty where most particles are."""
    if len(unique) > _REPEATED * counts.sum():
        return False
    share = np.cumsum(np.histogram(unique, edges, weights=counts)[0]) / counts.sum()
    inside = np.diff(share, prepend=0)[(share > 0) & (np.r_[0, share[:-1]] < _MOST_PARTICLES)]
    return bool((inside == 0).mean() > _EMPTY) if len(inside) else False


def _around(value: float, *, log: bool) -> NDArray[np.float64]:
    if log:
        return np.array([value / 1.1, value * 1.1])
    half = 0.05 * abs(value) or 0.5
    return np.array([value - half, value + half])


def _bar_count(values: NDArray[np.float64]) -> int:
    low, quarter, three_quarters, high = np.quantile(values, (0, 0.25, 0.75, 1))
    width = 2 * (three_quarters - quarter) / len(values) ** (1 / 3)
    wanted = (high - low) / width if width > 0 else np.log2(len(values)) + 1  # Sturges
    return int(np.clip(np.ceil(wanted), _FEWEST, _MOST))
