"""Changed pixels as whole chunks, so that writing them needs nothing to be read."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.particles.review.edits import Box


def changed_blocks(labels: Any, box: Box, after: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[Any], NDArray[Any]]:
    """Return the chunks that a repainted region changes, as they are and as they are to be.

    Parameters
    ----------
    labels : zarr.Array
        ``(Y, X)``.
    box : tuple of int
        The region.
    after : numpy.ndarray
        Its pixels as they are to be.

    Returns
    -------
    tuple
        Row and column of each chunk (of each shard, where there are any), int64 ``(N, 2)``; before and after,
        ``(N, height, width)``, 0 beyond the image.
    """
    high, wide = _size(labels)
    y0, x0, y1, x1 = box
    places, old, new = [], [], []
    for row in range(y0 // high, -(-y1 // high)):
        for column in range(x0 // wide, -(-x1 // wide)):
            top, left = row * high, column * wide
            block = np.zeros((high, wide), labels.dtype)
            stored = np.asarray(labels[top : top + high, left : left + wide])
            block[: stored.shape[0], : stored.shape[1]] = stored
            a, b, c, d = max(y0, top), min(y1, top + high), max(x0, left), min(x1, left + wide)
            changed = block.copy()
            changed[a - top : b - top, c - left : d - left] = after[a - y0 : b - y0, c - x0 : d - x0]
            if not np.array_equal(block, changed):
                places.append((row, column))
                old.append(block)
                new.append(changed)
    shape = (0, high, wide)
    return (
        np.array(places, np.int64).reshape(-1, 2),
        np.stack(old) if old else np.zeros(shape, labels.dtype),
        np.stack(new) if new else np.zeros(shape, labels.dtype),
    )


def write_blocks(labels: Any, blocks: NDArray[np.int64], pixels: NDArray[Any]) -> list[Box]:
    """Write whole chunks, and return where they lie."""
    boxes = []
    for box, block in zip(_boxes(labels, blocks, pixels), pixels, strict=True):
        y0, x0, y1, x1 = box
        labels[y0:y1, x0:x1] = block[: y1 - y0, : x1 - x0]
        boxes.append(box)
    return boxes


def same_as(labels: Any, blocks: NDArray[np.int64], pixels: NDArray[Any]) -> bool:
    """Return whether chunks are as given."""
    return all(
        np.array_equal(labels[y0:y1, x0:x1], block[: y1 - y0, : x1 - x0])
        for (y0, x0, y1, x1), block in zip(_boxes(labels, blocks, pixels), pixels, strict=True)
    )


def _boxes(labels: Any, blocks: NDArray[np.int64], pixels: NDArray[Any]) -> list[Box]:
    high, wide = pixels.shape[1:]
    return [
        (row * high, column * wide, min((row + 1) * high, labels.shape[0]), min((column + 1) * wide, labels.shape[1]))
        for row, column in blocks.tolist()
    ]


def _size(labels: Any) -> tuple[int, int]:
    high, wide = labels.shards or labels.chunks
    return int(high), int(wide)
