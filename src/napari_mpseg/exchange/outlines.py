"""Outlines of particles along the sides of their pixels, whatever holds the labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.particles.blocks import Block, label_array, read_labels
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback, silent

Loops = list[NDArray[np.int64]]

_BAND = 2**24  # pixels read at once
# Directions in which a side is walked, the particle on the right hand: east, south, west, north.
_EAST, _SOUTH, _WEST, _NORTH = range(4)
_STEP_Y, _STEP_X = np.array([0, 1, 0, -1]), np.array([1, 0, -1, 0])


@dataclass(frozen=True)
class _Sides:
    """Sides of pixels that part a particle from what is beside it.

    Attributes
    ----------
    label, y, x, way : numpy.ndarray
        int64 ``(N,)``: whose side, the corner it starts from, and its direction.
    """

    label: NDArray[np.int64]
    y: NDArray[np.int64]
    x: NDArray[np.int64]
    way: NDArray[np.int64]


def trace_outlines(
    labels: Any,
    wanted: Sequence[int] | NDArray[Any] | None = None,
    *,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> dict[int, Loops]:
    """Return the outlines of particles, those of their holes and of all their pieces included.

    Parameters
    ----------
    labels : array
        ``(Y, X)``, integer, 0 = background; numpy, dask or zarr, read once, a band of rows at a time.
    wanted : sequence of int, optional
        Which labels; default all.
    on_progress, cancel
        See :mod:`napari_mpseg.progress`.

    Returns
    -------
    dict of int to list of numpy.ndarray
        For each label that is there, ascending: closed outlines int64 ``(n, 2)``, corners ``(x, y)`` where the
        direction changes; pixel ``(y, x)`` covers x to x + 1 and y to y + 1. The particle lies to the right, with y
        down: outer outlines run clockwise as seen, those of holes against it. Pixels that touch with a corner have one
        outline. The first outline starts at the particle's first corner in raster order and is an outer one.

    Raises
    ------
    ImageError
        If the labels are not two-dimensional whole numbers.
    Cancelled
        If `cancel` was set.

    Examples
    --------
    >>> trace_outlines(np.array([[0, 1, 1]]))[1][0].tolist()
    [[1, 0], [3, 0], [3, 1], [1, 1]]
    """
    array = label_array(labels)
    sides = _sides(array, None if wanted is None else np.unique(np.asarray(wanted, np.int64)), on_progress, cancel)
    if not len(sides.label):
        return {}
    return _chained(sides, int(array.shape[1]) + 1, (int(array.shape[0]) + 1) * (int(array.shape[1]) + 1), cancel)


def _sides(
    array: Any, wanted: NDArray[np.int64] | None, on_progress: ProgressCallback, cancel: CancelToken | None
) -> _Sides:
    height, width = (int(size) for size in array.shape)
    rows = max(1, _BAND // max(width, 1))
    found: list[_Sides] = []
    above = np.zeros((1, width), np.int64)
    for y in range(0, height, rows):
        if cancel is not None:
            cancel.check()
        on_progress(Progress("Tracing outlines", y, height, "rows"))
        band = read_labels(array, Block(y, 0, min(rows, height - y), width))
        found.append(_only(_between_rows(np.concatenate([above, band]), y), wanted))
        found.append(_only(_between_columns(band, y), wanted))
        above = band[-1:]
    found.append(_only(_between_rows(np.concatenate([above, np.zeros_like(above)]), height), wanted))
    on_progress(Progress("Tracing outlines", height, height, "rows"))
    return _joined(found)


def _between_rows(band: NDArray[Any], y: int) -> _Sides:
    """Return the horizontal sides between each row of `band` and the next; the second row of it is row `y`."""
    upper, lower = band[:-1], band[1:]
    rows, columns = np.nonzero(upper != lower)
    over, under = upper[rows, columns].astype(np.int64), lower[rows, columns].astype(np.int64)
    rows = rows + y
    return _joined(
        [
            _Sides(under, rows, columns, np.full(len(rows), _EAST)),  # the top of a pixel
            _Sides(over, rows, columns + 1, np.full(len(rows), _WEST)),  # the bottom of one
        ]
    )


def _between_columns(band: NDArray[Any], y: int) -> _Sides:
    """Return the vertical sides within `band`, whose first row is row `y`."""
    framed = np.pad(band, ((0, 0), (1, 1)))
    left, right = framed[:, :-1], framed[:, 1:]
    rows, columns = np.nonzero(left != right)
    before, after = left[rows, columns].astype(np.int64), right[rows, columns].astype(np.int64)
    rows = rows + y
    return _joined(
        [
            _Sides(after, rows + 1, columns, np.full(len(rows), _NORTH)),  # the left of a pixel
            _Sides(before, rows, columns, np.full(len(rows), _SOUTH)),  # the right of one
        ]
    )


def _only(sides: _Sides, wanted: NDArray[np.int64] | None) -> _Sides:
    keep = sides.label > 0 if wanted is None else np.isin(sides.label, wanted) & (sides.label > 0)
    return _Sides(sides.label[keep], sides.y[keep], sides.x[keep], sides.way[keep])


def _joined(parts: Sequence[_Sides]) -> _Sides:
    return _Sides(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("label", "y", "x", "way")))


def _chained(sides: _Sides, columns: int, corners: int, cancel: CancelToken | None) -> dict[int, Loops]:
    """Put the sides of each label one after the other to closed outlines."""
    labels, number = np.unique(sides.label, return_inverse=True)
    start = number * corners + sides.y * columns + sides.x
    order = np.argsort(start, kind="stable")
    start, number, way = start[order], number[order], sides.way[order]
    y, x = sides.y[order], sides.x[order]
    end = number * corners + (y + _STEP_Y[way]) * columns + x + _STEP_X[way]
    follows = np.searchsorted(start, end)
    # Where two pixels touch with a corner, two sides start: a turn to the left goes on to the other pixel.
    second = np.minimum(follows + 1, len(start) - 1)
    left = (way + 3) % 4
    follows = np.where((start[second] == end) & (way[second] == left) & (way[follows] != left), second, follows)
    walk, begins = _walk(follows.tolist(), cancel)
    ways = way[walk]
    before = np.roll(ways, 1)
    before[begins] = ways[np.r_[begins[1:], len(walk)] - 1]
    points = np.stack([x[walk], y[walk]], axis=1)
    turns = ways != before
    outlines: dict[int, Loops] = {int(label): [] for label in labels}
    for first, last in zip(begins, np.r_[begins[1:], len(walk)], strict=True):
        label = int(labels[number[walk[first]]])
        outlines[label].append(points[first:last][turns[first:last]])
    return outlines


def _walk(follows: list[int], cancel: CancelToken | None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return all sides in the order in which they are walked, and where in it each outline begins."""
    done = bytearray(len(follows))
    walk: list[int] = []
    begins: list[int] = []
    for first in range(len(follows)):
        if done[first]:
            continue
        if cancel is not None:
            cancel.check()
        begins.append(len(walk))
        side = first
        while not done[side]:
            done[side] = 1
            walk.append(side)
            side = follows[side]
    return np.asarray(walk, np.int64), np.asarray(begins, np.int64)
