"""The measured numbers with which pixels become network input."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import SettingsError


@dataclass(frozen=True)
class Scaling:
    """``(value - low) / (high - low)``, one for all pixels and channels of an image.

    Attributes
    ----------
    kind : str
        The normalisation it was measured by.
    low, high : float
        The grey values that become 0 and 1.
    clip : bool
        Whether results are limited to 0..1.
    not_finite : int
        How many pixels with NaN or infinities were seen; these were left out of the measurement.
    """

    kind: str
    low: float
    high: float
    clip: bool = True
    not_finite: int = 0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high)):
            raise SettingsError(f"A scaling from {self.low} to {self.high} is impossible: both must be finite numbers.")

    def apply(self, tile: NDArray[Any]) -> NDArray[np.float32]:
        """Return a tile as network input; the tile itself is not changed.

        Parameters
        ----------
        tile : ndarray
            Any shape and real dtype.

        Returns
        -------
        ndarray of float32
            NaN and infinities become 0, as does everything in an image of one value.
        """
        span = self.high - self.low
        if span == 0:
            return np.zeros(tile.shape, np.float32)
        # float32 holds 8- and 16-bit values exactly; wider ones lose their differences if rounded before subtracting.
        exact = tile.dtype.itemsize <= 2 or tile.dtype == np.float32
        values: NDArray[np.floating[Any]] = tile.astype(np.float32 if exact else np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            if self.low:
                values -= self.low
            values /= span
            result = values.astype(np.float32, copy=False)
        if tile.dtype.kind == "f":
            result[~np.isfinite(tile)] = 0.0
            np.nan_to_num(result, copy=False, nan=0.0)
        if self.clip:
            np.clip(result, 0.0, 1.0, out=result)
        return result
