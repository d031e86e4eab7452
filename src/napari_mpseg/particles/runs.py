"""Labels as runs: horizontal stretches of one label, and the pieces (8-connected) they form.

A run is ``(y, x0, x1, label)`` and covers the pixels ``x0 <= x < x1`` of row ``y``. Runs are kept in raster
order. Everything a particle's shape needs is in its runs, so a block of labels is read once and forgotten.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import ImageError
from napari_mpseg.particles.compiled import njit

_STRETCH = 64  # pixels of a row looked at together when skipping background


@dataclass(frozen=True)
class Runs:
    """Runs in raster order.

    Attributes
    ----------
    y, x0, x1 : numpy.ndarray
        int64; row, first column and the column after the last.
    label : numpy.ndarray
        int64; never 0.
    """

    y: NDArray[np.int64]
    x0: NDArray[np.int64]
    x1: NDArray[np.int64]
    label: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.y)

    def chosen(self, which: NDArray[Any]) -> "Runs":
        """Return the runs at `which` (boolean mask or indices)."""
        return Runs(self.y[which], self.x0[which], self.x1[which], self.label[which])

    def shifted(self, y: int, x: int) -> "Runs":
        """Return the runs moved by whole pixels."""
        return Runs(self.y + y, self.x0 + x, self.x1 + x, self.label)


@dataclass(frozen=True)
class Pieces:
    """Which runs form which 8-connected piece of one label.

    Attributes
    ----------
    of_run : numpy.ndarray
        int64; the piece each run belongs to. Pieces are numbered in raster order of their first pixel.
    order : numpy.ndarray
        int64; run indices, piece after piece, in raster order within each piece.
    start : numpy.ndarray
        int64, one longer than there are pieces; piece ``p`` has the runs ``order[start[p]:start[p + 1]]``.
    """

    of_run: NDArray[np.int64]
    order: NDArray[np.int64]
    start: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.start) - 1


def find_runs(labels: NDArray[Any]) -> Runs:
    """Return the runs of a label block ``(Y, X)`` of int32 or int64.

    Raises
    ------
    ImageError
        If a label is negative.
    """
    counts = np.empty(labels.shape[0], np.int64)
    total = _count_runs(labels, counts)
    if total < 0:
        raise ImageError(
            f"Labels must not be negative, but {labels.min()} was found. "
            "Use 0 for background and 1, 2, 3 ... for particles."
        )
    runs = Runs(*(np.empty(total, np.int64) for _ in range(4)))
    if total:
        _fill_runs(labels, counts, runs.y, runs.x0, runs.x1, runs.label)
    return runs


def find_pieces(runs: Runs) -> Pieces:
    """Join runs of one label that touch, sides or corners, into pieces."""
    of_run = np.empty(len(runs), np.int64)
    count = _join_runs(runs.y, runs.x0, runs.x1, runs.label, of_run)
    start = np.zeros(count + 1, np.int64)
    order = np.empty(len(runs), np.int64)
    _group_runs(of_run, start, order)
    return Pieces(of_run, order, start)


def merge_neighbours(runs: Runs) -> Runs:
    """Sort runs into raster order and make one of those that continue each other across a block border."""
    runs = runs.chosen(np.lexsort((runs.x0, runs.y)))
    if not len(runs):
        return runs
    continues = np.zeros(len(runs), bool)
    continues[1:] = (runs.y[1:] == runs.y[:-1]) & (runs.x0[1:] == runs.x1[:-1]) & (runs.label[1:] == runs.label[:-1])
    first = np.flatnonzero(~continues)
    last = np.append(first[1:], len(runs)) - 1
    return Runs(runs.y[first], runs.x0[first], runs.x1[last], runs.label[first])


@njit
def _any_bits(labels, y, a, b):  # type: ignore[no-untyped-def]
    # A loop without branches, which the compiler turns into wide instructions: empty stretches cost next to nothing.
    bits = labels[y, a]
    for x in range(a + 1, b):
        bits |= labels[y, x]
    return bits


@njit
def _count_runs(labels, counts):  # type: ignore[no-untyped-def]
    total = 0
    width = labels.shape[1]
    for y in range(labels.shape[0]):
        count = 0
        previous = 0
        for a in range(0, width, _STRETCH):
            b = min(a + _STRETCH, width)
            bits = _any_bits(labels, y, a, b)
            if bits < 0:
                return -1
            if bits == 0:
                previous = 0
                continue
            for x in range(a, b):
                value = labels[y, x]
                if value != previous and value != 0:
                    count += 1
                previous = value
        counts[y] = count
        total += count
    return total


@njit
def _fill_runs(labels, counts, ys, starts, ends, values):  # type: ignore[no-untyped-def]
    k = 0
    width = labels.shape[1]
    for y in range(labels.shape[0]):
        if counts[y] == 0:
            continue
        previous = 0
        for a in range(0, width, _STRETCH):
            b = min(a + _STRETCH, width)
            if previous == 0 and _any_bits(labels, y, a, b) == 0:
                continue
            for x in range(a, b):
                value = labels[y, x]
                if value != previous:
                    if previous != 0:
                        ends[k - 1] = x
                    if value != 0:
                        ys[k] = y
                        starts[k] = x
                        values[k] = value
                        k += 1
                    previous = value
        if previous != 0:
            ends[k - 1] = width


@njit
def _root(parent, i):  # type: ignore[no-untyped-def]
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@njit
def _join_runs(y, x0, x1, label, of_run):  # type: ignore[no-untyped-def]
    n = len(y)
    parent = np.arange(n)
    above, above_end, a = 0, 0, 0
    while a < n:
        b = a + 1
        while b < n and y[b] == y[a]:
            b += 1
        if above_end > above and y[above] == y[a] - 1:
            j = above
            for i in range(a, b):
                while j < above_end and x1[j] < x0[i]:
                    j += 1
                k = j
                while k < above_end and x0[k] <= x1[i]:
                    if label[k] == label[i]:
                        one, two = _root(parent, k), _root(parent, i)
                        # The smaller index stays root: a piece's root is the run with its first raster pixel.
                        if one < two:
                            parent[two] = one
                        else:
                            parent[one] = two
                    k += 1
        above, above_end, a = a, b, b
    count = 0
    for i in range(n):
        if parent[i] == i:
            of_run[i] = count
            count += 1
        else:
            of_run[i] = of_run[_root(parent, i)]
    return count


@njit
def _group_runs(of_run, start, order):  # type: ignore[no-untyped-def]
    for i in range(len(of_run)):
        start[of_run[i] + 1] += 1
    for p in range(len(start) - 1):
        start[p + 1] += start[p]
    place = start[:-1].copy()
    for i in range(len(of_run)):
        order[place[of_run[i]]] = i
        place[of_run[i]] += 1
