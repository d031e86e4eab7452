"""Openings by a ball and by a disc: the background under everything into which they do not fit."""

import math
from functools import cache
from typing import Any

import numpy as np

from napari_mpseg.images.resampling import enlarged

Array = np.ndarray[Any, Any]
_NATIVE = ("uint8", "uint16", "float32")  # what the loops are compiled for; all else is turned into float64


def ball_background(pixels: Array, radius: float, factor: int = 1, grey_level: float = 1.0) -> Array:
    """Return the surface that a ball reaches when it rolls under an image: its opening by a ball.

    Parameters
    ----------
    pixels : ndarray
        ``(Y, X)``; beyond its edges it counts as mirrored. Values that are not finite hold no ball up.
    radius : float
        Of the ball in pixels, and at the same time in grey levels of 255.
    factor : int
        The image is shrunk by this first (the lowest value of each block), and the surface is blended between the
        middles of the blocks.
    grey_level : float
        How much of the image's values is one grey level.

    Returns
    -------
    ndarray of float
        ``(Y, X)``, nowhere above the image.

    References
    ----------
    Sternberg 1983, doi:10.1109/MC.1983.1654163.
    """
    from napari_mpseg.inference.background.kernels import ball_dilation, ball_erosion

    dtype = np.float32 if pixels.dtype in _NATIVE else np.float64
    values = np.where(np.isfinite(pixels), pixels, np.inf).astype(dtype)
    small = _lowest_of_blocks(values, factor)
    offsets, heights = _ball(radius / factor)
    drops = (heights * (factor * grey_level)).astype(dtype)
    reach = int(offsets.max()) // 2
    touching = np.full(small.shape, np.inf, dtype)
    ball_erosion(np.pad(small, reach, mode="symmetric"), offsets, drops, touching)
    # where nothing holds it up, a ball reaches nothing either
    touching[np.isinf(touching)] = -np.inf
    surface = np.full(small.shape, -np.inf, dtype)
    ball_dilation(np.pad(touching, reach, mode="symmetric"), offsets, drops, surface)
    surface[np.isinf(surface)] = 0
    if factor > 1:
        surface = enlarged(surface, factor)[: pixels.shape[0], : pixels.shape[1]]
    background: Array = np.minimum(values, surface)
    return background


def disc_background(pixels: Array, radius: float) -> Array:
    """Return the opening of an image by a flat disc: every particle into which it does not fit is gone.

    Parameters
    ----------
    pixels : ndarray
        ``(Y, X)``; beyond its edges it counts as mirrored. Values that are not finite are left out.
    radius : float
        Of the disc in pixels: it holds the pixels whose middle is not farther away.

    Returns
    -------
    ndarray
        ``(Y, X)``, nowhere above the image; uint8, uint16 and float32 stay, all else becomes float64.
    """
    values = pixels if pixels.dtype in _NATIVE else pixels.astype(np.float64)
    gaps = ~np.isfinite(values) if values.dtype.kind == "f" else None
    if gaps is not None and gaps.any():
        values = np.where(gaps, np.inf, values)
    lowest = _lowest_under_disc(values, radius)
    if gaps is not None:
        lowest[np.isinf(lowest)] = -np.inf
    opened = -_lowest_under_disc(-lowest, radius) if values.dtype.kind == "f" else ~_lowest_under_disc(~lowest, radius)
    if gaps is not None:
        opened[np.isinf(opened)] = 0
    return opened


def _lowest_under_disc(values: Array, radius: float) -> Array:
    from napari_mpseg.inference.background.kernels import disc_lowest

    reach = math.floor(radius)
    halves = np.floor(np.sqrt(radius**2 - np.arange(-reach, reach + 1) ** 2)).astype(np.int64)
    result = values.copy()
    disc_lowest(np.pad(values, reach, mode="symmetric"), halves, result)
    return result


@cache
def _ball(radius: float) -> tuple[Array, Array]:
    """Return the pixels of a ball, from the corner of its square, and how far below its top its surface is there."""
    reach = math.floor(radius)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    inside = x**2 + y**2 <= radius**2
    offsets = np.stack([y[inside], x[inside]], 1) + reach
    return offsets, radius - np.sqrt(radius**2 - (x**2 + y**2)[inside])


def _lowest_of_blocks(values: Array, factor: int) -> Array:
    if factor == 1:
        return values
    height, width = values.shape
    whole = np.pad(values, ((0, -height % factor), (0, -width % factor)), mode="edge")
    rows, columns = whole.shape[0] // factor, whole.shape[1] // factor
    lowest: Array = whole.reshape(rows, factor, columns, factor).min(axis=(1, 3))
    return lowest
