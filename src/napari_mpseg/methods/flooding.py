"""Watershed between what is surely dark and what is surely bright, exact in any part of an image."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_mpseg.registry import Registry

Array = np.ndarray[Any, Any]
Box = tuple[int, int, int, int]
_FIRST_MARGIN, _LARGEST_MARGIN = 32, 512


@dataclass(frozen=True)
class Gradient:
    """One way to tell how much the image changes.

    Attributes
    ----------
    of : callable
        Takes grey levels ``(Y, X)`` and a standard deviation, returns float64 ``(Y, X)``; mirrored at the edges.
    reach : callable
        Takes the standard deviation; how far from a pixel others can change its value.
    """

    of: Callable[[Array, float], Array]
    reach: Callable[[float], int]


def _sobel(grey: Array, sigma: float) -> Array:
    from skimage.filters import sobel

    gradient: Array = sobel(grey.astype(np.float64))
    return gradient


def _gaussian(grey: Array, sigma: float) -> Array:
    from scipy.ndimage import gaussian_gradient_magnitude

    gradient: Array = gaussian_gradient_magnitude(grey.astype(np.float64), sigma)
    return gradient


GRADIENTS: Registry[Gradient] = Registry("gradient")
GRADIENTS.add("sobel", Gradient(_sobel, lambda sigma: 1))
GRADIENTS.add("gaussian", Gradient(_gaussian, lambda sigma: int(4 * sigma + 0.5)))


@dataclass(frozen=True)
class FloodSettings:
    """From where to where the watershed floods.

    Attributes
    ----------
    dark, bright : float
        Pixels up to `dark` are background, those above `bright` are particle; what lies between is flooded.
    gradient : str
        Name in :data:`GRADIENTS`.
    sigma : float
        Of the Gaussian gradient.
    """

    dark: float
    bright: float
    gradient: str = "sobel"
    sigma: float = 1.0


def flooded(grey: Array, gradient: Array, settings: FloodSettings) -> Array:
    """Return which pixels the flood from the bright markers reaches first.

    Pixels are flooded in the order of their gradient, and where that is equal in raster order, so that the result in
    each patch between the markers depends on this patch alone.

    Parameters
    ----------
    grey, gradient : ndarray
        ``(Y, X)``.
    settings : FloodSettings

    Returns
    -------
    ndarray of bool
        ``(Y, X)``.

    References
    ----------
    Meyer 1994, doi:10.1016/0165-1684(94)90060-4.
    """
    from scipy.ndimage import binary_dilation
    from skimage.segmentation import watershed

    between = _between(grey, settings)
    bright = grey > settings.bright
    if not between.any() or not bright.any():
        return bright
    near = binary_dilation(between, np.ones((3, 3), bool))
    order = np.zeros(grey.shape, np.int32)
    # flatnonzero goes in raster order, which a stable sort keeps
    places = np.flatnonzero(near)
    order.flat[places[np.argsort(gradient.flat[places], kind="stable")]] = np.arange(1, len(places) + 1)
    markers = np.where(bright, 2, 1).astype(np.int32)
    markers[between | ~near] = 0
    particle: Array = bright | (watershed(order, markers, mask=near, connectivity=2) == 2)
    return particle


def flooded_box(read: Callable[[Box], Array], shape: tuple[int, int], box: Box, settings: FloodSettings) -> Array:
    """Return the mask of a box as the watershed of the whole image would have it.

    The box is read with a margin, which is doubled while a patch between the markers reaches from the box to the
    margin's end; beyond 512 pixels it is cut there.

    Parameters
    ----------
    read : callable
        Takes ``(y0, y1, x0, x1)`` and returns grey levels of that part.
    shape : tuple of int
        The image's height and width.
    box : tuple of int
        ``(y0, y1, x0, x1)``.
    settings : FloodSettings

    Returns
    -------
    ndarray of bool
    """
    y0, y1, x0, x1 = box
    kind = GRADIENTS[settings.gradient]
    margin = _FIRST_MARGIN
    while True:
        inner = _grown(box, margin, shape)
        outer = _grown(inner, kind.reach(settings.sigma), shape)
        grey = read(outer)
        part = _inside(inner, outer)
        if margin >= _LARGEST_MARGIN or not _runs_out(_between(grey[part], settings), box, inner, shape):
            gradient = kind.of(grey, settings.sigma)[part]
            return flooded(grey[part], gradient, settings)[_inside((y0, y1, x0, x1), inner)]
        margin *= 2


def _runs_out(between: Array, box: Box, inner: Box, shape: tuple[int, int]) -> bool:
    """Return whether a patch between the markers reaches from near the box to where the image was cut."""
    from scipy.ndimage import label

    edges = np.zeros(between.shape, bool)
    height, width = shape
    for line, cut in (
        (np.s_[:1], inner[0] > 0),
        (np.s_[-1:], inner[1] < height),
        (np.s_[:, :1], inner[2] > 0),
        (np.s_[:, -1:], inner[3] < width),
    ):
        edges[line] |= cut
    if not (between & edges).any():
        return False
    patches = label(between, np.ones((3, 3), bool))[0]
    in_box = patches[_inside(_grown(box, 1, shape), inner)]
    both = np.intersect1d(np.unique(in_box), np.unique(patches[edges]))
    return bool((both > 0).any())


def _between(grey: Array, settings: FloodSettings) -> Array:
    between: Array = (grey > settings.dark) & (grey <= settings.bright)
    return between


def _grown(box: Box, margin: int, shape: tuple[int, int]) -> Box:
    y0, y1, x0, x1 = box
    return max(0, y0 - margin), min(shape[0], y1 + margin), max(0, x0 - margin), min(shape[1], x1 + margin)


def _inside(box: Box, outer: Box) -> tuple[slice, slice]:
    return slice(box[0] - outer[0], box[1] - outer[0]), slice(box[2] - outer[2], box[3] - outer[2])
