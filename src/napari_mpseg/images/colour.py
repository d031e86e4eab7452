"""Changes of colour that hold for any range of grey levels."""

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def change_colour(pixels: Array, hue: float = 0.0, saturation: float = 1.0) -> Array:
    """Return RGB pixels with another hue and saturation, their value (the largest channel) unchanged.

    Parameters
    ----------
    pixels : ndarray of float
        ``(..., 3)``: red, green, blue; any range of grey levels.
    hue : float
        Degrees to add on the colour circle: 120 turns red into green.
    saturation : float
        Factor, 0 or more. A colour is not pushed beyond full saturation, where its smallest channel is 0.

    Returns
    -------
    ndarray
        New array of the same shape and dtype.
    """
    value = pixels.max(-1, keepdims=True)
    chroma = value - pixels.min(-1, keepdims=True)
    if hue % 360:
        pixels = _from_hue(_hue(pixels, value[..., 0], chroma[..., 0]) + hue / 60, value, chroma)
    if saturation != 1:
        factor = np.full_like(chroma, saturation)
        if saturation > 1:
            full = np.divide(value, chroma, out=np.ones_like(chroma), where=chroma > 0)
            factor = np.clip(full, 1, saturation)
        pixels = value - (value - pixels) * factor
    return pixels.copy() if not hue % 360 and saturation == 1 else pixels


def change_contrast(pixels: Array, factor: float, level: float) -> Array:
    """Return pixels whose distance from `level` is multiplied by `factor`."""
    return (pixels - level) * factor + level


def _hue(pixels: Array, value: Array, chroma: Array) -> Array:
    """Return the place on the colour circle in sixths, 0 to 6: red 0, green 2, blue 4; 0 for grey."""
    red, green, blue = (pixels[..., channel] for channel in range(3))
    some = np.where(chroma > 0, chroma, 1)
    sixths = np.where(
        value == red,
        (green - blue) / some,
        np.where(value == green, 2 + (blue - red) / some, 4 + (red - green) / some),
    )
    around: Array = sixths % 6
    return around


def _from_hue(sixths: Array, value: Array, chroma: Array) -> Array:
    """Return RGB of a hue; each channel falls off from the value the farther its own place on the circle is."""
    channels = np.array([5, 3, 1], value.dtype)
    place = (sixths[..., None] + channels) % 6
    changed: Array = value - chroma * np.clip(np.minimum(place, 4 - place), 0, 1)
    return changed
