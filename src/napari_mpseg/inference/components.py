"""Connected components of a mask in memory, compiled: horizontal runs, joined from row to row, then written.

The mask is read once and only the pixels of particles are written, so background costs next to nothing.
"""

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np

Array = np.ndarray[Any, Any]

_STRETCH = 64  # pixels of a row looked at together when skipping background


@dataclass(frozen=True)
class Components:
    """The connected pixels of a mask, as runs.

    Attributes
    ----------
    shape : tuple of int
        Of the mask.
    runs : ndarray of int32
        ``(3, R)``: row, first column and the column after the last of every run, in raster order.
    of_run : ndarray of int32
        The component of every run, from 0 in raster order of the first pixel.
    areas : ndarray of int64
        Pixels of each component.
    first : ndarray of int64
        Flat index of each component's first pixel.
    """

    shape: tuple[int, int]
    runs: Array
    of_run: Array
    areas: Array
    first: Array

    def labels(self, numbers: Array | None = None) -> Array:
        """Return the labels, int32 ``(Y, X)``, 0 where there is none.

        Parameters
        ----------
        numbers : ndarray of int32, optional
            The label of every component; default 1, 2, 3 ...
        """
        labels = np.zeros(self.shape, np.int32)  # not touched, and so not in memory, where nothing is written
        _write(
            labels,
            self.runs,
            self.of_run,
            np.arange(1, len(self.areas) + 1, dtype=np.int32) if numbers is None else np.asarray(numbers, np.int32),
        )
        return labels

    def edges(self) -> tuple[tuple[Array, Array], ...]:
        """Return where components lie along the top, bottom, left and right edge, and which, counted from 0."""
        height, width = self.shape
        y, x0, x1 = self.runs
        top, bottom = slice(0, np.searchsorted(y, 1)), slice(np.searchsorted(y, height - 1), None)
        left, right = np.flatnonzero(x0 == 0), np.flatnonzero(x1 == width)
        across = (_columns(x0[part], x1[part], self.of_run[part]) for part in (top, bottom))
        return (*across, *((y[part], self.of_run[part]) for part in (left, right)))


def find_components(mask: Array, connectivity: int = 2) -> Components:
    """Find the connected pixels of a mask.

    Parameters
    ----------
    mask : ndarray of bool
        ``(Y, X)``.
    connectivity : int
        1 joins over edges (4 neighbours), 2 also over corners (8 neighbours).
    """
    values = np.ascontiguousarray(mask, dtype=bool).view(np.uint8)
    runs = _runs(values)
    of_run = _join(runs, connectivity - 1)
    return Components(mask.shape, runs, of_run, *_sums(runs, of_run, mask.shape[1]))


def _columns(x0: Array, x1: Array, of_run: Array) -> tuple[Array, Array]:
    """Return every column of some runs of one row, and its component."""
    lengths = x1 - x0
    starts = np.repeat(x0 - np.concatenate([[0], np.cumsum(lengths)[:-1]])[: len(x0)], lengths)
    return starts + np.arange(len(starts)), np.repeat(of_run, lengths)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _runs(values: Array) -> Array:
    """Return row, first column and the column after the last of every run, int32 ``(3, R)``, in raster order."""
    height, width = values.shape
    empty = np.empty(-(-width // _STRETCH), np.bool_)
    runs = np.empty((3, 256), np.int32)
    n = 0
    for y in range(height):
        row = values[y]
        if not _find_empty(row, empty):
            continue
        if runs.shape[1] < n + width // 2 + 1:
            larger = np.empty((3, 2 * runs.shape[1] + width), np.int32)
            larger[:, :n] = runs[:, :n]
            runs = larger
        inside = False
        for stretch in range(len(empty)):
            if empty[stretch] and not inside:
                continue
            for x in range(stretch * _STRETCH, min((stretch + 1) * _STRETCH, width)):
                if (row[x] != 0) == inside:
                    continue
                if inside:
                    runs[2, n] = x
                    n += 1
                else:
                    runs[0, n] = y
                    runs[1, n] = x
                inside = not inside
        if inside:
            runs[2, n] = width
            n += 1
    return runs[:, :n].copy()


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _find_empty(row: Array, empty: Array) -> bool:
    """Fill `empty` with which stretches of a row are background; return whether any is not."""
    width = len(row)
    every = 0
    for k in range(width // _STRETCH):
        # without branches and of a known length, which the compiler turns into wide instructions
        bits = 0
        for x in range(k * _STRETCH, (k + 1) * _STRETCH):
            bits |= row[x]
        empty[k] = bits == 0
        every |= bits
    if width % _STRETCH:
        bits = 0
        for x in range(width - width % _STRETCH, width):
            bits |= row[x]
        empty[width // _STRETCH] = bits == 0
        every |= bits
    return every != 0


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _join(runs: Array, reach: int) -> Array:
    """Return the component of every run, from 0 in raster order, as int32; runs touch across `reach` columns."""
    y, x0, x1 = runs[0], runs[1], runs[2]
    n = runs.shape[1]
    parent = np.arange(n).astype(np.int32)
    above, above_end, start = 0, 0, 0
    while start < n:
        end = start + 1
        while end < n and y[end] == y[start]:
            end += 1
        if above_end > above and y[above] == y[start] - 1:
            j = above
            for i in range(start, end):
                while j < above_end and x1[j] + reach <= x0[i]:
                    j += 1
                k = j
                while k < above_end and x0[k] < x1[i] + reach:
                    one, two = _root(parent, k), _root(parent, i)
                    # the smaller stays root: it is the run with the component's first pixel in raster order
                    if one < two:
                        parent[two] = one
                    else:
                        parent[one] = two
                    k += 1
        above, above_end, start = start, end, end
    count = 0
    of_run = np.empty(n, np.int32)
    for i in range(n):
        if parent[i] == i:
            of_run[i] = count
            count += 1
        else:
            of_run[i] = of_run[_root(parent, i)]
    return of_run


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _root(parent: Array, i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _sums(runs: Array, of_run: Array, width: int) -> tuple[Array, Array]:
    """Return area and flat first pixel of every component."""
    y, x0, x1 = runs[0], runs[1], runs[2]
    count = np.int64(of_run.max()) + 1 if len(of_run) else 0
    areas = np.zeros(count, np.int64)
    first = np.full(count, -1, np.int64)
    for i in range(len(of_run)):
        p = of_run[i]
        areas[p] += x1[i] - x0[i]
        if first[p] < 0:
            first[p] = np.int64(y[i]) * width + x0[i]
    return areas, first


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _write(labels: Array, runs: Array, of_run: Array, numbers: Array) -> None:
    y, x0, x1 = runs[0], runs[1], runs[2]
    for i in range(len(of_run)):
        number = numbers[of_run[i]]
        if number != 0:
            labels[y[i], x0[i] : x1[i]] = number
