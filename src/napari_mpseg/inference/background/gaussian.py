"""The background as the image blurred."""

import math
from typing import Any

import numpy as np

from napari_mpseg.images.resampling import enlarged, shrunk

Array = np.ndarray[Any, Any]


def gaussian_background(pixels: Array, radius: float, factor: int = 1, gaps: bool = False) -> Array:
    """Return an image blurred by a Gaussian.

    Parameters
    ----------
    pixels : ndarray
        ``(Y, X)``; beyond its edges it counts as mirrored.
    radius : float
        Standard deviation in pixels; the Gaussian ends at four of them.
    factor : int
        A power of two. Blocks of so many pixels are averaged first, and the result is blended between their middles;
        the Gaussian is narrower by what both blur.
    gaps : bool
        Whether there are values that are not finite; they are left out of the average.

    Returns
    -------
    ndarray of float32
        ``(Y, X)``.
    """
    height, width = pixels.shape
    if not gaps:
        return _blurred(pixels, radius, factor)[:height, :width]
    finite = np.isfinite(pixels)
    weight = _blurred(finite, radius, factor)[:height, :width]
    total = _blurred(np.where(finite, pixels, 0), radius, factor)[:height, :width]
    mean: Array = np.divide(total, weight, out=np.zeros_like(total), where=weight > 1e-6)
    return mean


def _blurred(values: Array, sigma: float, factor: int) -> Array:
    from scipy.ndimage import gaussian_filter

    if factor == 1:
        result: Array = gaussian_filter(values.astype(np.float64), sigma, mode="reflect").astype(np.float32)
        return result
    edges = ((0, -values.shape[0] % factor), (0, -values.shape[1] % factor))
    small = shrunk(np.pad(values, edges, mode="edge"), factor).astype(np.float64)
    # Variances add up: (f^2 - 1) / 12 of a mean over f pixels, and of the linear blend between points f apart
    # (f^2 - 1) / 6, the two means of f pixels that a triangle is made of.
    rest = sigma**2 - (factor**2 - 1) / 12 - (factor**2 - 1) / 6
    return enlarged(gaussian_filter(small, math.sqrt(rest) / factor, mode="reflect"), factor)
