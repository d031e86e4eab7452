"""How many particles there are at every threshold, in one pass over the probability."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import ImageError, SettingsError
from napari_mpseg.evaluation.pairs import Part, parts_of
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback, silent

Ids = NDArray[np.int64]
Line = tuple[NDArray[np.uint8], Ids]  # levels and nodes of the pixels along an edge


def count_curve(
    probability: Any,
    min_size: int = 3,
    connectivity: int = 2,
    *,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> NDArray[np.int64]:
    """Count the particles at every threshold.

    Pixels become particle by falling probability and join those beside them (union-find); nothing is labelled twice.
    Larger arrays are read part by part, and only the component tree of each part is kept: memory grows with the number
    of connected plateaus of equal probability, not with the number of pixels.

    Parameters
    ----------
    probability : array
        uint8 ``(Y, X)`` as results store it (numpy, dask, zarr); 255 stands for 1.
    min_size : int
        Particles of fewer pixels are not counted.
    connectivity : {1, 2}
        1: pixels touch with their sides (4 neighbours). 2: corners too (8 neighbours).
    on_progress, cancel
        See :mod:`napari_mpseg.progress`.

    Returns
    -------
    ndarray of int64
        ``(256,)``: at position k the number of particles if all pixels of a stored probability of k or more are
        particle. Pixels of 0 never are, so positions 0 and 1 are equal.

    Raises
    ------
    ImageError
        If the probability is not uint8 ``(Y, X)``.
    SettingsError
        If `min_size` is negative or `connectivity` neither 1 nor 2.
    Cancelled
        If it was asked to stop.
    """
    check_levels(probability)
    if min_size < 0:
        raise SettingsError(f"A smallest size of {min_size} pixels makes no sense: give 0 or more.")
    if connectivity not in (1, 2):
        raise SettingsError(f"Connectivity {connectivity!r} is neither 1 (sides) nor 2 (sides and corners).")
    forest = _Forest(int(probability.shape[1]), connectivity == 2)
    parts = list(parts_of(probability))
    for done, part in enumerate(parts):
        if cancel is not None:
            cancel.check()
        on_progress(Progress("Counting at every threshold", done, len(parts), "parts"))
        forest.add(np.asarray(probability[part.slices]), part)
    counts = forest.count(max(1, min_size))
    on_progress(Progress("Counting at every threshold", len(parts), len(parts), "parts"))
    return counts


def check_levels(probability: Any) -> None:
    """Raise :class:`ImageError` if a probability is not stored as uint8 ``(Y, X)``."""
    shape, dtype = getattr(probability, "shape", None), getattr(probability, "dtype", None)
    if shape is None or len(shape) != 2 or dtype != np.uint8:
        raise ImageError(
            f"A stored probability is uint8 (Y, X), where 255 stands for 1; this is {dtype}, shape {shape}. Give the "
            "probability of a result, or round 255 times a probability from 0 to 1."
        )


@dataclass
class _Forest:
    """Component trees of parts, and where they touch."""

    width: int
    diagonal: bool
    levels: list[NDArray[np.uint8]] = field(default_factory=list)
    owns: list[NDArray[np.int32]] = field(default_factory=list)
    pairs: list[tuple[Ids, Ids]] = field(default_factory=list)
    joints: list[tuple[Ids, Ids, NDArray[np.uint8]]] = field(default_factory=list)
    nodes: int = 0
    _above: Line | None = None
    _top: Line | None = None
    _bottom: Line | None = None
    _left: Line | None = None

    def add(self, values: NDArray[np.uint8], part: Part) -> None:
        """Take the next part, in raster order."""
        _, _, x0, x1 = part.core
        if x0 == 0:
            self._above, self._left = self._bottom, None
            self._top, self._bottom = self._empty(), self._empty()
        first = self.nodes
        nodes = np.broadcast_to(np.int64(-1), values.shape)
        counts = np.bincount(values.ravel(), minlength=256)
        if counts[1:].any():
            level, own, link, nodes = self._grown(values, counts)
            joined = np.flatnonzero(link >= 0)
            self.pairs.append((joined + self.nodes, link[joined].astype(np.int64) + self.nodes))
            self.levels.append(level)
            self.owns.append(own)
            self.nodes += len(level)
        for line, row, edge in ((self._top, values[0], nodes[0]), (self._bottom, values[-1], nodes[-1])):
            if line is not None:
                line[0][x0:x1], line[1][x0:x1] = row, edge + first
        if self._left is not None:
            self._touch(self._left, (values[:, 0], nodes[:, 0] + first))
        self._left = values[:, -1].copy(), nodes[:, -1] + first
        if x1 == self.width and self._above is not None and self._top is not None:
            self._touch(self._above, self._top)

    def _grown(self, values: NDArray[np.uint8], counts: Ids) -> tuple[NDArray[Any], ...]:
        from napari_mpseg.evaluation.component_tree import grow, pixels_by_falling_level

        padded = np.pad(values, 1)
        row = padded.shape[1]
        steps = [-1, 1, -row, row] + [-row - 1, -row + 1, row - 1, row + 1] * self.diagonal
        level, own, link, nodes = grow(padded, pixels_by_falling_level(padded, counts), np.asarray(steps))
        return level, own, link, nodes[1:-1, 1:-1].astype(np.int64)

    def _empty(self) -> Line:
        return np.zeros(self.width, np.uint8), np.full(self.width, -1, np.int64)

    def _touch(self, first: Line, second: Line) -> None:
        """Join the pixels along two lines that lie side by side."""
        size = len(first[0])
        for shift in (-1, 0, 1) if self.diagonal else (0,):
            here, there = slice(max(0, -shift), size - max(0, shift)), slice(max(0, shift), size - max(0, -shift))
            level = np.minimum(first[0][here], second[0][there])
            both = np.flatnonzero(level)
            self.joints.append((first[1][here][both], second[1][there][both], level[both]))

    def count(self, min_size: int) -> NDArray[np.int64]:
        """Return the number of components of `min_size` pixels or more at every level."""
        from napari_mpseg.evaluation.component_tree import count_large

        if not self.nodes:
            return np.zeros(256, np.int64)
        level, own = np.concatenate(self.levels), np.concatenate(self.owns)
        starts, ends = (np.concatenate([pair[side] for pair in self.pairs]) for side in (0, 1))
        a = np.concatenate([starts, *(joint[0] for joint in self.joints)])
        b = np.concatenate([ends, *(joint[1] for joint in self.joints)])
        # a node becomes a part of another as soon as that one is there
        edge_level = np.concatenate([level[ends], *(joint[2] for joint in self.joints)])
        counts: NDArray[np.int64] = count_large(
            _falling(level), level, own, _falling(edge_level), edge_level, a, b, min_size
        )
        counts[0] = counts[1]
        return counts


def _falling(level: NDArray[np.uint8]) -> Ids:
    return np.argsort(255 - level, kind="stable")
