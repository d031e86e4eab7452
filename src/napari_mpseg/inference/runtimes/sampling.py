"""Pixels to measure runtimes on: a piece of an image, or a made-up one."""

from typing import Any

import numpy as np

from napari_mpseg.images.image import Image
from napari_mpseg.images.region import read_region
from napari_mpseg.images.resampling import enlarged, shrunk
from napari_mpseg.images.scaling import Scaling

Array = np.ndarray[Any, Any]
_SIDE = 1200
_PATCHES = 3  # along a side of a made-up piece


def sample_of(image: Image, scaling: Scaling, factor: float = 1.0) -> Array:
    """Return network input from the middle of an image, float32 ``(Y, X, C)``.

    Parameters
    ----------
    factor : float
        How many pixels of the image make one of the network's along a side.

    Raises
    ------
    ImageError
        If the pixels cannot be read.
    """
    fewer, more = (round(factor), 1) if factor >= 1 else (1, round(1 / factor))
    height, width = (min(size, _SIDE * fewer // more) // fewer * fewer for size in image.shape)
    y, x = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    pixels = read_region(image, y, y + height, x, x + width)
    if fewer > 1:
        pixels = shrunk(pixels, fewer)
    elif more > 1:
        pixels = enlarged(pixels, more)
    scaled = scaling.apply(pixels)
    return scaled[..., None] if scaled.ndim == 2 else scaled


def synthetic_sample(channels: int = 3) -> Array:
    """Return a made-up piece of a stained filter, float32 ``(Y, X, channels)``; where there are not three, of greys."""
    from napari_mpseg.synthesis.patches import training_pairs

    patches = [pixels for pixels, _ in training_pairs(7, _PATCHES**2)]
    rows = [np.concatenate(patches[row::_PATCHES], 1) for row in range(_PATCHES)]
    picture = np.concatenate(rows).astype(np.float32) / np.float32(255)
    return picture if channels == 3 else np.repeat(picture.mean(2, keepdims=True), channels, 2)
