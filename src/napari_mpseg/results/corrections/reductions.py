"""The smaller levels of corrected labels, made anew where the full resolution changed."""

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from napari_mpseg.inference.levels import reduced

Box = tuple[int, int, int, int]


def refresh(levels: Sequence[Any], boxes: Iterable[Box]) -> None:
    """Make the smaller levels fit the full resolution again.

    Only the chunks that see a changed part are written, each whole, from the level above it.

    Parameters
    ----------
    levels : sequence of zarr.Array
        ``(Y, X)``, largest first, writable.
    boxes : iterable of tuple of int
        What changed: first row, first column, row after the last, column after the last.
    """
    changed = list(boxes)
    for above, level in itertools.pairwise(levels):
        steps = (-(-above.shape[0] // level.shape[0]), -(-above.shape[1] // level.shape[1]))
        high, wide = level.shards or level.chunks
        places = {
            (row, column)
            for y0, x0, y1, x1 in changed
            for row in range(y0 // steps[0] // high, -(-y1 // (steps[0] * high)))
            for column in range(x0 // steps[1] // wide, -(-x1 // (steps[1] * wide)))
        }
        changed = []
        for row, column in sorted(places):
            y0, x0 = row * high, column * wide
            y1, x1 = min(y0 + high, level.shape[0]), min(x0 + wide, level.shape[1])
            if y0 >= y1 or x0 >= x1:
                continue
            seen = np.asarray(above[y0 * steps[0] : y1 * steps[0], x0 * steps[1] : x1 * steps[1]])
            level[y0:y1, x0:x1] = reduced(seen, steps)[: y1 - y0, : x1 - x0]
            changed.append((y0, x0, y1, x1))
