"""Dividing labelled images into groups: folds with similar totals of particle pixels, and training, validation, test.

Images that belong together, such as two exposures of one sample, are kept together by a key.
"""

import itertools
from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np

from napari_mpseg.errors import SettingsError

_Group = list[tuple[float, list[int]]]
"""What must stay together, with its total."""


class Parts(NamedTuple):
    """Numbers of the images in each part, ascending."""

    train: list[int]
    validation: list[int]
    test: list[int]


def balanced_groups(
    totals: Sequence[float], count: int, seed: int = 0, keys: Sequence[Hashable] | None = None
) -> list[list[int]]:
    """Divide images into groups of similar totals, as Baek et al. 2021 did with particle pixels.

    The largest comes first, each into the group with the smallest total so far, which keeps any two groups within the
    total of one image (or one key); then pairs of groups exchange images for as long as this brings their totals
    closer. Images of equal totals come in a random order; images without any particle pixel are dealt out so that the
    groups have similar numbers of images.

    Parameters
    ----------
    totals : sequence of float
        Of each image, 0 or more; usually its number of particle pixels.
    count : int
        Groups.
    seed : int
    keys : sequence, optional
        Images of the same key come into the same group.

    Returns
    -------
    list of list of int
        The numbers of the images in each group, ascending.

    Raises
    ------
    SettingsError
        If there are fewer images, or fewer keys, than groups.
    """
    units = _units(totals, keys, seed)
    if count < 1 or len(units) < count:
        what = "images" if keys is None else "groups of images that belong together"
        raise SettingsError(f"{len(units)} {what} cannot be divided into {count} parts. Choose fewer parts.")
    groups: list[_Group] = [[] for _ in range(count)]
    for unit in sorted((unit for unit in units if unit[0] > 0), key=lambda unit: -unit[0]):
        min(groups, key=lambda group: (_total(group), _images(group))).append(unit)
    _exchange(groups)
    for unit in units:
        if unit[0] == 0:  # here the number of images decides, or all of those would come into one group
            min(groups, key=lambda group: (_images(group), _total(group))).append(unit)
    return [sorted(index for _, members in group for index in members) for group in groups]


def _total(group: _Group) -> float:
    return sum(total for total, _ in group)


def _images(group: _Group) -> int:
    return sum(len(members) for _, members in group)


def _exchange(groups: list[_Group]) -> None:
    """Let two groups give one unit each, or one of them alone, for as long as this brings their totals closer."""
    changed = True
    while changed:
        changed = sum(_closer(a, b) for a, b in itertools.combinations(groups, 2)) > 0


def _closer(a: _Group, b: _Group) -> bool:
    """Do the one exchange that brings the totals of two groups closest, if any brings them closer."""
    if _total(a) < _total(b):
        a, b = b, a
    gap = _total(a) - _total(b)
    given = np.array([total for total, _ in a])
    taken = np.array([0.0, *sorted(total for total, _ in b)])
    # an exchange of x for y changes the gap by 2 (x - y): the best y of every x lies next to x - gap / 2
    after = np.searchsorted(taken, given - gap / 2).clip(0, len(taken) - 1)
    pairs = [(k, j) for k, near in enumerate(after) for j in {near, max(near - 1, 0)}]
    left = [abs(gap - 2 * (given[k] - taken[j])) for k, j in pairs]
    best = int(np.argmin(left)) if left else -1
    if best < 0 or left[best] >= gap * (1 - 1e-9):
        return False
    k, j = pairs[best]
    if j:
        ascending = sorted(range(len(b)), key=lambda index: b[index][0])
        a.append(b.pop(ascending[j - 1]))
    b.append(a.pop(k))
    return True


def imbalance(totals: Sequence[float], groups: Sequence[Sequence[int]]) -> float:
    """Return how far the group furthest from the mean is from it, as a share of the mean; 0 is perfect balance."""
    sums = np.array([sum(totals[index] for index in group) for group in groups], float)
    return float(np.abs(sums - sums.mean()).max() / sums.mean()) if sums.any() else 0.0


