"""How the background is to be found, as settings and as the text that users type."""

import math
from dataclasses import dataclass

from napari_mpseg.errors import SettingsError
from napari_mpseg.inference.background.ways import BACKGROUNDS

LARGEST_RADIUS = 500
_LIGHT, _DARK = "light", "dark"


@dataclass(frozen=True)
class BackgroundSettings:
    """How the background is found.

    Attributes
    ----------
    way : str
        Name in :data:`BACKGROUNDS`.
    radius : float
        Of the ball or the disc, or standard deviation of the Gaussian, in pixels, 1 to 500; larger than the largest
        particle.
    light : bool
        Whether the background is brighter than the particles.

    Raises
    ------
    UnknownNameError
        If there is no such way.
    SettingsError
        If the radius is out of range.
    """

    way: str
    radius: float = 50.0
    light: bool = False

    def __post_init__(self) -> None:
        BACKGROUNDS[self.way]
        if not (math.isfinite(self.radius) and 1 <= self.radius <= LARGEST_RADIUS):
            raise SettingsError(
                f"A background radius of {self.radius:g} pixels is impossible: give 1 to {LARGEST_RADIUS}, "
                "a little more than the largest particle's width."
            )

    def __str__(self) -> str:
        """Return the text that :func:`find_background` reads."""
        return f"{self.way}:{self.radius:g}" + (f":{_LIGHT}" if self.light else "")


def find_background(background: BackgroundSettings | str | None) -> BackgroundSettings | None:
    """Return the settings of a text; None and ``"none"`` are no subtraction at all.

    Parameters
    ----------
    background : BackgroundSettings, str or None
        Such as ``"rolling-ball"``, ``"rolling-ball:50"`` or ``"top-hat:25:light"``: the way, the radius in pixels
        (50 without), and ``light`` where the background is brighter than the particles.

    Raises
    ------
    UnknownNameError
        If there is no such way.
    SettingsError
        If the text is of another form, or the radius is no number from 1 to 500.

    Examples
    --------
    >>> find_background("rolling-ball:25")
    BackgroundSettings(way='rolling-ball', radius=25.0, light=False)
    """
    if background is None or isinstance(background, BackgroundSettings):
        return background
    if not isinstance(background, str):
        raise SettingsError(f"{background!r} is no background. Give a text such as 'rolling-ball:50', or 'none'.")
    way, *rest = (part.strip() for part in background.split(":"))
    if way in ("", "none") and not rest:
        return None
    BACKGROUNDS[way]
    light = bool(rest) and rest[-1].lower() in (_LIGHT, _DARK)
    numbers = rest[:-1] if light else rest
    if len(numbers) > 1:
        raise SettingsError(
            f"{background!r} should be WAY:RADIUS or WAY:RADIUS:light, such as 'rolling-ball:50' or 'top-hat:25:light'."
        )
    return BackgroundSettings(way, _number(numbers[0]) if numbers else 50.0, light and rest[-1].lower() == _LIGHT)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise SettingsError(f"The radius {text!r} is no number. Give pixels, such as 'rolling-ball:50'.") from None
