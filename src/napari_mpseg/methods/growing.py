"""Growing one region from one pixel, reading only as much of the image as the region needs."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_mpseg.registry import Registry

Array = np.ndarray[Any, Any]
Box = tuple[int, int, int, int]
_FIRST_REACH = 32
_LARGEST_BOX = 1 << 26  # pixels
NO_GREY = -1000
"""Stands for a pixel that is no number: farther from all grey levels than any tolerance."""


@dataclass(frozen=True)
class GrowthLimits:
    """What belongs to a region, and when it has gone too far.

    Attributes
    ----------
    tolerance : float
        Grey levels of 255.
    connectivity : int
        2 for 8 neighbours, 1 for 4.
    max_size : int
        Pixels.
    """

    tolerance: float
    connectivity: int
    max_size: int


GrowthRule = Callable[[Array, tuple[int, int], GrowthLimits], Array]
GROWTH_RULES: Registry[GrowthRule] = Registry("rule for growing")


@GROWTH_RULES.register("seed")
def grow_by_seed(grey: Array, seed: tuple[int, int], limits: GrowthLimits) -> Array:
    """Return the pixels that hang together with the seed and are as grey as it, within the tolerance.

    Parameters
    ----------
    grey : ndarray
        int ``(Y, X)``, signed.
    seed : tuple of int
        Row and column.
    limits : GrowthLimits

    Returns
    -------
    ndarray of bool
        ``(Y, X)``.
    """
    from skimage.segmentation import flood

    # grey levels differ by whole numbers; scikit-image cuts off the fraction of both ends, which moves the lower one up
    tolerance = math.floor(limits.tolerance)
    region: Array = flood(grey, seed, connectivity=limits.connectivity, tolerance=tolerance)
    return region


@GROWTH_RULES.register("mean")
def grow_by_mean(grey: Array, seed: tuple[int, int], limits: GrowthLimits) -> Array:
    """Return the region that grows ring by ring over neighbours as grey as its mean, within the tolerance.

    In each round all fitting neighbours join, and then the mean is taken anew, so that no order of pixels matters. The
    region ends when a round adds nothing, or when it is larger than the limit. For the rest see :func:`grow_by_seed`.
    """
    rows, columns = grey.shape
    steps = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if 0 < abs(dy) + abs(dx) <= limits.connectivity]
    region, seen = np.zeros(grey.shape, bool), np.zeros(grey.shape, bool)
    joining = np.array([seed[0] * columns + seed[1]])
    waiting = np.zeros(0, np.int64)  # neighbours that did not fit, but may when the mean has moved
    seen.flat[joining] = True
    total, count = 0, 0
    while joining.size and count <= limits.max_size:
        region.flat[joining] = True
        total, count = total + int(grey.flat[joining].sum(dtype=np.int64)), count + joining.size
        y, x = np.divmod(joining, columns)
        around = []
        for dy, dx in steps:
            inside = (y + dy >= 0) & (y + dy < rows) & (x + dx >= 0) & (x + dx < columns)
            around.append((y[inside] + dy) * columns + x[inside] + dx)
        new = np.unique(np.concatenate(around))
        new = new[~seen.flat[new]]
        seen.flat[new] = True
        waiting = np.concatenate([waiting, new])
        fits = np.abs(grey.flat[waiting].astype(np.int64) * count - total) <= limits.tolerance * count
        joining, waiting = waiting[fits], waiting[~fits]
    return region


def grow(
    read: Callable[[Box], Array],
    shape: tuple[int, int],
    seed: tuple[int, int],
    rule: str,
    limits: GrowthLimits,
    check: Callable[[], None],
) -> Array | None:
    """Return the pixels of the region of a seed, as growing in the whole image would find them.

    It grows inside a box around the seed. Where it touches a side of the box that is not the image's, the box is
    extended on that side by its own length, and the region grows again.

    Parameters
    ----------
    read : callable
        Takes ``(y0, y1, x0, x1)`` and returns signed grey levels of that part.
    shape : tuple of int
        The image's height and width.
    seed : tuple of int
        Row and column in the image.
    rule : str
        Name in :data:`GROWTH_RULES`.
    limits : GrowthLimits
    check : callable
        Called before every growing; may raise.

    Returns
    -------
    ndarray of int or None
        ``(N, 2)`` rows and columns; None if the region is larger than the limit, or reaches farther than a box of
        64 megapixels.
    """
    y, x = seed
    box = _cut((y - _FIRST_REACH, y + _FIRST_REACH + 1, x - _FIRST_REACH, x + _FIRST_REACH + 1), shape)
    while True:
        check()
        y0, y1, x0, x1 = box
        region = GROWTH_RULES[rule](read(box), (y - y0, x - x0), limits)
        if np.count_nonzero(region) > limits.max_size:
            return None
        height, width = y1 - y0, x1 - x0
        larger = _cut(
            (
                y0 - height * bool(region[0].any()),
                y1 + height * bool(region[-1].any()),
                x0 - width * bool(region[:, 0].any()),
                x1 + width * bool(region[:, -1].any()),
            ),
            shape,
        )
        if larger == box:
            pixels: Array = np.argwhere(region) + np.array([y0, x0])
            return pixels
        box = larger
        if (box[1] - box[0]) * (box[3] - box[2]) > _LARGEST_BOX:
            return None


def _cut(box: Box, shape: tuple[int, int]) -> Box:
    return max(0, box[0]), min(shape[0], box[1]), max(0, box[2]), min(shape[1], box[3])
