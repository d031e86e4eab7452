"""Drawing pixels of a mask at random, all equally likely, without listing them."""

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


class PixelIndex:
    """The True pixels of a mask by their number in reading order.

    A list of pixels takes sixteen bytes each, which for the background of a large image is gigabytes; this keeps one
    number per row and looks into one row per pixel asked for.

    Parameters
    ----------
    where : ndarray of bool
        ``(Y, X)``; kept, not copied.
    """

    def __init__(self, where: Array) -> None:
        self._where = where
        self._through_row = np.cumsum(np.count_nonzero(where, axis=1))

    def __len__(self) -> int:
        return int(self._through_row[-1]) if len(self._through_row) else 0

    def pixel(self, number: int) -> Array:
        """Return ``(y, x)`` of pixel `number`, counted from 0 in reading order."""
        y = int(np.searchsorted(self._through_row, number, side="right"))
        before = int(self._through_row[y - 1]) if y else 0
        return np.array([y, np.flatnonzero(self._where[y])[number - before]])
