"""Fragments of particles from the affinities of neighbouring pixels, and what lies between fragments; compiled."""

from typing import Any

import numba
import numpy as np

Array = np.ndarray[Any, Any]
_CORE = 0.8
"""A pixel with so much affinity to all its neighbours is inside; cores are pieces of such pixels."""
_JOIN = 128
"""Least affinity, of 255, by which a pixel is drawn to a fragment."""


def fragments_of(near: Array, mask: Array, offsets: Array) -> tuple[Array, int]:
    """Return fragments that cover a mask, int32 ``(Y, X)`` with numbers 1 to N in raster order, and N.

    Each has one core at most. Pixels beside the cores are drawn to them by the strongest affinities first.

    Parameters
    ----------
    near : ndarray of float32
        ``(K, Y, X)``: affinity of each pixel to the one at each offset.
    mask : ndarray of bool
        ``(Y, X)``.
    offsets : ndarray of int
        ``(K, 2)``; one of each two opposite neighbours.
    """
    fragments, inner, parents = np.zeros(mask.shape, np.int32), mask.copy(), np.arange(mask.size)
    pairs, ends = _sorted_pairs(near, mask, offsets, inner, np.float32(_CORE))
    steps = offsets[:, 0] * mask.shape[1] + offsets[:, 1]
    _unite(pairs, int(ends[255 - _JOIN]), inner.ravel(), steps, parents)
    return fragments, int(_number(parents, mask.ravel(), fragments.ravel()))


def pairs_between(affinities: Array, fragments: Array, offsets: Array) -> tuple[Array, Array, Array]:
    """Return the pairs of fragments that any offset connects.

    Parameters
    ----------
    affinities : ndarray of float32
        ``(K, Y, X)``.
    fragments : ndarray of int32
        ``(Y, X)``, 0 is background.
    offsets : ndarray of int
        ``(K, 2)``.

    Returns
    -------
    pairs : ndarray of int64
        ``(P, 2)``, in rising order.
    sums : ndarray of float64
        ``(P,)``; of the affinities of all pairs of pixels between them.
    counts : ndarray of int64
        ``(P,)``; how many these are.
    """
    keys = np.empty(_count_between(fragments, offsets), np.int64)
    values = np.empty(len(keys), np.float32)
    _list_between(affinities, fragments, offsets, keys, values)
    order = np.argsort(keys, kind="stable")
    keys, values = keys[order], values[order]
    starts = np.flatnonzero(np.diff(keys, prepend=-1))
    sums = np.add.reduceat(values.astype(np.float64), starts) if len(starts) else np.zeros(0)
    counts = np.diff(np.append(starts, len(keys)))
    found = keys[starts]
    return np.stack([found >> 32, found & 0xFFFFFFFF], 1), sums, counts


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _root(parents: Array, at: int) -> int:
    while parents[at] != at:
        parents[at] = parents[parents[at]]
        at = parents[at]
    return at


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _sorted_pairs(near: Array, mask: Array, offsets: Array, inner: Array, core: float) -> Any:
    """Return the pairs of pixels in the mask, strongest first, and where those of each strength end.

    A pair is ``pixel * kinds + kind``. Pixels of weak pairs are taken out of `inner`.
    """
    kinds, rows, columns = near.shape
    bins = np.zeros(257, np.int64)
    for k in range(kinds):
        down, right = offsets[k, 0], offsets[k, 1]
        for y in range(rows - down):
            for x in range(max(0, -right), min(columns, columns - right)):
                if mask[y, x] and mask[y + down, x + right]:
                    value = near[k, y, x]
                    if value < core:
                        inner[y, x] = False
                        inner[y + down, x + right] = False
                    bins[256 - min(255, max(0, int(value * 255)))] += 1
    for level in range(1, 257):
        bins[level] += bins[level - 1]
    pairs = np.empty(bins[256], np.int64)
    for k in range(kinds):
        down, right = offsets[k, 0], offsets[k, 1]
        for y in range(rows - down):
            for x in range(max(0, -right), min(columns, columns - right)):
                if mask[y, x] and mask[y + down, x + right]:
                    place = 255 - min(255, max(0, int(near[k, y, x] * 255)))
                    pairs[bins[place]] = (y * columns + x) * kinds + k
                    bins[place] += 1
    return pairs, bins


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _unite(pairs: Array, certain: int, inner: Array, steps: Array, parents: Array) -> None:
    """Make cores whole, then draw the rest to them by the first `certain` pairs; `inner` and `parents` are flat."""
    kinds = len(steps)
    for at in range(len(pairs)):
        p = pairs[at] // kinds
        q = p + steps[pairs[at] % kinds]
        if inner[p] and inner[q]:
            a, b = _root(parents, p), _root(parents, q)
            parents[max(a, b)] = min(a, b)
    cored = np.zeros(len(parents), np.bool_)
    for p in range(len(parents)):
        if inner[p]:
            cored[_root(parents, p)] = True
    for at in range(certain):
        p = pairs[at] // kinds
        a, b = _root(parents, p), _root(parents, p + steps[pairs[at] % kinds])
        if a != b and not (cored[a] and cored[b]):
            parents[max(a, b)] = min(a, b)
            cored[min(a, b)] = cored[a] or cored[b]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _number(parents: Array, mask: Array, fragments: Array) -> int:
    """Write the number of each pixel's root, which is the first pixel of its fragment; all are flat."""
    count = 0
    for p in range(len(parents)):
        if mask[p]:
            root = _root(parents, p)
            if root == p:
                count += 1
                fragments[p] = count
            else:
                fragments[p] = fragments[root]
    return count


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _count_between(fragments: Array, offsets: Array) -> int:
    rows, columns = fragments.shape
    count = 0
    for k in range(len(offsets)):
        down, right = offsets[k, 0], offsets[k, 1]
        for y in range(rows - down):
            for x in range(max(0, -right), min(columns, columns - right)):
                a, b = fragments[y, x], fragments[y + down, x + right]
                if a != b and a != 0 and b != 0:
                    count += 1
    return count


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _list_between(affinities: Array, fragments: Array, offsets: Array, keys: Array, values: Array) -> None:
    rows, columns = fragments.shape
    count = 0
    for k in range(len(offsets)):
        down, right = offsets[k, 0], offsets[k, 1]
        for y in range(rows - down):
            for x in range(max(0, -right), min(columns, columns - right)):
                a, b = np.int64(fragments[y, x]), np.int64(fragments[y + down, x + right])
                if a != b and a != 0 and b != 0:
                    keys[count] = (min(a, b) << 32) | max(a, b)
                    values[count] = affinities[k, y, x]
                    count += 1
