"""The compiled loop that asks every tree about every pixel."""

from typing import Any

import numba
import numpy as np

Array = np.ndarray[Any, Any]
NODE = np.dtype([("threshold", np.float32), ("left", np.uint32), ("feature", np.uint32), ("share", np.float32)])
"""All that is read of a node lies together, in a quarter of a line of the cache."""
_BLOCK = 1024  # pixels that go through one tree side by side, so that the tree and their features stay in the cache


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def ask(planes: Array, roots: Array, nodes: Array) -> Array:
    """Return the mean share of the ends that each pixel comes to.

    All pixels of a block go one step down a tree before any goes the next: there is no branch to be guessed wrong, and
    the steps of different pixels overlap. Ends lead to themselves, and a tree is done when no pixel moves.

    Parameters
    ----------
    planes : ndarray of float32
        ``(F, P)``: features of the pixels.
    roots : ndarray of uint32
        ``(T,)``: first node of each tree.
    nodes : ndarray
        ``(N,)`` of :data:`NODE`; a pixel goes to `left` if ``feature <= threshold``, else to the node after it.

    Returns
    -------
    ndarray of float32
        ``(P,)``
    """
    count, pixels = planes.shape
    found = np.empty(pixels, np.float32)
    sums = np.empty(_BLOCK, np.float64)
    place = np.empty(_BLOCK, np.uint32)
    block = np.empty((count, _BLOCK), np.float32)
    for start in range(0, pixels, _BLOCK):
        size = min(_BLOCK, pixels - start)
        for plane in range(count):
            block[plane, :size] = planes[plane, start : start + size]
        sums[:] = 0.0
        for root in roots:
            place[:] = root
            moved = True
            while moved:
                moved = False
                for pixel in range(size):
                    here = place[pixel]
                    node = nodes[here]
                    after = node.left + np.uint32(block[node.feature, np.uint32(pixel)] > node.threshold)
                    moved |= after != here
                    place[pixel] = after
            for pixel in range(size):
                sums[pixel] += nodes[place[pixel]].share
        for pixel in range(size):
            found[start + pixel] = sums[pixel] / len(roots)
    return found
