"""What a detector found in a window, and how it becomes labels: one particle after the other, best first.

A found particle is a box, a score, and a mask of 28 x 28 probabilities inside the box: 1.6 kB however large the window
is. Masks are put into the window one at a time, so that 3000 of them need no more memory than one label image.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Box = tuple[slice, slice]
LEAST_VISIBLE = 0.5
"""Share of a particle's pixels that better ones must leave to it; with less it is taken for the same particle again."""


@dataclass(frozen=True)
class Found:
    """Particles that were found in a window.

    Attributes
    ----------
    boxes : ndarray of float32
        ``(N, 4)``: x0, y0, x1, y1 in pixels; may lie partly outside the window.
    scores : ndarray of float32
        ``(N,)``, 0 to 1.
    masks : ndarray of float16
        ``(N, M, M)``: probability inside each box, 0 to 1.
    """

    boxes: Array
    scores: Array
    masks: Array

    def __len__(self) -> int:
        return len(self.scores)

    def chosen(self, which: Array) -> "Found":
        """Return some of them: indices, or a truth value for each."""
        return Found(self.boxes[which], self.scores[which], self.masks[which])

    def moved(self, down: float, right: float) -> "Found":
        """Return the same particles in a window that begins so many pixels further up and left."""
        return Found(self.boxes + np.array([right, down, right, down], np.float32), self.scores, self.masks)


def together(parts: "list[Found]") -> Found:
    """Return the particles of several lists in one; at least one list is needed."""
    return Found(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("boxes", "scores", "masks")))


def in_window(mask: Array, box: Array, shape: tuple[int, int]) -> tuple[Box, Array] | None:
    """Put one mask into a window.

    The mask is interpolated linearly at the window's pixels, by the geometry in which RoIAlign cut the masks that were
    learnt from: pixel i lies at i, and the middle of bin b at ``x0 + (b + 1/2) (x1 - x0) / M``.

    Parameters
    ----------
    mask : ndarray
        ``(M, M)``, 0 to 1.
    box : ndarray
        x0, y0, x1, y1.
    shape : tuple of int
        Height and width of the window.

    Returns
    -------
    where : tuple of slice
        The part of the window that the box covers.
    particle : ndarray of bool
        Where the mask is 1/2 or more in that part. None instead of both if the box covers no pixel of the window.
    """
    columns = _along(float(box[0]), float(box[2]), shape[1], mask.shape[1])
    rows = _along(float(box[1]), float(box[3]), shape[0], mask.shape[0])
    if rows is None or columns is None:
        return None
    (down, above, low), (across, left, side) = rows, columns
    values = mask.astype(np.float32)
    lines = values[above] * (1 - low)[:, None] + values[np.minimum(above + 1, len(values) - 1)] * low[:, None]
    pixels = lines[:, left] * (1 - side) + lines[:, np.minimum(left + 1, values.shape[1] - 1)] * side
    return (down, across), pixels >= 0.5


def _along(start: float, stop: float, length: int, bins: int) -> tuple[slice, Array, Array] | None:
    """Return the pixels that a box covers along one axis, and for each the bin before it and how far it is past it."""
    first, last = max(0, math.ceil(start - 0.5)), min(length - 1, math.floor(stop - 0.5))
    if last < first or stop <= start:
        return None
    place = (np.arange(first, last + 1) - start) / (stop - start) * bins - 0.5
    place = np.clip(place, 0, bins - 1).astype(np.float32)
    before = place.astype(np.intp)
    return slice(first, last + 1), before, place - before.astype(np.float32)


def labelled(
    found: Found, shape: tuple[int, int], least_score: float = 0.0, least_visible: float = LEAST_VISIBLE
) -> tuple[Array, Array]:
    """Put all particles into a window, the one of highest score first.

    A pixel belongs to the best particle that holds it. A particle of which better ones have taken so much that less
    than `least_visible` is left is dropped: it is one of those again. What is dropped depends on better particles
    alone, so that a higher least score leaves out particles and changes nothing else.

    Parameters
    ----------
    found : Found
    shape : tuple of int
        Height and width of the window.
    least_score : float
        Particles of a lower score are left out.
    least_visible : float
        0 keeps every particle that has a pixel.

    Returns
    -------
    labels : ndarray of int32
        ``(Y, X)``, numbered by falling score; 0 is background.
    scores : ndarray of float32
        ``(Y, X)``: the score of the particle that a pixel belongs to, 0 on background.
    """
    labels, scores = np.zeros(shape, np.int32), np.zeros(shape, np.float32)
    number = 0
    for index in np.argsort(-found.scores, kind="stable"):
        if found.scores[index] < least_score:
            break
        placed = in_window(found.masks[index], found.boxes[index], shape)
        if placed is None:
            continue
        where, particle = placed
        free = particle & (labels[where] == 0)
        left = np.count_nonzero(free)
        if not left or left < least_visible * np.count_nonzero(particle):
            continue
        number += 1
        labels[where][free] = number
        scores[where][free] = found.scores[index]
    return labels, scores
