"""Mean probability of particles, gathered block by block."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import ImageError
from napari_mpseg.images.image import Image
from napari_mpseg.particles.compiled import njit
from napari_mpseg.particles.runs import Pieces, Runs

_WHOLE = 255.0  # how probability 1 is stored in uint8
_ROUNDING = 1e-6  # what sums in single precision, such as a softmax, may be off


def probability_array(probability: Any, shape: tuple[int, ...]) -> Any:
    """Return a probability ``(Y, X)`` that can be read by blocks, or say why it is none.

    Raises
    ------
    ImageError
        If it has another shape than the labels, or is neither uint8 nor floating point.
    """
    data = probability.data if isinstance(probability, Image) else probability
    if not (hasattr(data, "shape") and hasattr(data, "dtype")):
        data = np.asarray(data)
    if data.ndim == 3 and data.shape[2] == 1:
        data = data[:, :, 0]
    if tuple(data.shape) != shape:
        raise ImageError(
            f"The probability has the shape {tuple(data.shape)}, the labels {shape}. "
            "Give the probability these labels were made from, one plane (Y, X)."
        )
    if data.dtype != np.uint8 and data.dtype.kind != "f":
        raise ImageError(
            f"A probability is uint8 (255 stands for 1) or floating point from 0 to 1; this is {data.dtype}."
        )
    return data


class ConfidenceCollector:
    """Takes the probability of one block after the other and gives each particle's mean.

    Values may be off by 1e-6, and the mean is brought back to 0 to 1. A particle with a missing value (nan) under it
    has no confidence (nan).
    """

    def __init__(self) -> None:
        self._labels: list[NDArray[np.int64]] = []
        self._counts: list[NDArray[np.int64]] = []
        self._sums: list[NDArray[np.float64]] = []
        self._one = 1.0
        self._largest = 0.0

    def add(self, runs: Runs, pieces: Pieces, values: NDArray[Any]) -> None:
        """Take the probability ``(Y, X)`` under `runs` (same coordinates).

        Raises
        ------
        ImageError
            If a value is below 0 or above 1, by more than rounding.
        """
        counts = np.zeros(len(pieces), np.int64)
        sums = np.zeros(len(pieces))
        low, high = _add_values(runs.y, runs.x0, runs.x1, pieces.of_run, values, counts, sums)
        if values.dtype == np.uint8:
            self._one = _WHOLE  # only at the end, so that whole numbers are added without rounding
        elif low < -_ROUNDING or high > 1.0 + _ROUNDING:
            raise ImageError(
                f"A probability lies between 0 and 1, but this has values from {low:.9g} to {high:.9g}. "
                "Divide by its largest possible value, or give uint8 (255 stands for 1)."
            )
        self._largest = max(self._largest, high)
        self._labels.append(runs.label[pieces.order[pieces.start[:-1]]])
        self._counts.append(counts)
        self._sums.append(sums)

    def join(self, later: "ConfidenceCollector") -> None:
        """Take what another one has collected from blocks after those of this one."""
        self._labels += later._labels
        self._counts += later._counts
        self._sums += later._sums
        self._one = max(self._one, later._one)
        self._largest = max(self._largest, later._largest)

    def finish(self, labels: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return float64 ``(N,)`` for the particles `labels` (sorted).

        Raises
        ------
        ImageError
            If the probability is uint8 and 1 is its largest value: a mask of 0 and 1, by all appearance.
        """
        if self._one == _WHOLE and self._largest == 1.0:
            raise ImageError(
                "The probability is uint8, where 255 stands for 1, but its largest value under the particles is 1. "
                "If it is a mask of 0 and 1, multiply it by 255, or give it as floating point."
            )
        if not len(labels):
            return np.empty(0)
        place = np.searchsorted(labels, np.concatenate(self._labels))
        total = np.bincount(place, np.concatenate(self._sums), len(labels))
        count = np.bincount(place, np.concatenate(self._counts), len(labels))
        return np.asarray(np.clip(total / (self._one * count), 0.0, 1.0))


@njit
def _add_values(y, x0, x1, of_run, values, counts, sums):  # type: ignore[no-untyped-def]
    low, high = np.inf, -np.inf
    for run in range(len(y)):
        total = 0.0
        for x in range(x0[run], x1[run]):
            value = np.float64(values[y[run], x])
            total += value
            if value < low:  # never true of nan
                low = value
            if value > high:
                high = value
        sums[of_run[run]] += total
        counts[of_run[run]] += x1[run] - x0[run]
    return low, high
