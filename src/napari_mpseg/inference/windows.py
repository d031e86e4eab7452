"""Read the pixels of a window, padded where the window leaves the image."""

from typing import Any

import numpy as np

from napari_mpseg.images.image import Image
from napari_mpseg.inference.grid import Box


def read_window(image: Image, window: Box) -> np.ndarray[Any, Any]:
    """Return the pixels of `window`, ``(Y, X)`` or ``(Y, X, C)``, the image's edge repeated beyond it.

    Raises
    ------
    ImageError
        If the pixels cannot be read from their file.
    """
    from napari_mpseg.images.region import read_region

    y0, y1, x0, x1 = window
    height, width = image.shape
    pixels = read_region(image, y0, min(y1, height), x0, min(x1, width))
    below, right = y1 - min(y1, height), x1 - min(x1, width)
    if below or right:
        pixels = np.pad(pixels, [(0, below), (0, right)] + [(0, 0)] * (pixels.ndim - 2), mode="edge")
    return pixels
