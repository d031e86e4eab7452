"""Sums over the pixel values of particles, gathered block by block."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.particles.compiled import njit
from napari_mpseg.particles.runs import Pieces, Runs

# Columns of the sums: a reference value near the others, power sums of the difference to it, extremes, the sums of
# value times row and value times column (in block coordinates), and the number of values other than 0.
_REFERENCE, _S1, _S2, _S3, _S4, _MIN, _MAX, _VY, _VX, _SET = range(10)

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Intensities:
    """Value statistics of every particle and channel.

    All arrays are float64 ``(N, C)``, NaN where a particle has a pixel that is not finite.

    Attributes
    ----------
    mean, minimum, maximum : numpy.ndarray
        Over the particle's pixels.
    total : numpy.ndarray
        Sum of values.
    moment_2, moment_3, moment_4 : numpy.ndarray
        Central moments (divided by the number of pixels).
    weighted_y, weighted_x : numpy.ndarray
        Sum of value times pixel index, relative to the particle's bounding box.
    not_zero : numpy.ndarray
        Number of values other than 0.
    """

    mean: NDArray[np.float64]
    minimum: NDArray[np.float64]
    maximum: NDArray[np.float64]
    total: NDArray[np.float64]
    moment_2: NDArray[np.float64]
    moment_3: NDArray[np.float64]
    moment_4: NDArray[np.float64]
    weighted_y: NDArray[np.float64]
    weighted_x: NDArray[np.float64]
    not_zero: NDArray[np.float64]


class IntensityCollector:
    """Takes the pixels of one block after the other and gives the statistics of whole particles."""

    def __init__(self) -> None:
        self._labels: list[NDArray[np.int64]] = []
        self._counts: list[NDArray[np.int64]] = []
        self._origins: list[NDArray[np.int64]] = []
        self._sums: list[NDArray[np.float64]] = []

    def add(self, runs: Runs, pieces: Pieces, pixels: NDArray[Any], origin: tuple[int, int]) -> None:
        """Take the `pixels` ``(Y, X, C)`` under `runs` (same coordinates); `origin` is their first pixel."""
        counts = np.zeros(len(pieces), np.int64)
        sums = np.zeros((len(pieces), pixels.shape[2], 10), np.float64)
        _add_pixels(runs.y, runs.x0, runs.x1, pieces.of_run, pixels, counts, sums)
        self._labels.append(runs.label[pieces.order[pieces.start[:-1]]])
        self._counts.append(counts)
        self._origins.append(np.tile(np.array(origin, np.int64), (len(pieces), 1)))
        self._sums.append(sums)

    def join(self, later: "IntensityCollector") -> None:
        """Take what another one has collected from blocks after those of this one."""
        self._labels += later._labels
        self._counts += later._counts
        self._origins += later._origins
        self._sums += later._sums

    def finish(self, labels: Integers, y0: Integers, x0: Integers, channels: int) -> Intensities:
        """Return the statistics of the particles `labels` (sorted) whose bounding boxes start at `y0`, `x0`."""
        if not len(labels):
            return Intensities(*(np.zeros((0, channels)) for _ in range(10)))
        part_labels = np.concatenate(self._labels)
        order = np.argsort(part_labels, kind="stable")
        first = np.searchsorted(part_labels[order], labels)
        group = np.repeat(np.arange(len(labels)), np.diff(np.append(first, len(order))))
        n = np.concatenate(self._counts)[order][:, None].astype(np.float64)
        sums = np.concatenate(self._sums)[order]
        origin = np.concatenate(self._origins)[order]
        with np.errstate(invalid="ignore", over="ignore"):
            return _merged(n, sums, origin, first, group, y0, x0)


def _merged(
    n: NDArray[np.float64],
    sums: NDArray[np.float64],
    origin: NDArray[np.int64],
    first: NDArray[np.int64],
    group: NDArray[np.int64],
    y0: NDArray[np.int64],
    x0: NDArray[np.int64],
) -> Intensities:
    reference = sums[first, :, _REFERENCE]
    # Each part was summed relative to its own reference value: move all parts of a particle to that of the first.
    d = sums[:, :, _REFERENCE] - reference[group]
    s1, s2, s3, s4 = (sums[:, :, k] for k in (_S1, _S2, _S3, _S4))
    m4 = s4 + 4 * d * s3 + 6 * d**2 * s2 + 4 * d**3 * s1 + n * d**4
    m3 = s3 + 3 * d * s2 + 3 * d**2 * s1 + n * d**3
    m2 = s2 + 2 * d * s1 + n * d**2
    m1 = s1 + n * d
    value = n * sums[:, :, _REFERENCE] + s1
    weighted_y = sums[:, :, _VY] + (origin[:, 0] - y0[group])[:, None] * value
    weighted_x = sums[:, :, _VX] + (origin[:, 1] - x0[group])[:, None] * value

    def added(parts: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.add.reduceat(parts, first, axis=0)

    area = added(n)
    m1, m2, m3, m4 = (added(m) / area for m in (m1, m2, m3, m4))
    total = added(value)
    unknown = ~np.isfinite(total)
    result = Intensities(
        mean=total / area,
        minimum=np.minimum.reduceat(sums[:, :, _MIN], first, axis=0),
        maximum=np.maximum.reduceat(sums[:, :, _MAX], first, axis=0),
        total=total,
        moment_2=np.maximum(m2 - m1**2, 0.0),
        moment_3=m3 - 3 * m1 * m2 + 2 * m1**3,
        moment_4=np.maximum(m4 - 4 * m1 * m3 + 6 * m1**2 * m2 - 3 * m1**4, 0.0),
        weighted_y=added(weighted_y),
        weighted_x=added(weighted_x),
        not_zero=added(sums[:, :, _SET]),
    )
    for values in vars(result).values():
        values[unknown] = np.nan
    return result


@njit
def _add_pixels(y, x0, x1, of_run, pixels, counts, sums):  # type: ignore[no-untyped-def]
    for run in range(len(y)):
        p = of_run[run]
        for c in range(pixels.shape[2]):
            out = sums[p, c]
            if counts[p] == 0:
                value = np.float64(pixels[y[run], x0[run], c])
                out[0] = value
                out[5] = value
                out[6] = value
            reference, low, high = out[0], out[5], out[6]
            s1 = s2 = s3 = s4 = vx = not_zero = 0.0
            for x in range(x0[run], x1[run]):
                value = np.float64(pixels[y[run], x, c])
                d = value - reference
                s1 += d
                s2 += d * d
                s3 += d * d * d
                s4 += d * d * d * d
                vx += value * x
                not_zero += value != 0.0
                low = min(low, value)
                high = max(high, value)
            out[1] += s1
            out[2] += s2
            out[3] += s3
            out[4] += s4
            out[5] = low
            out[6] = high
            out[7] += y[run] * (s1 + reference * (x1[run] - x0[run]))
            out[8] += vx
            out[9] += not_zero
        counts[p] += x1[run] - x0[run]
