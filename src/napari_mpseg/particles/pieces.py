"""Pieces of labels, gathered block by block and stitched across block borders."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.particles.outlines import PIECE, join_hulls, measure_runs
from napari_mpseg.particles.piece_measures import PIECE_MEASURES, Asked
from napari_mpseg.particles.runs import Pieces, Runs, find_pieces, merge_neighbours


@dataclass(frozen=True)
class MeasuredPieces:
    """Pieces with their hulls, in pixel coordinates of the whole image.

    Attributes
    ----------
    records : numpy.ndarray
        One record of dtype :data:`~napari_mpseg.particles.outlines.PIECE` per piece.
    hull_start : numpy.ndarray
        int64, one longer than `records`.
    hull : numpy.ndarray
        int64 ``(K, 2)``; the hull corners ``(y, x)`` of all pieces, one after the other.
    more : dict
        What else was asked for: float64 ``(P, columns)`` by measure and ruler.
    """

    records: NDArray[Any]
    hull_start: NDArray[np.int64]
    hull: NDArray[np.int64]
    more: dict[Asked, NDArray[np.float64]] = field(default_factory=dict)


class PieceCollector:
    """Takes the runs of one block after the other and gives the pieces of the whole image.

    A piece that touches no inner block border is measured at once. Of the others only the runs are kept, until
    all blocks are seen and they can be joined; memory grows with particles and border-crossing outlines, not
    with the image.

    Parameters
    ----------
    shape : tuple of int
        Height and width of the whole image.
    asked : sequence of tuple
        More to find out about each piece, see :func:`~napari_mpseg.particles.piece_measures.asked_for`.
    """

    def __init__(self, shape: tuple[int, int], asked: Sequence[Asked] = ()) -> None:
        self._shape = shape
        self._asked = tuple(asked)
        self._done: list[MeasuredPieces] = []
        self._open: list[Runs] = []

    def add(self, runs: Runs, pieces: Pieces, origin: tuple[int, int], block_shape: tuple[int, int]) -> None:
        """Take the runs of a block (in block coordinates) whose first pixel is `origin`."""
        (y, x), (height, width) = origin, block_shape
        at_border = np.zeros(len(runs), bool)
        if y > 0:
            at_border |= runs.y == 0
        if y + height < self._shape[0]:
            at_border |= runs.y == height - 1
        if x > 0:
            at_border |= runs.x0 == 0
        if x + width < self._shape[1]:
            at_border |= runs.x1 == width
        is_open = np.zeros(len(pieces), bool)
        is_open[pieces.of_run[at_border]] = True
        if is_open.any():
            self._open.append(runs.chosen(is_open[pieces.of_run]).shifted(y, x))
        closed = np.flatnonzero(~is_open)
        if len(closed):
            self._done.append(_measure(runs, pieces, closed, (y, x), self._asked))

    def join(self, later: "PieceCollector") -> None:
        """Take what another one has collected from blocks after those of this one."""
        self._done += later._done
        self._open += later._open

    def finish(self) -> MeasuredPieces:
        """Join what crosses block borders and return all pieces."""
        if self._open:
            runs = merge_neighbours(_joined(self._open))
            self._open = []
            pieces = find_pieces(runs)
            self._done.append(_measure(runs, pieces, np.arange(len(pieces)), (0, 0), self._asked))
        if not self._done:
            none = {key: np.empty((0, PIECE_MEASURES[key[0]].columns)) for key in self._asked}
            return MeasuredPieces(np.empty(0, PIECE), np.zeros(1, np.int64), np.empty((0, 2), np.int64), none)
        sizes = [np.diff(part.hull_start) for part in self._done]
        return MeasuredPieces(
            np.concatenate([part.records for part in self._done]),
            np.concatenate([[0], np.cumsum(np.concatenate(sizes))]).astype(np.int64),
            np.concatenate([part.hull for part in self._done]),
            {key: np.concatenate([part.more[key] for part in self._done]) for key in self._asked},
        )


def joined_hulls(
    pieces: MeasuredPieces, members: NDArray[np.int64], group_start: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return one convex hull per group of pieces.

    Parameters
    ----------
    pieces : MeasuredPieces
        All pieces.
    members : numpy.ndarray
        Piece indices, group after group.
    group_start : numpy.ndarray
        int64, one longer than there are groups.

    Returns
    -------
    hull_start, hull : numpy.ndarray
        As in :class:`MeasuredPieces`, one hull per group.
    """
    hull_start = np.zeros(len(group_start), np.int64)
    hull = np.empty_like(pieces.hull)
    if len(members):
        join_hulls(group_start, members, pieces.hull_start, pieces.hull, hull_start, hull)
    return hull_start, hull[: hull_start[-1]]


def _measure(
    runs: Runs, pieces: Pieces, chosen: NDArray[np.int64], origin: tuple[int, int], asked: Sequence[Asked]
) -> MeasuredPieces:
    y, x = origin
    records = np.zeros(len(chosen), PIECE)
    hull_start = np.zeros(len(chosen) + 1, np.int64)
    # At most two corners on each grid line of a piece, and no piece has more rows than runs.
    hull = np.empty((2 * (len(runs) + len(chosen)), 2), np.int64)
    measure_runs(chosen, pieces.start, pieces.order, runs.y, runs.x0, runs.x1, runs.label, records, hull_start, hull)
    for name, shift in (("y0", y), ("y1", y), ("x0", x), ("x1", x)):
        records[name] += shift
    more = {(name, ruler): PIECE_MEASURES[name](runs, pieces, chosen, ruler) for name, ruler in asked}
    return MeasuredPieces(records, hull_start, hull[: hull_start[-1]] + np.array([y, x]), more)


def _joined(parts: list[Runs]) -> Runs:
    return Runs(
        np.concatenate([part.y for part in parts]),
        np.concatenate([part.x0 for part in parts]),
        np.concatenate([part.x1 for part in parts]),
        np.concatenate([part.label for part in parts]),
    )
