"""Which particles two windows have in common, told from the strip that both looked at.

Windows need not agree on everything: a particle may be cut by the one's edge, and be seen a pixel larger by the other.
So particles are compared by their pixels in the strip, and are the same where those agree well. Compared is all that a
window shows of a particle there, and each connected part of that by itself as well: a fibre bent like a U crosses a
border twice, and only the window with the bend can know that both legs are one.
"""

from itertools import product
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

AGREEMENT = 0.5
"""Common pixels over all pixels (IoU) from which two windows mean the same particle.

Above a half a particle can have one partner only; where two make exactly a half each, the first is taken.
"""


def same_particles(one: Array, other: Array, border: int, core: slice, connectivity: int = 2) -> Array:
    """Return which particles of two neighbouring windows are the same.

    Parameters
    ----------
    one, other : ndarray of int32
        ``(Y, X)``: what either window saw in the strip around their common border, which runs from top to bottom.
        0 is background.
    border : int
        Columns before it belong to the tile of `one`, the others to that of `other`.
    core : slice
        Rows that belong to the two tiles; those above and below belong to others.
    connectivity : int
        1 joins over edges (4 neighbours), 2 also over corners (8 neighbours).

    Returns
    -------
    ndarray of int64
        ``(n, 2)``: numbers of `one` and of `other`, each pair once, sorted.

    Notes
    -----
    A particle that ends at the border with no partner in the other window, and touches one there that has none either,
    is the same, too: two windows saw so differently what crosses the border that no more than touching can be said.
    """
    if not one.any() or not other.any():
        return np.zeros((0, 2), np.int64)
    agreed = _agreeing(one, other, connectivity)
    lonely = _touching(one[core, border - 1], other[core, border], connectivity)
    lonely = lonely[~np.isin(lonely[:, 0], agreed[:, 0]) & ~np.isin(lonely[:, 1], agreed[:, 1])]
    return np.unique(np.concatenate([agreed, lonely]), axis=0)


def _agreeing(one: Array, other: Array, connectivity: int) -> Array:
    """Return pairs of numbers, not in order and some more than once, whose pixels agree as wholes or in a part."""
    from skimage.measure import label

    parts = [label(strip, background=0, connectivity=connectivity) for strip in (one, other)]
    owners = [_owners(part, strip) for part, strip in zip(parts, (one, other), strict=True)]
    sizes = [np.bincount(part.ravel(), minlength=len(owner)) for part, owner in zip(parts, owners, strict=True)]
    both = (one > 0) & (other > 0)
    key, common = np.unique(parts[0][both].astype(np.int64) * len(owners[1]) + parts[1][both], return_counts=True)
    met = np.divmod(key, len(owners[1]))
    found = [np.zeros((0, 2), np.int64)]
    for ways in product((False, True), repeat=2):
        # a part by its own number, or by that of the particle it belongs to
        names = [owner if whole else np.arange(len(owner)) for owner, whole in zip(owners, ways, strict=True)]
        areas = [np.bincount(name, size) for name, size in zip(names, sizes, strict=True)]
        first, second, overlap = _added([name[which] for name, which in zip(names, met, strict=True)], common)
        # overlap / (first + second - overlap) >= 1 / 2, in whole numbers
        enough = 3 * overlap >= areas[0][first] + areas[1][second]
        first, second = _one_each(first[enough], second[enough])
        pair = [
            values if whole else owner[values]
            for values, owner, whole in zip((first, second), owners, ways, strict=True)
        ]
        found.append(np.stack(pair, axis=1).astype(np.int64))
    return np.concatenate(found)


def _owners(parts: Array, strip: Array) -> Array:
    """Return which particle each connected part belongs to; entry 0 is the background."""
    owners = np.zeros(int(parts.max()) + 1, np.int64)
    owners[parts.ravel()] = strip.ravel()
    return owners


def _added(pair: list[Array], common: Array) -> tuple[Array, Array, Array]:
    """Return every pair of numbers once, in order, with the sum of its common pixels."""
    met, which = np.unique(np.stack(pair, axis=1), axis=0, return_inverse=True)
    return met[:, 0], met[:, 1], np.bincount(which.ravel(), common, len(met)).astype(np.int64)


def _one_each(first: Array, second: Array) -> tuple[Array, Array]:
    """Keep of pairs in order the first of each number on either side: of a particle cut in two equal halves, one."""
    keep = np.zeros(len(first), bool)
    keep[np.intersect1d(*(np.unique(side, return_index=True)[1] for side in (first, second)))] = True
    return first[keep], second[keep]


def _touching(near: Array, far: Array, connectivity: int) -> Array:
    """Return pairs of numbers that touch across a border, from the lines of pixels on either side of it."""
    count = len(near)
    found = [np.zeros((0, 2), np.int64)]
    for shift in (-1, 0, 1) if connectivity == 2 else (0,):
        low, high = max(0, -shift), count - max(0, shift)
        pair = np.stack([near[low:high], far[low + shift : high + shift]], axis=1)
        found.append(pair[(pair > 0).all(1)].astype(np.int64))
    return np.concatenate(found)
