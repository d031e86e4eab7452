"""Rules on sums over the histogram: its mean, its middle, its first moments."""

import math

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]


def mean(counts: Counts) -> int | None:
    """Return the mean grey value, cut to a whole number.

    References
    ----------
    Glasbey 1993, doi:10.1006/cgip.1993.1040.
    """
    return int((counts * np.arange(256)).sum() // counts.sum())


def percentile(counts: Counts) -> int | None:
    """Return the level up to which the share of pixels is nearest to one half; the first, of several.

    References
    ----------
    Doyle 1962, doi:10.1145/321119.321123.
    """
    return int(np.argmin(np.abs(np.cumsum(counts) / counts.sum() - 0.5)))


def moments(counts: Counts) -> int | None:
    """Return the level that keeps the first three moments of the image.

    Notes
    -----
    The image with two grey values z0 < z1 of the shares p0 and 1 - p0 that has the same mean, mean square and mean cube
    is found in closed form; the level is the first one with more than p0 of the pixels up to it.

    References
    ----------
    Tsai 1985, doi:10.1016/0734-189X(85)90133-1.
    """
    p = counts / counts.sum()
    grey = np.arange(256, dtype=np.float64)
    first, second, third = (float((p * grey**power).sum()) for power in (1, 2, 3))
    spread = second - first**2
    if spread <= 0:
        return None
    c0 = (first * third - second**2) / spread
    c1 = (first * second - third) / spread
    root = c1**2 - 4 * c0
    if root <= 0:
        return None
    z0, z1 = 0.5 * (-c1 - math.sqrt(root)), 0.5 * (-c1 + math.sqrt(root))
    more = np.flatnonzero(np.cumsum(p) > (z1 - first) / (z1 - z0))
    return int(more[0]) if more.size else None
