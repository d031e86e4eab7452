"""From labelled particles to what a detector learns from: boxes, and which pixels belong to each."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

Array = np.ndarray[Any, Any]
LEAST_AT_BORDER = 4
"""Pixels that a patch must show of a particle that its border cuts; smaller slivers are no particle to learn from."""


@dataclass(frozen=True)
class Target:
    """The particles of a patch.

    Attributes
    ----------
    boxes : ndarray of float32
        ``(N, 4)``: x0, y0, x1, y1; pixels x0 to x1 - 1 and y0 to y1 - 1 are the smallest box around the particle.
    instances : ndarray of int32
        ``(Y, X)``: the particle of box n is n + 1, 0 is background.
    """

    boxes: Array
    instances: Array

    def __len__(self) -> int:
        return len(self.boxes)


def target_of(labels: Array, least_at_border: int = LEAST_AT_BORDER) -> Target:
    """Return the particles of a patch; there may be none.

    Of a particle that the patch's border cuts, what is seen is the particle; if that is less than `least_at_border`
    pixels it is left out.

    Parameters
    ----------
    labels : ndarray of int
        ``(Y, X)``; 0 is background, every other number one particle, connected or not.
    """
    names, place = np.unique(labels, return_inverse=True)
    instances: Array = place.reshape(labels.shape).astype(np.int32)
    if len(names) and names[0] != 0:
        instances += 1
    areas = np.bincount(instances.ravel())
    cut = np.unique(np.concatenate([instances[0], instances[-1], instances[:, 0], instances[:, -1]]))
    keep = areas > 0
    keep[cut[areas[cut] < least_at_border]] = False
    keep[0] = False
    number = np.zeros(len(keep), np.int32)
    number[keep] = np.arange(1, np.count_nonzero(keep) + 1)
    instances = number[instances]
    boxes = [(x.start, y.start, x.stop, y.stop) for y, x in ndimage.find_objects(instances)]
    return Target(np.array(boxes, np.float32).reshape(-1, 4), instances)
