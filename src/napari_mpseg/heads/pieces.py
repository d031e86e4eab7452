"""Connected pixels, and what surrounds them; shared by the heads."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import ndimage

Array = np.ndarray[Any, Any]
CORNERS = np.ones((3, 3), bool)
"""Pixels that touch with a corner are connected."""


def pieces_of(mask: Array) -> tuple[Array, int]:
    """Return the connected pixels of a mask as labels, int32 ``(Y, X)``, and how many there are."""
    labels = np.zeros(mask.shape, np.int32)
    count = int(ndimage.label(mask, CORNERS, labels)) if mask.size else 0
    return labels, count


def each_particle(labels: Array) -> Iterator[tuple[tuple[slice, slice], Array]]:
    """Give a window around each particle, one pixel wider than it, and which of its pixels are the particle's.

    Parameters
    ----------
    labels : ndarray of int
        ``(Y, X)``; any numbers, in whose order the particles come; 0 is background.
    """
    if not labels.size:
        return
    values, dense = np.unique(labels, return_inverse=True)
    dense = dense.reshape(labels.shape) + (0 if values.size and values[0] == 0 else 1)
    for number, box in enumerate(ndimage.find_objects(dense), 1):
        window = (
            slice(max(0, box[0].start - 1), box[0].stop + 1),
            slice(max(0, box[1].start - 1), box[1].stop + 1),
        )
        yield window, dense[window] == number


def depth_of(inside: Array) -> Array:
    """Return each pixel's distance to the nearest one outside, float32 ``(Y, X)``, 0 outside.

    What lies beyond the window's border is neither inside nor outside: a particle that is cut there is not thinner for
    it. With no pixel outside at all, it is how far the window's border is.
    """
    if inside.all():
        inside = np.pad(inside, 1)
        return np.asarray(ndimage.distance_transform_edt(inside)[1:-1, 1:-1], np.float32)
    return np.asarray(ndimage.distance_transform_edt(inside), np.float32)


def near_another(labels: Array, radius: int) -> Array:
    """Return the pixels of particles that have one of another particle at most so far off, in a square; bool."""
    side = 2 * radius + 1
    inside = labels > 0
    none = np.iinfo(labels.dtype).max
    largest = ndimage.maximum_filter(labels, side, mode="nearest")
    smallest = ndimage.minimum_filter(np.where(inside, labels, none), side, mode="nearest")
    near: Array = inside & ((largest != labels) | (smallest != labels))
    return near


def touching_weights(labels: Array, touching: float) -> Array:
    """Return how much pixels count in learning to tell particles apart, float32 ``(Y, X)``.

    Parameters
    ----------
    labels : ndarray of int
        ``(Y, X)``.
    touching : float
        Of particles' pixels at most 3 px from another particle; other particles' pixels and background at most 3 px
        from a particle count 1, and the rest, of which there is most, 0.05.
    """
    weights = np.full(labels.shape, 0.05, np.float32)
    if not labels.size:
        return weights
    weights[ndimage.maximum_filter(labels > 0, 7, mode="nearest")] = 1.0
    weights[near_another(labels, 3)] = touching
    return weights
