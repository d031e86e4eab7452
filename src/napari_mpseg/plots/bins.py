"""Borders of histogram bars."""

import numpy as np
from numpy.typing import NDArray

_FEWEST, _MOST = 5, 60


def bin_edges(values: NDArray[np.float64], *, log: bool, count: int = 0) -> NDArray[np.float64]:
    """Return borders of bars that hold all values, none falling on a border by accident of rounding.

    The width follows Freedman and Diaconis (1981), on a logarithmic axis that of the logarithms, within 5 to 60 bars.
    Where values come in steps (areas are whole pixels), borders lie half-way between steps, so that every bar holds
    whole steps: bars of 1 and 2 pixels are not followed by an empty one.

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
    unique = np.unique(values)
    if not len(unique):
        return np.array([1.0, 10.0] if log else [0.0, 1.0])
    if len(unique) == 1:
        return _around(float(unique[0]), log=log)
    step = _step(unique)
    margin = step / 2
    low, high = unique[0] - margin, unique[-1] + margin
    if log:
        low = max(low, unique[0] / 2)
        bars = count or _bar_count(np.log(values))
        edges = np.geomspace(low, high, bars + 1)
    else:
        bars = count or _bar_count(values)
        edges = np.linspace(low, high, bars + 1)
    if step:
        edges = np.unique(unique[0] + (np.rint((edges - unique[0]) / step - 0.5) + 0.5) * step)
        edges[0] = low
    # so that the outermost values lie inside, whatever rounding did to the borders
    edges[0], edges[-1] = min(edges[0], unique[0]), max(edges[-1], unique[-1])
    return np.asarray(edges)


def _around(value: float, *, log: bool) -> NDArray[np.float64]:
    if log:
        return np.array([value / 1.1, value * 1.1])
    half = 0.05 * abs(value) or 0.5
    return np.array([value - half, value + half])


def _step(unique: NDArray[np.float64]) -> float:
    """Return what all values are apart by whole multiples, or 0."""
    step = float(np.diff(unique).min())
    multiples = (unique - unique[0]) / step
    whole = np.abs(multiples - np.rint(multiples)) <= 1e-6 * np.maximum(1, multiples)
    return step if multiples[-1] < 1e9 and bool(whole.all()) and len(unique) > 2 else 0.0


def _bar_count(values: NDArray[np.float64]) -> int:
    low, quarter, three_quarters, high = np.quantile(values, (0, 0.25, 0.75, 1))
    width = 2 * (three_quarters - quarter) / len(values) ** (1 / 3)
    wanted = (high - low) / width if width > 0 else np.log2(len(values)) + 1  # Sturges
    return int(np.clip(np.ceil(wanted), _FEWEST, _MOST))
