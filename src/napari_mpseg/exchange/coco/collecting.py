"""From labels of any size to whole particles, some at a time.

Labels are read twice, block by block. The first time tells how far each particle reaches, the second gives the sides
of its pixels; as soon as the last row of a particle has been read, it is handed on and forgotten. So memory is that of
a block, of a few numbers per particle, and of the outlines of those that the present row of blocks cuts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.coco.run_mask import RunMask
from napari_mpseg.exchange.sides import EAST, WEST, Sides, between_columns, between_rows, joined
from napari_mpseg.particles.blocks import blocks_of, label_array, read_labels
from napari_mpseg.particles.runs import find_runs
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Extents:
    """How far particles reach.

    Attributes
    ----------
    label : ndarray of int64
        ``(N,)``, rising.
    end : ndarray of int64
        The row after each one's last.
    """

    label: Ints
    end: Ints


def particle_extents(labels: Any, wanted: Ints | None, on_progress: ProgressCallback, cancel: CancelToken) -> Extents:
    """Read the labels once and return how far each particle reaches.

    Raises
    ------
    ImageError
        If the labels are not two-dimensional whole numbers of 0 or more.
    """
    array = label_array(labels)
    found = [np.zeros((2, 0), np.int64)]
    blocks = blocks_of(array)
    for done, block in enumerate(blocks):
        cancel.check()
        on_progress(Progress("Finding particles", done, len(blocks), "blocks"))
        runs = find_runs(read_labels(array, block))
        found.append(_last_rows(np.stack([runs.label, runs.y + block.y + 1])))
    extents = _last_rows(np.concatenate(found, axis=1))
    if wanted is not None:
        extents = extents[:, np.isin(extents[0], wanted)]
    return Extents(extents[0], extents[1])


def _last_rows(rows: Ints) -> Ints:
    """Return every label once with the largest of its ends."""
    order = np.lexsort((rows[1], rows[0]))
    rows = rows[:, order]
    last = np.append(rows[0][1:] != rows[0][:-1], True)[: rows.shape[1]]
    return np.asarray(rows[:, last])


def whole_particles(
    labels: Any, extents: Extents, on_progress: ProgressCallback, cancel: CancelToken, *, outlines: bool = True
) -> Iterator[Sides]:
    """Read the labels again and yield all sides of some particles at a time, each particle once.

    Parameters
    ----------
    labels : array
        ``(Y, X)``.
    extents : Extents
        Of the particles that are wanted.
    on_progress, cancel
        See :mod:`napari_mpseg.progress`.
    outlines : bool
        Whether vertical sides are wanted too, which only outlines need.
    """
    array = label_array(labels)
    height, width = (int(size) for size in array.shape)
    blocks = blocks_of(array)
    above = np.zeros(width, np.int64)
    pending = joined([])
    done = 0
    for _, row in groupby(blocks, key=lambda block: block.y):
        inside = list(row)
        found = [pending]
        below = np.zeros(width, np.int64)
        left = np.zeros((inside[0].height, 1), np.int64)
        for block in inside:
            cancel.check()
            on_progress(Progress("Writing particles", done, len(blocks), "blocks"))
            done += 1
            values = read_labels(array, block)
            across = slice(block.x, block.x + block.width)
            found.append(_wanted(between_rows(np.vstack([above[across], values]), block.y, block.x), extents))
            if outlines:
                beside = [left, values, *([np.zeros_like(left)] if across.stop == width else [])]
                found.append(_wanted(between_columns(np.hstack(beside), block.y, block.x), extents))
            below[across], left = values[-1], values[:, -1:].astype(np.int64)
        above = below
        reached = inside[0].y + inside[0].height
        if reached == height:
            found.append(_wanted(between_rows(np.vstack([above, np.zeros_like(above)]), height), extents))
        pending = joined(found)
        # the lower side of a particle's last row is only seen from the row below
        complete = extents.label[(extents.end < reached) | (reached == height)]
        ready = np.isin(pending.label, complete)
        if ready.any():
            yield pending.chosen(ready)
        pending = pending.chosen(~ready)


def _wanted(sides: Sides, extents: Extents) -> Sides:
    return sides.chosen(np.isin(sides.label, extents.label))


def masks_of(sides: Sides, height: int, width: int) -> dict[int, RunMask]:
    """Return the pixels of whole particles as stretches along columns, by label, rising.

    A stretch begins at the upper side of a pixel and ends at the next lower side.
    """
    upper, lower = sides.chosen(sides.way == EAST), sides.chosen(sides.way == WEST)
    start, end = upper.x * height + upper.y, (lower.x - 1) * height + lower.y
    one, other = np.lexsort((start, upper.label)), np.lexsort((end, lower.label))
    label, start, end = upper.label[one], start[one], end[other]
    # from the foot of a column to the head of the next there is nothing between
    goes_on = np.append(False, (start[1:] == end[:-1]) & (label[1:] == label[:-1]))[: len(start)]
    first = np.flatnonzero(~goes_on)
    last = np.append(first[1:], len(start)) - 1 if len(first) else first
    label, start, end = label[first], start[first], end[last]
    names, begin = np.unique(label, return_index=True)
    stops = np.append(begin[1:], len(label))
    return {
        int(name): RunMask(start[a:b], end[a:b], height, width)
        for name, a, b in zip(names.tolist(), begin.tolist(), stops.tolist(), strict=True)
    }
