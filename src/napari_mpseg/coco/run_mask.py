"""The pixels of one annotation as stretches along the columns of the image, which is COCO's order of pixels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class RunMask:
    """A mask of an image, as pixels counted down its columns: pixel ``(y, x)`` is number ``x * height + y``.

    Attributes
    ----------
    start, end : ndarray of int64
        ``(R,)``: first number of each stretch, and the one after its last; rising, and apart from each other.
    height, width : int
        Of the image.
    """

    start: Ints
    end: Ints
    height: int
    width: int

    @property
    def area(self) -> int:
        """Number of pixels."""
        return int((self.end - self.start).sum())

    @property
    def bbox(self) -> tuple[int, int, int, int]:
        """Column and row of the first pixel, width and height: COCO's box; four zeros without a pixel."""
        if not len(self.start):
            return 0, 0, 0, 0
        x, y, end = self.columns()
        left, top = int(x[0]), int(y.min())
        return left, top, int(x[-1]) + 1 - left, int(end.max()) - top

    def columns(self) -> tuple[Ints, Ints, Ints]:
        """Return column, first row and the row after the last of every stretch, cut where it goes over a column."""
        first, last = self.start // self.height, (self.end - 1) // self.height
        count = last - first + 1
        of = np.repeat(np.arange(len(count)), count)
        x = first[of] + np.arange(len(of)) - np.repeat(np.cumsum(count) - count, count)
        base = x * self.height
        return x, np.maximum(self.start[of], base) - base, np.minimum(self.end[of], base + self.height) - base

    def to_array(self) -> NDArray[np.bool_]:
        """Return the mask, bool ``(Y, X)``."""
        steps = np.zeros(self.height * self.width + 1, np.int8)
        steps[self.start] += 1
        steps[self.end] -= 1
        return np.cumsum(steps[:-1], dtype=np.int8).astype(bool).reshape(self.width, self.height).T


def mask_of(array: NDArray[Any]) -> RunMask:
    """Return the pixels of `array` ``(Y, X)`` that are not 0."""
    height, width = (int(size) for size in array.shape)
    flat = np.zeros(height * width + 2, np.int8)
    flat[1:-1] = (np.asarray(array) != 0).T.ravel()
    steps = np.diff(flat)
    return RunMask(np.flatnonzero(steps == 1), np.flatnonzero(steps == -1), height, width)


def from_edges(edges: Ints, height: int, width: int) -> RunMask:
    """Return the mask that changes between outside and inside at every one of `edges`, in any order.

    Two equal edges cancel each other. The number of all pixels ends a mask that is inside to the last.
    """
    places, times = np.unique(edges, return_counts=True)
    places = places[times % 2 == 1].astype(np.int64)
    if len(places) % 2:
        whole = height * width
        places = places[:-1] if places[-1] == whole else np.append(places, whole)
    return RunMask(places[0::2], places[1::2], height, width)


def united(masks: Sequence[RunMask], height: int, width: int) -> RunMask:
    """Return the pixels that are in one of the masks or more."""
    if len(masks) == 1:
        return masks[0]
    none = np.zeros(0, np.int64)
    start = np.concatenate([none, *(mask.start for mask in masks)])
    end = np.concatenate([none, *(mask.end for mask in masks)])
    order = np.argsort(start, kind="stable")
    start, end = start[order], np.maximum.accumulate(end[order])
    apart = np.ones(len(start), bool)
    apart[1:] = start[1:] > end[:-1]
    first = np.flatnonzero(apart)
    return RunMask(start[first], end[np.append(first[1:], len(start)) - 1] if len(first) else none, height, width)


def common_pixels(one: RunMask, other: RunMask) -> int:
    """Return how many pixels two masks of one image share."""
    if len(one.start) > len(other.start):
        one, other = other, one
    if not len(one.start):
        return 0
    length = other.end - other.start
    before = np.cumsum(length) - length

    def up_to(place: Ints) -> Ints:
        """Return how many pixels of the other mask come before a place."""
        run = np.maximum(np.searchsorted(other.start, place, side="right") - 1, 0)
        inside = np.clip(place - other.start[run], 0, length[run])
        return np.asarray(before[run] + inside)

    return int((up_to(one.end) - up_to(one.start)).sum())
