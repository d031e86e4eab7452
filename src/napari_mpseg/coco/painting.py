"""Masks that may overlap, painted into one label image, whole or part by part."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.coco.run_mask import Ints, RunMask
from napari_mpseg.registry import Registry


@dataclass(frozen=True)
class Order:
    """Which of two annotations that share pixels gets them.

    Attributes
    ----------
    name, definition : str
    rank : callable
        Takes areas and scores (0 where there is none), ``(N,)`` each, and returns a number for each annotation: the
        higher lies on top, and of equal ones the later.
    """

    name: str
    definition: str
    rank: Callable[[Ints, NDArray[np.float64]], NDArray[Any]]


ON_TOP: Registry[Order] = Registry("order of overlapping annotations")
for _order in (
    Order("smaller", "the one with fewer pixels, so that none is hidden under a larger one", lambda area, score: -area),
    Order("score", "the one with the higher score", lambda area, score: score),
    Order("later", "the one that comes later in the file", lambda area, score: np.zeros(len(area))),
):
    ON_TOP.add(_order.name, _order)


@dataclass(frozen=True, eq=False)
class Painting:
    """Stretches of pixels in the order in which they are painted.

    Attributes
    ----------
    label, x, y0, y1 : ndarray of int64
        ``(R,)``: label, column, first row and the row after the last.
    height, width : int
    """

    label: Ints
    x: Ints
    y0: Ints
    y1: Ints
    height: int
    width: int

    def part(self, y: slice, x: slice, dtype: Any) -> NDArray[Any]:
        """Return the labels of a rectangle ``(Y, X)``, 0 where nothing is painted."""
        height, width = y.stop - y.start, x.stop - x.start
        # columns lie together in memory, as the stretches do
        labels = np.zeros((width, height), dtype)
        here = (self.x >= x.start) & (self.x < x.stop) & (self.y0 < y.stop) & (self.y1 > y.start)
        first = np.maximum(self.y0[here], y.start) - y.start
        size = np.minimum(self.y1[here], y.stop) - y.start - first
        begin = (self.x[here] - x.start) * height + first
        numbers = np.repeat(begin - (np.cumsum(size) - size), size) + np.arange(int(size.sum()))
        labels.ravel()[numbers] = np.repeat(self.label[here], size)  # of several the last stays
        return np.ascontiguousarray(labels.T)

    def between(self, x: slice) -> "Painting":
        """Return what is painted in some columns; its parts are found faster."""
        here = (self.x >= x.start) & (self.x < x.stop)
        return replace(self, label=self.label[here], x=self.x[here], y0=self.y0[here], y1=self.y1[here])


def painting(
    masks: Sequence[RunMask], labels: Sequence[int], scores: Sequence[float], on_top: str, height: int, width: int
) -> Painting:
    """Put masks in the order in which they are to be painted, the top one last.

    Parameters
    ----------
    masks : sequence of RunMask
    labels : sequence of int
        What each is painted with.
    scores : sequence of float
    on_top : str
        Name in :data:`ON_TOP`.
    height, width : int

    Raises
    ------
    UnknownNameError
        If there is no such order.
    """
    areas = np.asarray([mask.area for mask in masks], np.int64)
    ranks = ON_TOP[on_top].rank(areas, np.asarray(scores, np.float64))
    order = np.argsort(ranks, kind="stable")
    none = np.zeros(0, np.int64)
    parts: list[tuple[Ints, ...]] = [(none, none, none, none)]
    for index in order.tolist():
        x, y0, y1 = masks[index].columns()
        parts.append((np.full(len(x), labels[index], np.int64), x, y0, y1))
    label, x, y0, y1 = (np.concatenate([part[column] for part in parts]) for column in range(4))
    return Painting(label, x, y0, y1, height, width)
