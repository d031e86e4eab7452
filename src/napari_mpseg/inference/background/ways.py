"""The ways to find a background, each told by how far it looks and by what it makes of a window of pixels."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_mpseg.registry import Registry

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Levels:
    """What is known of the values of the whole image.

    Attributes
    ----------
    low, high : float
        Its range: 0 and 255 for uint8, else the smallest and largest finite value.
    gaps : bool
        Whether there are values that are not finite.
    """

    low: float = 0.0
    high: float = 255.0
    gaps: bool = False

    @property
    def grey_level(self) -> float:
        """How much of the image's values is one level of 255."""
        return (self.high - self.low) / 255 or 1.0


@dataclass(frozen=True)
class BackgroundEntry:
    """One way to find the background.

    Attributes
    ----------
    name, title : str
        What users type, and what menus show.
    summary : str
        One sentence on what it does and when to take it.
    shrink : callable
        Takes the radius in pixels; the side of the blocks that are taken as one pixel. Windows begin at multiples.
    reach : callable
        Takes the radius; how far from a pixel others can change its background.
    estimate : callable
        Takes a window of one channel ``(Y, X)``, the radius and the image's :class:`Levels`; returns the background
        under bright particles, ``(Y, X)`` float. Beyond the window's edges the image counts as mirrored.
    """

    name: str
    title: str
    summary: str
    shrink: Callable[[float], int]
    reach: Callable[[float], int]
    estimate: Callable[[Array, float, Levels], Array]


BACKGROUNDS: Registry[BackgroundEntry] = Registry("way to subtract a background")


def ball_shrink(radius: float) -> int:
    """Return the factor by which the image is shrunk before the ball rolls, as ImageJ chooses it."""
    return next((factor for most, factor in ((10, 1), (30, 2), (100, 4)) if radius <= most), 8)


def gaussian_shrink(radius: float) -> int:
    """Return the factor by which the image is shrunk: at least eight shrunk pixels make the standard deviation."""
    return 1 << max(0, math.floor(math.log2(max(radius, 1) / 8)))


def _ball(pixels: Array, radius: float, levels: Levels) -> Array:
    from napari_mpseg.inference.background.openings import ball_background

    return ball_background(pixels, radius, ball_shrink(radius), levels.grey_level)


def _disc(pixels: Array, radius: float, levels: Levels) -> Array:
    from napari_mpseg.inference.background.openings import disc_background

    return disc_background(pixels, radius)


def _gaussian(pixels: Array, radius: float, levels: Levels) -> Array:
    from napari_mpseg.inference.background.gaussian import gaussian_background

    return gaussian_background(pixels, radius, gaussian_shrink(radius), levels.gaps)


def _ball_reach(radius: float) -> int:
    # a ball that covers the pixel may touch another one at its far side; the blend between blocks adds one more
    factor = ball_shrink(radius)
    return (2 * math.floor(radius / factor) + 2) * factor


def _gaussian_reach(radius: float) -> int:
    factor = gaussian_shrink(radius)
    return (math.ceil(4 * radius / factor) + 2) * factor


def _add(name: str, title: str, summary: str, shrink: Any, reach: Any, estimate: Any) -> None:
    BACKGROUNDS.add(name, BackgroundEntry(name, title, summary, shrink, reach, estimate))


_add(
    "rolling-ball",
    "Rolling ball",
    "The surface that a ball reaches when it rolls under the image (Sternberg 1983): what ImageJ users know.",
    ball_shrink,
    _ball_reach,
    _ball,
)
_add(
    "top-hat",
    "Top-hat",
    "What is left of the image where a disc fits (opening): flat steps of light go, whatever their height.",
    lambda radius: 1,
    lambda radius: 2 * math.floor(radius),
    _disc,
)
_add(
    "gaussian",
    "Gaussian blur",
    "The image blurred, with the radius as standard deviation: quick, for light that changes slowly.",
    gaussian_shrink,
    _gaussian_reach,
    _gaussian,
)
