"""Rules on the histogram's shape: its peaks, the valley between them, the line from a peak to its foot, fuzziness."""

import math

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Curve = NDArray[np.float64]

_SMOOTHINGS = 10_000  # a histogram that has not come down to two peaks by then has no level


def intermodes(counts: Counts) -> int | None:
    """Return the grey value half-way between the two peaks of the smoothed histogram.

    Notes
    -----
    The histogram between the lowest and the highest grey value is smoothed by a running mean of three until it has two
    peaks. No level if that is not so after 10 000 rounds. (ImageJ 1.54 smooths all 256 bins.)

    References
    ----------
    Prewitt and Mendelsohn 1966, doi:10.1111/j.1749-6632.1965.tb11715.x.
    """
    filled = np.flatnonzero(counts)
    lowest, highest = int(filled[0]), int(filled[-1])
    smooth = _two_peaks(counts[lowest : highest + 1].astype(np.float64))
    return None if smooth is None else lowest + int(_peaks(smooth).sum()) // 2


def minimum(counts: Counts) -> int | None:
    """Return the valley between the two peaks of the smoothed histogram.

    Notes
    -----
    Smoothed as in :func:`intermodes`, but with the empty grey values at both ends.

    References
    ----------
    Prewitt and Mendelsohn 1966, doi:10.1111/j.1749-6632.1965.tb11715.x.
    """
    smooth = _two_peaks(counts.astype(np.float64))
    if smooth is None:
        return None
    valleys = np.flatnonzero((smooth[:-2] > smooth[1:-1]) & (smooth[2:] >= smooth[1:-1]))
    return int(valleys[0]) + 1 if valleys.size else None


def _two_peaks(curve: Curve) -> Curve | None:
    """Return the curve smoothed by a running mean of three until it has two peaks, None if it never has."""
    for _ in range(_SMOOTHINGS + 1):
        if _peaks(curve).size == 2:
            return curve
        curve = _running_mean(curve)
    return None


def _peaks(curve: Curve) -> NDArray[np.intp]:
    return np.flatnonzero((curve[:-2] < curve[1:-1]) & (curve[2:] < curve[1:-1])) + 1


def _running_mean(curve: Curve) -> Curve:
    padded = np.concatenate(([0.0], curve, [0.0]))
    smooth: Curve = (padded[:-2] + padded[1:-1] + padded[2:]) / 3
    return smooth


def triangle(counts: Counts) -> int | None:
    """Return the level farthest from the line between the histogram's peak and its far end.

    Notes
    -----
    The far end is the first empty grey value beyond the longer tail. Of the levels between, the one whose count lies
    farthest below the line is taken, less one; where the longer tail is the dark one, the histogram is mirrored first.
    No level if that would be below 0.

    References
    ----------
    Zack, Rogers and Latt 1977, doi:10.1177/25.7.70454.
    """
    filled = np.flatnonzero(counts)
    low, high = max(int(filled[0]) - 1, 0), min(int(filled[-1]) + 1, 255)
    peak = int(np.argmax(counts))
    mirrored = peak - low < high - peak
    if mirrored:
        counts, low, peak = counts[::-1], 255 - high, 255 - peak
    if low == peak:
        return low
    # normal of the line through (low, counts[low]) and the peak, scaled as to keep ties as they are
    across, along = float(counts[peak]), float(low - peak)
    length = math.hypot(across, along)
    across, along = across / length, along / length
    offset = across * low + along * float(counts[low])
    between = np.arange(low + 1, peak + 1)
    distances = across * between + along * counts[low + 1 : peak + 1] - offset
    best = int(np.argmax(distances))
    split = (low + 1 + best if distances[best] > 0 else low) - 1
    level = min(255 - split, 255) if mirrored else split
    return level if level >= 0 else None


def huang(counts: Counts) -> int | None:
    """Return the level of least fuzziness of both sides.

    Notes
    -----
    A grey value g belongs to its side to the degree m = 1 / (1 + |g - mean| / C), with the mean of its side and C
    the range of grey values; the fuzziness is the sum of - m log m - (1 - m) log(1 - m) over all pixels.

    References
    ----------
    Huang and Wang 1995, doi:10.1016/0031-3203(94)E0043-K.
    """
    filled = np.flatnonzero(counts)
    first, last = int(filled[0]), int(filled[-1])
    if first == last:
        return None
    part = counts[first : last + 1]
    grey = np.arange(first, last + 1)
    pixels, sums = np.cumsum(part)[:, np.newaxis], np.cumsum(part * grey)[:, np.newaxis]
    dark = sums[:-1] / pixels[:-1]
    bright = (sums[-1] - sums[:-1]) / (pixels[-1] - pixels[:-1])
    means = np.where(grey <= grey[:-1, np.newaxis], dark, bright)  # one row per level
    unsure = part * _fuzziness(np.abs(grey - means) / (last - first))
    # summed up one after the other: numpy's own order would part levels that an empty bin makes equal
    return first + int(np.argmin(np.cumsum(unsure, axis=1)[:, -1]))


def _fuzziness(distance: Curve) -> Curve:
    """Return how unsure it is that a grey value belongs to its side, from its distance to the mean over the range."""
    degree = 1 / (1 + distance)
    unsure = (degree >= 1e-6) & (degree <= 1 - 1e-6)
    degree = np.where(unsure, degree, 0.5)
    return np.where(unsure, -degree * np.log(degree) - (1 - degree) * np.log(1 - degree), 0.0)
