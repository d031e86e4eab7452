"""Colours of a preview: particles that touch never have the same one. No Qt here."""

from __future__ import annotations

import numpy as np

_HEX = ("E69F00", "56B4E9", "009E73", "F0E442", "0072B2", "D55E00", "CC79A7")  # Okabe and Ito
_OPACITY = 235
_COLOURS = np.array([[int(text[i : i + 2], 16) for i in (0, 2, 4)] + [_OPACITY] for text in _HEX], np.uint8)
_DROPPED = np.array([40, 40, 40, _OPACITY], np.uint8)
_NEAR = ((0, 1), (1, 0), (1, 1), (1, -1), (0, 2), (2, 0))  # over a dividing line too


def coloured(labels: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Return a picture of labels with transparency.

    Parameters
    ----------
    labels : numpy.ndarray
        int32 ``(Y, X)``.
    before : numpy.ndarray
        bool ``(Y, X)``; what is here and not in a label was dropped, and is dark grey.

    Returns
    -------
    numpy.ndarray
        uint8 ``(Y, X, 4)``.
    """
    picture = np.zeros((*labels.shape, 4), np.uint8)
    picture[before] = _DROPPED
    inside = labels > 0
    picture[inside] = _COLOURS[_numbers(labels)[labels[inside]]]
    return picture


def _numbers(labels: np.ndarray) -> np.ndarray:
    """Return a colour's number per label: in turn, and where a neighbour has it already, the next that is free."""
    numbers = np.arange(int(labels.max(initial=0)) + 1) % len(_COLOURS)
    neighbours: dict[int, set[int]] = {}
    for low, high in _touching(labels):
        neighbours.setdefault(high, set()).add(low)
    for label in sorted(neighbours):
        taken = {int(numbers[other]) for other in neighbours[label]}
        free = [(label + step) % len(_COLOURS) for step in range(len(_COLOURS))]
        numbers[label] = next((number for number in free if number not in taken), free[0])
    return numbers


def _touching(labels: np.ndarray) -> list[tuple[int, int]]:
    pairs = []
    height, width = labels.shape
    for dy, dx in _NEAR:
        one = labels[: height - dy, max(0, -dx) : width - max(0, dx)]
        other = labels[dy:, max(0, dx) : width - max(0, -dx)]
        apart = (one != other) & (one > 0) & (other > 0)
        found = np.stack([one[apart], other[apart]], 1)
        pairs.append(np.sort(found, axis=1))
    return [(int(low), int(high)) for low, high in np.unique(np.concatenate(pairs), axis=0)]
