"""Pixels to measure runtimes on: a piece of an image, or a made-up one."""

from dataclasses import replace
from typing import Any

import numpy as np

from napari_mpseg.images.image import Image
from napari_mpseg.images.region import read_region
from napari_mpseg.images.resampling import enlarged, shrunk
from napari_mpseg.images.scaling import Scaling

Array = np.ndarray[Any, Any]
_SIDE = 1200
_WINDOW = 256
_CANDIDATES = 8  # along a side of the image
_TELLING, _OTHERS = 12, 4
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


def telling_windows(image: Image, scaling: Scaling, factor: float = 1.0) -> Array:
    """Return windows of network input that show most of what is on an image, float32 ``(N, Y, X, C)``.

    Of windows spread evenly over the image, those with the brightest and darkest pixels against the rest, as particles
    are; and a few others.

    Raises
    ------
    ImageError
        If the pixels cannot be read.
    """
    side = max(1, round(_WINDOW * factor))
    found = []
    for y in _spread(image.shape[0], side):
        for x in _spread(image.shape[1], side):
            window = sample_of(_cut(image, y, x, side), scaling, factor)
            pad = [(0, max(0, _WINDOW - size)) for size in window.shape[:2]] + [(0, 0)]
            found.append(np.pad(window, pad, mode="wrap")[:_WINDOW, :_WINDOW])
    found.sort(key=lambda window: -float(np.abs(window - np.median(window, (0, 1))).max()))
    others = found[_TELLING:]
    return np.stack([*found[:_TELLING], *others[:: max(1, len(others) // _OTHERS)][:_OTHERS]])


def telling_sample(image: Image, scaling: Scaling, factor: float = 1.0) -> Array:
    """Return the :func:`telling_windows` of an image side by side, float32 ``(Y, X, C)``.

    The middle of a filter is mostly empty, and what is computed of empty space says nothing about masks.
    """
    windows = telling_windows(image, scaling, factor)
    columns = max(1, int(len(windows) ** 0.5))
    rows = len(windows) // columns
    return np.concatenate([np.concatenate(list(windows[row * columns :][:columns]), 1) for row in range(rows)])


def _spread(size: int, side: int) -> list[int]:
    count = min(_CANDIDATES, -(-size // side))
    return sorted({round(start) for start in np.linspace(0, max(0, size - side), count)})


def _cut(image: Image, y: int, x: int, side: int) -> Image:
    return replace(image, data=image.data[y : y + side, x : x + side])


def synthetic_sample(channels: int = 3) -> Array:
    """Return a made-up piece of a stained filter, float32 ``(Y, X, channels)``; where there are not three, of greys."""
    from napari_mpseg.synthesis.patches import training_pairs

    patches = [pixels for pixels, _ in training_pairs(7, _PATCHES**2)]
    rows = [np.concatenate(patches[row::_PATCHES], 1) for row in range(_PATCHES)]
    picture = np.concatenate(rows).astype(np.float32) / np.float32(255)
    return picture if channels == 3 else np.repeat(picture.mean(2, keepdims=True), channels, 2)
