"""Which particles two windows have in common, told from the strip that both looked at.

Windows need not agree on everything: a particle may be cut by the one's edge, and be seen a pixel larger by the other.
So particles are compared by their pixels in the strip, and are the same where those agree well. Compared is all that a
window shows of a particle there, and each connected part at the border by itself as well: a fibre bent like a U crosses
a border twice, and only the window with the bend can know that both legs are one.
"""

from itertools import product
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

AGREEMENT = 0.5
"""Common pixels over all pixels (IoU) from which two windows mean the same particle.

Above a half a particle can have one partner only; where two make exactly a half each, the first is taken.
"""


def same_particles(one: Array, other: Array, border: tuple[slice, slice], connectivity: int = 2) -> Array:
    """Return which particles of two neighbouring windows are the same.

    Parameters
    ----------
    one, other : ndarray of int32
        ``(Y, X)``: what either window saw in the strip around their common border. 0 is background.
    border : tuple of slice
        Rows and columns of the pixels on either side of the border. Connected parts of particles are compared by
        themselves only if they have a pixel there.
    connectivity : int
        1 joins over edges (4 neighbours), 2 also over corners (8 neighbours).

    Returns
    -------
    ndarray of int64
        ``(n, 2)``: numbers of `one` and of `other`, each pair once, sorted.
    """
    from skimage.measure import label

    both = (one > 0) & (other > 0)
    if not both.any():
        return np.zeros((0, 2), np.int64)
    parts = [label(strip, background=0, connectivity=connectivity) for strip in (one, other)]
    owners = [_owners(part, strip) for part, strip in zip(parts, (one, other), strict=True)]
    themselves = [_at_border(part, border, len(owner)) for part, owner in zip(parts, owners, strict=True)]
    sizes = [np.bincount(part.ravel(), minlength=len(owner)) for part, owner in zip(parts, owners, strict=True)]
    key, common = np.unique(parts[0][both].astype(np.int64) * len(owners[1]) + parts[1][both], return_counts=True)
    met = np.divmod(key, len(owners[1]))
    found = []
    for ways in product((True, False), repeat=2):
        # a part under the number of the particle it belongs to, or under its own
        names = [owner if whole else own for owner, own, whole in zip(owners, themselves, ways, strict=True)]
        areas = [np.bincount(name, size) for name, size in zip(names, sizes, strict=True)]
        first, second, overlap = _added([name[which] for name, which in zip(names, met, strict=True)], common)
        # overlap / (first + second - overlap) >= 1 / 2, in whole numbers; of parts more, so that halves join but once
        least = areas[0][first] + areas[1][second] + (not all(ways))
        enough = (3 * overlap >= least) & (first > 0) & (second > 0)
        pair = _one_each(first[enough], second[enough])
        found.append([one if whole else owner[one] for one, owner, whole in zip(pair, owners, ways, strict=True)])
    return np.unique(np.concatenate([np.stack(pair, axis=1) for pair in found]).astype(np.int64), axis=0)


def touching_alone(agreed: Array, near: Array, far: Array, connectivity: int = 2) -> Array:
    """Return what touches across a border and has no partner in the other window, on either side.

    Two windows saw so differently what crosses the border there, a thin fibre moved by a pixel, that no more than
    touching can be said.

    Parameters
    ----------
    agreed : ndarray of int64
        ``(n, 2)`` of :func:`same_particles`.
    near, far : ndarray of int32
        ``(n,)``: numbers along the border in the tile before it, and in that after it, each by its own window.
    connectivity : int
        As there.

    Returns
    -------
    ndarray of int64
        ``(n, 2)``, some more than once.
    """
    count = len(near)
    found = [np.zeros((0, 2), np.int64)]
    for shift in (-1, 0, 1) if connectivity == 2 else (0,):
        low, high = max(0, -shift), max(0, count - max(0, shift))
        pair = np.stack([near[low:high], far[low + shift : high + shift]], axis=1).astype(np.int64)
        alone = (pair > 0).all(1) & ~np.isin(pair[:, 0], agreed[:, 0]) & ~np.isin(pair[:, 1], agreed[:, 1])
        found.append(pair[alone])
    return np.concatenate(found)


def _owners(parts: Array, strip: Array) -> Array:
    """Return which particle each connected part belongs to; entry 0 is the background."""
    owners = np.zeros(int(parts.max()) + 1, np.int64)
    owners[parts.ravel()] = strip.ravel()
    return owners


def _at_border(parts: Array, border: tuple[slice, slice], count: int) -> Array:
    """Return of each connected part its own number if it has a pixel at the border, else 0."""
    numbers = np.zeros(count, np.int64)
    there = np.unique(parts[border])
    numbers[there] = there
    return numbers


def _added(pair: list[Array], common: Array) -> tuple[Array, Array, Array]:
    """Return every pair of numbers once, in order, with the sum of its common pixels."""
    met, which = np.unique(np.stack(pair, axis=1), axis=0, return_inverse=True)
    return met[:, 0], met[:, 1], np.bincount(which.ravel(), common, len(met)).astype(np.int64)


def _one_each(first: Array, second: Array) -> tuple[Array, Array]:
    """Keep of pairs in order the first of each number on either side: of a particle cut in two equal halves, one."""
    once, again = (np.unique(side, return_index=True)[1] for side in (first, second))
    keep = np.intersect1d(once, again)
    return first[keep], second[keep]
