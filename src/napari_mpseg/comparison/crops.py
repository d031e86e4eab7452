"""Small windows around true particles, the same for all methods, with what was right and wrong in them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.evaluation.errors import error_map

SMALLEST, LARGEST = 40, 96
"""Pixels of a window's side: of a small and of a large particle; less where the image is smaller."""

_AROUND = 5.0  # sides of a square of the particle's area that a window shows

_SMALL_IMAGE = 512 * 512  # pixels up to which one window shows enough
_MOST = 4

Windows = NDArray[np.int64]


def windows_around(shape: tuple[int, int], areas: Sequence[int] | Any, centres: Any) -> Windows:
    """Return windows around true particles: the largest first, then others down to the smallest.

    Parameters
    ----------
    shape : tuple of int
        Height and width of the image.
    areas : array
        ``(N,)`` pixels of the true particles.
    centres : array
        ``(N, 2)``, y and x.

    Returns
    -------
    ndarray of int64
        ``(K, 4)``: top, left, height, width; one window for a small image, up to four for a larger one; in the middle
        of an image without particles.
    """
    areas, centres = np.asarray(areas), np.asarray(centres, float).reshape(-1, 2)
    if not len(areas):
        return np.array([_window(np.array(shape) / 2, shape, LARGEST)], np.int64)
    order = np.argsort(-areas, kind="stable")
    wanted = 1 if shape[0] * shape[1] <= _SMALL_IMAGE else _MOST
    places = np.unique(np.linspace(0, len(order) - 1, min(wanted, len(order))).round().astype(int))
    found: list[tuple[int, int, int, int]] = []
    for place in places:
        particle = order[place]
        side = int(np.clip(np.ceil(_AROUND * np.sqrt(areas[particle])), SMALLEST, LARGEST))
        window = _window(centres[particle], shape, side)
        if all(abs(window[0] - top) >= side // 2 or abs(window[1] - left) >= side // 2 for top, left, *_ in found):
            found.append(window)
    return np.array(found, np.int64)


def error_crops(predicted: Any, truth: Any, windows: Windows) -> tuple[NDArray[np.uint8], ...]:
    """Return the error map of each window, uint8 ``(height, width)``."""
    found = []
    for top, left, height, width in windows.tolist():
        part = slice(top, top + height), slice(left, left + width)
        found.append(np.asarray(error_map(np.asarray(predicted[part]), np.asarray(truth[part]))))
    return tuple(found)


def _window(centre: NDArray[np.float64], shape: tuple[int, int], side: int) -> tuple[int, int, int, int]:
    height, width = min(side, shape[0]), min(side, shape[1])
    top = int(np.clip(round(centre[0] - height / 2), 0, shape[0] - height))
    left = int(np.clip(round(centre[1] - width / 2), 0, shape[1] - width))
    return top, left, height, width
