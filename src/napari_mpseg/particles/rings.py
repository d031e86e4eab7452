"""Mean value of the background beside particles, gathered block by block."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.particles.blocks import Block
from napari_mpseg.particles.compiled import njit
from napari_mpseg.particles.runs import Runs

#: Pixels beside a particle that are left out: they are often half particle.
RING_GAP = 1

#: Pixels that the ring is wide.
RING_WIDTH = 3

#: How far from a particle its ring reaches. Distances are those of a king on a chessboard.
RING_REACH = RING_GAP + RING_WIDTH


class RingCollector:
    """Takes one block after the other and gives each particle's mean over its ring.

    A ring pixel is background (label 0) and lies more than :data:`RING_GAP` and at most :data:`RING_REACH` pixels, in
    rows and columns, from the particle. It is counted in the block it lies in, so each block is seen with the labels
    within that reach.
    """

    def __init__(self) -> None:
        self._labels: list[NDArray[np.int64]] = []
        self._counts: list[NDArray[np.float64]] = []
        self._sums: list[NDArray[np.float64]] = []

    def add(self, runs: Runs, labels: NDArray[Any], pixels: NDArray[Any], origin: tuple[int, int], core: Block) -> None:
        """Take a block.

        Parameters
        ----------
        runs : Runs
            Of `labels`.
        labels : numpy.ndarray
            The block with the labels around it.
        pixels : numpy.ndarray
            ``(Y, X, C)``; those of the block alone that hold rings.
        origin : tuple of int
            First row and column of `pixels`, in the coordinates of `labels`.
        core : Block
            Where `pixels` lie, in the coordinates of `labels`.
        """
        order = np.argsort(runs.label, kind="stable")
        grouped = runs.chosen(order)
        first = np.flatnonzero(np.diff(grouped.label, prepend=0))
        start = np.append(first, len(grouped)).astype(np.int64)
        counts = np.zeros((len(first), 1))
        sums = np.zeros((len(first), pixels.shape[2]))
        bounds = core.y, core.y + core.height, core.x, core.x + core.width
        _add_rings(start, grouped.y, grouped.x0, grouped.x1, labels, pixels, origin, bounds, counts, sums)
        self._labels.append(grouped.label[first])
        self._counts.append(counts)
        self._sums.append(sums)

    def join(self, later: "RingCollector") -> None:
        """Take what another one has collected from blocks after those of this one."""
        self._labels += later._labels
        self._counts += later._counts
        self._sums += later._sums

    def finish(self, labels: NDArray[np.int64], channels: int) -> NDArray[np.float64]:
        """Return float64 ``(N, C)`` for the particles `labels` (sorted); NaN where a ring has no pixel."""
        counts, sums = np.zeros((len(labels), 1)), np.zeros((len(labels), channels))
        for seen, count, total in zip(self._labels, self._counts, self._sums, strict=True):
            place = np.searchsorted(labels, seen)
            counts[place] += count
            sums[place] += total
        with np.errstate(invalid="ignore"):
            return np.asarray(sums / counts)


@njit
def _add_rings(start, y, x0, x1, labels, pixels, origin, bounds, counts, sums):  # type: ignore[no-untyped-def]
    top, bottom, west, east = bounds
    mark = np.full(labels.shape[1], -1, np.int64)  # the last ring row that a column was seen in
    turn = 0
    for p in range(len(start) - 1):
        low = start[p]
        end = start[p + 1]
        for row in range(max(top, y[low] - RING_REACH), min(bottom, y[end - 1] + RING_REACH + 1)):
            while low < end and y[low] < row - RING_REACH:
                low += 1
            turn += 1
            k = low
            while k < end and y[k] <= row + RING_GAP:
                if y[k] >= row - RING_GAP:
                    for x in range(max(west, x0[k] - RING_GAP), min(east, x1[k] + RING_GAP)):
                        mark[x] = turn
                k += 1
            k = low
            while k < end and y[k] <= row + RING_REACH:
                for x in range(max(west, x0[k] - RING_REACH), min(east, x1[k] + RING_REACH)):
                    if mark[x] != turn:
                        mark[x] = turn
                        if labels[row, x] == 0:
                            counts[p, 0] += 1.0
                            for c in range(pixels.shape[2]):
                                sums[p, c] += pixels[row - origin[0], x - origin[1], c]
                k += 1
