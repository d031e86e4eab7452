"""The round membrane and the dark around it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.synthesis.blocks import Window
from napari_mpseg.synthesis.camera import places_of
from napari_mpseg.synthesis.fields import smooth_field
from napari_mpseg.synthesis.filter_settings import FilterPlan

_WAVE = 2.0  # px, standard deviation of the edge about a true circle
_CLEAR = 12.0  # px between particles and the edge
_SOFT = 4.0  # px over which the light falls off


def _circle(settings: FilterPlan) -> tuple[float, float, float]:
    (height, width), (y, x) = settings.size, settings.membrane_centre
    return y * height, x * width, settings.membrane_radius * min(height, width)


def holds(settings: FilterPlan, y: Any, x: Any, side: int) -> NDArray[np.bool_]:
    """Tell which squares lie wholly on the membrane and in the image.

    Parameters
    ----------
    settings : FilterPlan
        The filter.
    y, x : array of int
        First rows and columns of the squares.
    side : int
        Of the squares, in pixels.

    Returns
    -------
    ndarray of bool
        Of the shape of `y` and `x` broadcast.
    """
    height, width = settings.size
    inside = (y >= 0) & (x >= 0) & (y + side <= height) & (x + side <= width)
    if settings.membrane:
        cy, cx, radius = _circle(settings)
        far_y, far_x = np.maximum(abs(y - cy), abs(y + side - cy)), np.maximum(abs(x - cx), abs(x + side - cx))
        inside = inside & (np.hypot(far_y, far_x) < radius - _CLEAR)
    return np.asarray(inside)


def inwards(settings: FilterPlan, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return how far pixels at some rows and columns lie within the round edge, in pixels, ``(rows, columns)``."""
    cy, cx, radius = _circle(settings)
    return np.asarray(radius - np.hypot(rows[:, None] - cy, columns[None] - cx))


def coverage(settings: FilterPlan, window: Window) -> NDArray[np.float32] | None:
    """Return how much of each pixel is membrane, 0 to 1, ``(height, width)``; None where all of it is."""
    if not settings.membrane:
        return None
    distance = inwards(settings, *places_of(window))
    if distance.min() > _CLEAR:
        return None
    distance = distance + _WAVE * smooth_field(settings.seed, "membrane edge", window, 90.0)
    return np.asarray(np.clip(distance / _SOFT + 0.5, 0, 1), np.float32)


def touches_membrane(settings: FilterPlan, window: Window) -> bool:
    """Tell whether any part of a window lies on the membrane."""
    if not settings.membrane:
        return True
    cy, cx, radius = _circle(settings)
    near_y = np.clip(cy, window.y, window.y + window.height) - cy
    near_x = np.clip(cx, window.x, window.x + window.width) - cx
    return bool(np.hypot(near_y, near_x) < radius + _CLEAR)
