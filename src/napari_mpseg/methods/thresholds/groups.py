"""Rules that part the grey values into two groups: by variance, by error, by cross-entropy."""

import math

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]

_STEPS = 1000  # iterations that have not settled by then go round in circles


def otsu(counts: Counts) -> int | None:
    """Return the level of the greatest variance between both sides.

    Notes
    -----
    It is the t of the greatest (P S - S(t))^2 / (P (1 - P)), with S(t) the sum of p g over grey values g up to t, and S
    that over all. Over a gap in the histogram the variance is the same for several levels; the highest of them is
    taken, as in ImageJ up to 1.53t (1.54 takes the lowest). Levels 1 to 254 are looked at.

    References
    ----------
    Otsu 1979, doi:10.1109/TSMC.1979.4310076.
    """
    total = counts.sum()
    below = np.cumsum(counts).astype(np.float64)
    sums = np.cumsum(counts * np.arange(256)).astype(np.float64)
    weights = below * (total - below)
    variance = np.zeros(256)
    np.divide((below / total * sums[-1] - sums) ** 2, weights, out=variance, where=weights != 0)
    inner = variance[1:255]
    return 254 - int(np.argmax(inner[::-1]))


def min_error(counts: Counts) -> int | None:
    """Return the level of least error if the grey values of both sides were normally distributed.

    Notes
    -----
    Starting at the mean grey value, the level moves to where the two normal distributions with the sides' shares, means
    and variances cross, until it stays. If they do not cross, the level reached is kept; if they cross below 0, there
    is no level. As in ImageJ the logarithm of shares and variances is to base 10, where the paper has the natural one,
    and the squares of grey values times their counts are taken in 32 bits: see :func:`min_error_remark`.

    References
    ----------
    Kittler and Illingworth 1986, doi:10.1016/0031-3203(86)90030-0; the iteration of Glasbey 1993,
    doi:10.1006/cgip.1993.1040.
    """
    return _settled(counts, narrow=True)


def min_error_remark(counts: Counts) -> str | None:
    """Return a warning if the 32 bits of ImageJ's numbers were too few, so that the level is not the one meant."""
    chosen, meant = _settled(counts, narrow=True), _settled(counts, narrow=False)
    if chosen is None or chosen == meant:
        return None
    return (
        f"ImageJ's numbers overflow here, as so many pixels have one grey value. ImageJ chooses level {chosen}; "
        f"without the overflow it would be {'none' if meant is None else meant}."
    )


def _settled(counts: Counts, narrow: bool) -> int | None:
    grey = np.arange(256)
    squares = counts * grey**2
    if narrow:
        squares = squares.astype(np.int32)
    sums = tuple(np.cumsum(each, dtype=np.float64) for each in (counts, counts * grey, squares))
    level = int(sums[1][-1] / sums[0][-1])
    for _ in range(_STEPS):
        with np.errstate(all="ignore"):
            moved = _crossing(sums, level)
        if moved < 0:
            return None
        if not 0 <= moved <= 255 or moved == level:  # also if it is no number
            break
        level = int(moved)
    return level


def _crossing(sums: tuple[NDArray[np.float64], ...], level: int) -> np.float64:
    """Return where the normal distributions of both sides of a level cross, NaN if they do not."""
    total = sums[0][-1]
    (n1, s1, q1), (n2, s2, q2) = ([each[level] for each in sums], [each[-1] - each[level] for each in sums])
    mean1, mean2 = s1 / n1, s2 / n2
    variance1, variance2 = q1 / n1 - mean1**2, q2 / n2 - mean2**2
    a = 1 / variance1 - 1 / variance2
    b = mean1 / variance1 - mean2 / variance2
    c = mean1**2 / variance1 - mean2**2 / variance2
    c += np.log10(variance1 * (n2 / total) ** 2 / (variance2 * (n1 / total) ** 2))
    return np.float64(np.floor((b + np.sqrt(b**2 - a * c)) / a))


def li(counts: Counts) -> int | None:
    """Return the level of least cross-entropy between the image and its two sides.

    Notes
    -----
    Starting at the mean grey value, the level moves to (a - b) / (log a - log b), a and b being the means of both
    sides, rounded, until it stays. A side of mean 0 gives level 0.

    References
    ----------
    Li and Lee 1993, doi:10.1016/0031-3203(93)90115-D; the iteration of Li and Tam 1998,
    doi:10.1016/S0167-8655(98)00057-9.
    """
    pixels, sums = np.cumsum(counts), np.cumsum(counts * np.arange(256))
    moved = float(sums[-1] / pixels[-1])
    level = 0
    for _ in range(_STEPS):
        before, level = moved, int(moved + 0.5)
        dark = sums[level] / pixels[level] if pixels[level] else 0.0
        rest = pixels[-1] - pixels[level]
        bright = (sums[-1] - sums[level]) / rest if rest else 0.0
        moved = float(_middle(dark, bright))
        if abs(moved - before) <= 0.5:
            break
    return level


def _middle(dark: float, bright: float) -> int:
    if dark <= 0 or bright <= 0 or dark == bright:
        return 0
    return int((dark - bright) / (math.log(dark) - math.log(bright)) + 0.5)
