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
    fine, runs = _scan(labels)
    if not fine:
        raise ImageError(
            f"Labels must not be negative, but {labels.min()} was found. "
            "Use 0 for background and 1, 2, 3 ... for particles."
        )
    return Runs(*runs)


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
def _scan(labels):  # type: ignore[no-untyped-def]
    """Return whether no label is negative, and the runs: int64 ``(4, R)``, row, first column, end and label.

    A row is looked through twice while it is in the processor's cache: for stretches of background, then for runs.
    """
    height, width = labels.shape
    empty = np.empty(-(-width // _STRETCH), np.bool_)
    runs = np.empty((4, 1024), np.int64)
    n = 0
    for y in range(height):
        row = labels[y]
        if _find_empty(row, empty) < 0:
            return False, runs[:, :0]
        if runs.shape[1] < n + width:
            larger = np.empty((4, 2 * runs.shape[1] + width), np.int64)
            larger[:, :n] = runs[:, :n]
            runs = larger
        n = _fill_row(row, y, empty, runs, n)
    return True, runs[:, :n].copy()


@njit
def _find_empty(row, empty):  # type: ignore[no-untyped-def]
    """Fill `empty` with which stretches of a row are background; return a negative number if one of its labels is."""
    width = len(row)
    every = 0
    for k in range(width // _STRETCH):
        # A loop without branches and of a known length, which the compiler turns into wide instructions: background
        # costs next to nothing.
        bits = 0
        for x in range(_STRETCH):
            bits |= row[k * _STRETCH + x]
        empty[k] = bits == 0
        every |= bits
    if width % _STRETCH:
        bits = 0
        for x in range(width - width % _STRETCH, width):
            bits |= row[x]
        empty[width // _STRETCH] = bits == 0
        every |= bits
    return every


@njit
def _fill_row(row, y, empty, runs, n):  # type: ignore[no-untyped-def]
    previous = 0
    for stretch in range(len(empty)):
        if previous == 0 and empty[stretch]:
            continue
        for x in range(stretch * _STRETCH, min((stretch + 1) * _STRETCH, len(row))):
            value = row[x]
            if value == previous:
                continue
            if previous != 0:
                runs[2, n - 1] = x
            if value != 0:
                runs[0, n] = y
                runs[1, n] = x
                runs[3, n] = value
                n += 1
            previous = value
    if previous != 0:
        runs[2, n - 1] = len(row)
    return n


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
