"""The level half-way between the means of both sides, in the three variants of ImageJ."""

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]


def isodata(counts: Counts) -> int | None:
    """Return the first level that is half-way between the means of both sides.

    Notes
    -----
    Levels are tried upwards from the one above the darkest grey value (0 not counted). The dark side ends below the
    level and the bright side starts above it; their means are cut to whole numbers, the mean of both is rounded. There
    is no level if none fits up to 254.

    References
    ----------
    Ridler and Calvard 1978, doi:10.1109/TSMC.1978.4310039.
    """
    grey = np.arange(256)
    pixels, sums = np.cumsum(counts), np.cumsum(counts * grey)
    filled = np.flatnonzero(counts[1:])
    for level in range(int(filled[0]) + 2 if filled.size else 0, 255):
        dark = pixels[level - 1] if level else 0
        bright = pixels[-1] - pixels[level]
        if dark and bright:
            means = sums[level - 1] // dark + (sums[-1] - sums[level]) // bright
            if level == (means + 1) // 2:
                return level
    return None


def ij_isodata(counts: Counts) -> int | None:
    """Return the level half-way between the means of both sides, by ImageJ's own iteration.

    Notes
    -----
    Grey values 0 and 255 are left out, as areas that were erased. From the darkest grey value upwards, until the level
    is no longer below half-way between the means of both sides; that half-way point is rounded. 128 if fewer than two
    grey values are left.

    References
    ----------
    Ridler and Calvard 1978, doi:10.1109/TSMC.1978.4310039.
    """
    inner = counts.copy()
    inner[[0, 255]] = 0
    filled = np.flatnonzero(inner)
    if filled.size < 2:
        return 128
    lowest, highest = int(filled[0]), int(filled[-1])
    pixels, sums = np.cumsum(inner), np.cumsum(inner * np.arange(256))
    for level in range(lowest, highest):
        dark = sums[level] / pixels[level]
        bright = (sums[-1] - sums[level]) / (pixels[-1] - pixels[level])
        middle = (dark + bright) / 2
        if level + 2 > middle or level + 1 >= highest - 1:
            break
    return int(np.floor(middle + 0.5))


def imagej_default(counts: Counts) -> int | None:
    """Return :func:`ij_isodata` of the histogram with its peak cut.

    Notes
    -----
    If the most frequent grey value is more than twice as frequent as the second most frequent one, it counts one and a
    half times as often as that one: a large, even background does not pull the level to itself.

    References
    ----------
    ImageJ, ``Default`` in Image > Adjust > Threshold; Ridler and Calvard 1978, doi:10.1109/TSMC.1978.4310039.
    """
    mode = int(np.argmax(counts))
    second = int(np.delete(counts, mode).max())
    cut = counts.copy()
    if second and counts[mode] > 2 * second:
        cut[mode] = int(second * 1.5)
    return ij_isodata(cut)
