"""Sides of pixels that part a particle from what is beside it."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

EAST, SOUTH, WEST, NORTH = range(4)
"""Directions in which a side is walked, the particle on the right hand."""


@dataclass(frozen=True)
class Sides:
    """Sides of pixels, in any order.

    Attributes
    ----------
    label, y, x, way : numpy.ndarray
        int64 ``(N,)``: whose side, the corner it starts from, and its direction.
    """

    label: Ints
    y: Ints
    x: Ints
    way: Ints

    def chosen(self, which: NDArray[Any]) -> "Sides":
        """Return the sides at `which` (boolean mask or indices)."""
        return Sides(self.label[which], self.y[which], self.x[which], self.way[which])


def between_rows(values: NDArray[Any], y: int, x: int = 0) -> Sides:
    """Return the horizontal sides between each row of labels and the next.

    Parameters
    ----------
    values : ndarray
        ``(Y + 1, X)``; its second row is row `y` of the image, its first column is column `x`.
    y, x : int
    """
    upper, lower = values[:-1], values[1:]
    rows, columns = np.nonzero(upper != lower)
    over, under = upper[rows, columns].astype(np.int64), lower[rows, columns].astype(np.int64)
    rows, columns = rows + y, columns + x
    return joined(
        [
            Sides(under, rows, columns, np.full(len(rows), EAST)),  # the top of a pixel
            Sides(over, rows, columns + 1, np.full(len(rows), WEST)),  # the bottom of one
        ]
    )


def between_columns(values: NDArray[Any], y: int, x: int = 0) -> Sides:
    """Return the vertical sides between each column of labels and the next.

    Parameters
    ----------
    values : ndarray
        ``(Y, X + 1)``; its second column is column `x` of the image, its first row is row `y`.
    y, x : int
    """
    left, right = values[:, :-1], values[:, 1:]
    rows, columns = np.nonzero(left != right)
    before, after = left[rows, columns].astype(np.int64), right[rows, columns].astype(np.int64)
    rows, columns = rows + y, columns + x
    return joined(
        [
            Sides(after, rows + 1, columns, np.full(len(rows), NORTH)),  # the left of a pixel
            Sides(before, rows, columns, np.full(len(rows), SOUTH)),  # the right of one
        ]
    )


def joined(parts: Sequence[Sides]) -> Sides:
    """Return the sides of several parts together."""
    none = np.zeros(0, np.int64)
    return Sides(*(np.concatenate([none, *(getattr(part, item.name) for part in parts)]) for item in fields(Sides)))
