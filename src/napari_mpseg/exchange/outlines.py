"""Outlines of particles along the sides of their pixels, whatever holds the labels."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.exchange.sides import Sides, between_columns, between_rows, joined
from napari_mpseg.particles.blocks import Block, label_array, read_labels
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback, silent

Loops = list[NDArray[np.int64]]

_BAND = 2**24  # pixels read at once
# of each direction
_STEP_Y, _STEP_X = np.array([0, 1, 0, -1]), np.array([1, 0, -1, 0])


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
    return chained(sides, int(array.shape[0]), int(array.shape[1]), cancel)


def _sides(
    array: Any, wanted: NDArray[np.int64] | None, on_progress: ProgressCallback, cancel: CancelToken | None
) -> Sides:
    height, width = (int(size) for size in array.shape)
    rows = max(1, _BAND // max(width, 1))
    found: list[Sides] = []
    above = np.zeros((1, width), np.int64)
    for y in range(0, height, rows):
        if cancel is not None:
            cancel.check()
        on_progress(Progress("Tracing outlines", y, height, "rows"))
        band = read_labels(array, Block(y, 0, min(rows, height - y), width))
        found.append(_only(between_rows(np.concatenate([above, band]), y), wanted))
        found.append(_only(between_columns(np.pad(band, ((0, 0), (1, 1))), y), wanted))
        above = band[-1:]
    found.append(_only(between_rows(np.concatenate([above, np.zeros_like(above)]), height), wanted))
    on_progress(Progress("Tracing outlines", height, height, "rows"))
    return joined(found)


def _only(sides: Sides, wanted: NDArray[np.int64] | None) -> Sides:
    keep = sides.label > 0 if wanted is None else np.isin(sides.label, wanted) & (sides.label > 0)
    return sides.chosen(keep)


def chained(sides: Sides, height: int, width: int, cancel: CancelToken | None = None) -> dict[int, Loops]:
    """Put the sides of each label one after the other to closed outlines, as :func:`trace_outlines` returns them.

    Parameters
    ----------
    sides : Sides
        All sides of some particles.
    height, width : int
        Of the image.
    cancel : CancelToken, optional
    """
    columns = width + 1
    corners = (height + 1) * columns
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
