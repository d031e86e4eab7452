"""From cells to look at to few rectangles that are cheap to compute."""

from typing import Any

import numpy as np

from napari_mpseg.inference.grid import Box
from napari_mpseg.inference.screening.cells import CELL

Array = np.ndarray[Any, Any]
_CALL = 2048  # what one call of a network costs beside its pixels, in pixels
_MOST = 200  # more than this are not worth comparing with each other: the tile is full


def boxes_around(cells: Array, inner: Box, halo: int, block: int) -> list[Box] | None:
    """Return rectangles of pixels that cover all marked cells inside `inner`, or None if all of it may as well be one.

    Rectangles are joined as long as the joined one, with the halo a network needs around it, is no dearer than the
    two. Their sides are multiples of `block` where there is room, so that they are of few sizes: a runtime that
    prepares itself for each shape of input does so only a few times.

    Parameters
    ----------
    cells : ndarray of bool
        ``(ceil(Y / 8), ceil(X / 8))`` of a window of Y x X pixels.
    inner : tuple of int
        ``(y0, y1, x0, x1)`` in pixels: the part of the window that is asked for.
    halo : int
        Pixels needed around a rectangle.
    block : int

    Returns
    -------
    list of tuple of int, or None
        ``(y0, y1, x0, x1)`` inside `inner`; they may overlap where one was rounded up.
    """
    from scipy.ndimage import find_objects, label

    labels, count = label(cells, np.ones((3, 3), int))
    if count == 0:
        return []
    slices = [(rows.start, rows.stop, cols.start, cols.stop) for rows, cols in find_objects(labels)]
    spans = np.array(slices, np.int64) * CELL
    low, high = np.array(inner)[[0, 0, 2, 2]], np.array(inner)[[1, 1, 3, 3]]
    spans = np.clip(spans, low, high)
    spans = spans[(spans[:, 1] > spans[:, 0]) & (spans[:, 3] > spans[:, 2])]
    if len(spans) > _MOST:
        return None
    spans = _rounded(_joined(_rounded(spans, inner, block), halo), inner, block)
    whole = _cost(np.array([inner]), halo)[0]
    if len(spans) and _cost(spans, halo).sum() >= whole:
        return None
    return [(int(y0), int(y1), int(x0), int(x1)) for y0, y1, x0, x1 in spans]


def _cost(spans: Array, halo: int) -> Array:
    """Return what each rectangle costs, in pixels."""
    cost: Array = (spans[:, 1] - spans[:, 0] + 2 * halo) * (spans[:, 3] - spans[:, 2] + 2 * halo) + _CALL
    return cost


def _joined(spans: Array, halo: int) -> Array:
    """Join the two rectangles that gain most by it, as long as any gain."""
    while len(spans) > 1:
        first, second = np.triu_indices(len(spans), 1)
        a, b = spans[first], spans[second]
        both = np.stack(
            [
                np.minimum(a[:, 0], b[:, 0]),
                np.maximum(a[:, 1], b[:, 1]),
                np.minimum(a[:, 2], b[:, 2]),
                np.maximum(a[:, 3], b[:, 3]),
            ],
            1,
        )
        gain = _cost(a, halo) + _cost(b, halo) - _cost(both, halo)
        best = int(gain.argmax())
        if gain[best] < 0:
            break
        kept = np.delete(spans, [first[best], second[best]], axis=0)
        spans = np.concatenate([kept, both[best][None]])
    return spans


def _rounded(spans: Array, inner: Box, block: int) -> Array:
    """Widen rectangles about their middle to multiples of `block`, moved inwards where they would leave `inner`.

    They begin on cells, so that the halo is rounded to the network's stride in the same way for most of them.
    """
    widened = spans.copy()
    for low, high in ((0, 1), (2, 3)):
        first, last = inner[low], inner[high]
        size = spans[:, high] - spans[:, low]
        wanted = np.minimum(-(-size // block) * block, last - first)
        start = (spans[:, low] - (wanted - size) // 2) // CELL * CELL
        start = np.clip(np.maximum(start, spans[:, high] - wanted), first, last - wanted)
        widened[:, low], widened[:, high] = start, start + wanted
    return widened
