"""How much of each pixel is particle: hard along the labels, or with a soft edge."""

import numpy as np
from numpy.typing import NDArray

_STEPS = np.float32(255)  # as PNG keeps it
_IN, _OUT = np.float32(128), np.float32(127)


def hard_alpha(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return 1 on the particle and 0 elsewhere, float32 ``(Y, X)``."""
    return np.asarray(mask, np.float32)


def soft_alpha(mask: NDArray[np.bool_], sigma: float) -> NDArray[np.float32]:
    """Return the mask blurred by a Gaussian of `sigma` px, in steps of 1/255, float32 ``(Y, X)``.

    A thin particle keeps its full strength: the largest value is 1. Pixels of the mask stay at 0.5 or above and all
    others below, so that the mask can be read from it.
    """
    from scipy import ndimage

    blurred = ndimage.gaussian_filter(mask.astype(np.float32), sigma, mode="constant", truncate=4.0)
    return settled(blurred / max(float(blurred.max()), 1e-6), mask)


def settled(alpha: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return alpha in steps of 1/255, at 0.5 or above exactly where the mask is."""
    steps = np.rint(np.clip(alpha, 0, 1) * _STEPS)
    return np.asarray(np.where(mask, np.maximum(steps, _IN), np.minimum(steps, _OUT)) / _STEPS, np.float32)


def is_hard(alpha: NDArray[np.float32]) -> bool:
    """Return whether every pixel is either particle or not."""
    return bool(((alpha == 0) | (alpha == 1)).all())


def extended(pixels: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the pixels with the particle's own colours carried outwards: each other pixel is its nearest one's."""
    from scipy import ndimage

    rows, columns = ndimage.distance_transform_edt(~mask, return_distances=False, return_indices=True)
    return np.asarray(pixels[rows, columns])