def share_split(
    totals: Sequence[float] | int,
    shares: tuple[float, float, float] = (0.72, 0.08, 0.20),
    seed: int = 0,
    keys: Sequence[Hashable] | None = None,
) -> Parts:
    """Divide images into training, validation and test (Lee and Jhang 2021: 72, 8 and 20 %).

    Parameters
    ----------
    totals : sequence of float, or int
        What is shared out: particle pixels of each image; or just the number of images, all alike. Images without any
        particle pixel are shared out by their number.
    shares : tuple of float
        Of training, validation and test; their sum is 1. A part with a share of 0 stays empty, any other gets at
        least one image.
    seed : int
    keys : sequence, optional
        Images of the same key come into the same part: the same sample, or the same frame of a film.

    Raises
    ------
    SettingsError
        If the shares do not add up to 1, or there are fewer images (or keys) than parts.
    """
    if min(shares) < 0 or abs(sum(shares) - 1) > 1e-6:
        raise SettingsError(f"The shares {shares} of training, validation and test must be 0 or more and add up to 1.")
    weights = [1.0] * totals if isinstance(totals, int) else list(totals)
    units = _units(weights, keys, seed)
    used = [part for part in range(3) if shares[part] > 0]
    if len(units) < len(used):
        raise SettingsError(f"{len(units)} images that do not belong together are too few for {len(used)} parts.")
    parts: list[list[list[int]]] = [[], [], []]
    for some in ([unit for unit in units if unit[0] > 0], [(1.0, members) for total, members in units if total == 0]):
        missing = [share * sum(weight for weight, _ in some) for share in shares]
        for weight, members in sorted(some, key=lambda unit: -unit[0]):
            part = max(used, key=lambda k: missing[k])
            parts[part].append(members)
            missing[part] -= weight
    for part in used:
        if not parts[part]:
            fullest = max(used, key=lambda k: len(parts[k]))
            parts[part].append(parts[fullest].pop())  # the one that came last has the smallest total
    return Parts(*(sorted(index for members in part for index in members) for part in parts))


def fold_splits(
    totals: Sequence[float],
    folds: int = 5,
    validation: float = 0.1,
    seed: int = 0,
    keys: Sequence[Hashable] | None = None,
) -> list[Parts]:
    """Return training, validation and test of every fold of a cross-validation.

    Each group of :func:`balanced_groups` is the test set once; of the others a share is for validation. Five folds
    with 0.1 are the 72, 8 and 20 % of Lee and Jhang 2021.

    Parameters
    ----------
    totals, seed, keys
        As in :func:`balanced_groups`.
    folds : int
    validation : float
        Share of what is not the test set.
    """
    parts = []
    for test in balanced_groups(totals, folds, seed, keys):
        held = set(test)
        others = [index for index in range(len(totals)) if index not in held]
        own_keys = None if keys is None else [keys[index] for index in others]
        split = share_split([totals[index] for index in others], (1 - validation, validation, 0.0), seed, own_keys)
        parts.append(Parts([others[k] for k in split.train], [others[k] for k in split.validation], test))
    return parts


def _units(totals: Sequence[float], keys: Sequence[Hashable] | None, seed: int) -> list[tuple[float, list[int]]]:
    """Return what must stay together with its total, in a random order."""
    if keys is not None and len(keys) != len(totals):
        raise SettingsError(f"{len(totals)} images need as many keys, not {len(keys)}.")
    members: dict[Hashable, list[int]] = {}
    for index in range(len(totals)):
        members.setdefault(index if keys is None else keys[index], []).append(index)
    units = [(float(sum(totals[index] for index in group)), group) for group in members.values()]
    return [units[k] for k in np.random.default_rng(seed).permutation(len(units))]
