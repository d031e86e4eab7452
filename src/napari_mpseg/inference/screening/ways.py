"""The ways to tell where no particle can be."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_mpseg.inference.predictor import TilePredictor
from napari_mpseg.registry import Registry

if TYPE_CHECKING:
    from napari_mpseg.inference.screening.settings import ScreenSettings

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class ScreenEntry:
    """One way to screen.

    Attributes
    ----------
    name, title : str
        What users type, and what menus show.
    summary : str
        One sentence on what it does and when to take it.
    limit : float
        What a place must exceed to be looked at, where the user says nothing.
    unit : str
        What the limit is given in.
    highest : float
        Largest limit that makes sense.
    find : callable
        Takes a window ``(Y, X)`` or ``(Y, X, C)``, the predictor that is spared, and the settings; returns per cell of
        8 x 8 px whether a particle may be there, bool ``(ceil(Y / 8), ceil(X / 8))``. Safe to call from several
        threads.
    """

    name: str
    title: str
    summary: str
    limit: float
    unit: str
    highest: float
    find: "Callable[[Array, TilePredictor, ScreenSettings], Array]"


SCREENS: Registry[ScreenEntry] = Registry("way to skip empty space")


def _background(window: Array, predictor: TilePredictor, settings: "ScreenSettings") -> Array:
    from napari_mpseg.inference.screening.background import unlike_background

    return unlike_background(window, settings.level, bright=settings.bright, dark=settings.dark)


def _low_resolution(window: Array, predictor: TilePredictor, settings: "ScreenSettings") -> Array:
    from napari_mpseg.inference.screening.low_resolution import seen_when_small

    return seen_when_small(window, predictor, settings.level, bright=settings.bright, dark=settings.dark)


def _both(window: Array, predictor: TilePredictor, settings: "ScreenSettings") -> Array:
    from scipy.ndimage import binary_dilation

    from napari_mpseg.inference.screening.low_resolution import seen_when_small

    found = _background(window, predictor, settings)
    if not found.any():
        return found
    limit = SCREENS["low-resolution"].limit
    small = seen_when_small(window, predictor, limit, bright=settings.bright, dark=settings.dark)
    # the small network may see a particle one cell beside the pixels that stand out
    likely: Array = found & binary_dilation(small, np.ones((3, 3), bool))
    return likely


SCREENS.add(
    "background",
    ScreenEntry(
        "background",
        "Background",
        "Skips what stays within so many times the noise of the local background; costs next to nothing.",
        10.0,
        "robust deviations",
        1000.0,
        _background,
    ),
)
SCREENS.add(
    "low-resolution",
    ScreenEntry(
        "low-resolution",
        "Low resolution",
        "Asks the network about the image four times smaller and skips what stays below a low probability; for images "
        "whose background is full of structure.",
        0.05,
        "probability",
        0.99,
        _low_resolution,
    ),
)
SCREENS.add(
    "both",
    ScreenEntry(
        "both",
        "Both",
        "Looks only at what leaves the background and what the network sees at low resolution; skips most.",
        10.0,
        "robust deviations",
        1000.0,
        _both,
    ),
)
