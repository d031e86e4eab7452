"""How empty space is to be found, as settings and as the text that users type."""

import math
from dataclasses import dataclass

from napari_mpseg.errors import SettingsError
from napari_mpseg.inference.screening.ways import SCREENS

PARTICLES = ("both", "bright", "dark")
_LARGEST_BLOCK = 512


@dataclass(frozen=True)
class ScreenSettings:
    """How empty space is found.

    Attributes
    ----------
    way : str
        Name in :data:`SCREENS`.
    limit : float or None
        What a place must exceed to be looked at, in the unit of the way: robust deviations of the background, or
        probability at low resolution. A lower limit loses less and skips less. None is the way's own.
    particles : str
        ``"bright"``, ``"dark"`` or ``"both"``: how particles differ from what is around them.
    block : int
        What is computed has sides that are multiples of so many pixels, 8 to 512. Larger blocks are fewer and cost
        more.
    grow : int
        How many pixels around what stands out are computed too, so that faint rims are kept.
    check : int
        At how many places of 256 x 256 px the method also looks at everything, before the run, to tell whether the way
        suits the image.

    Raises
    ------
    UnknownNameError
        If there is no such way.
    SettingsError
        If a value is impossible.
    """

    way: str = "background"
    limit: float | None = None
    particles: str = "both"
    block: int = 32
    grow: int = 8
    check: int = 4

    def __post_init__(self) -> None:
        entry = SCREENS[self.way]
        if self.limit is not None and not (math.isfinite(self.limit) and 0 < self.limit <= entry.highest):
            raise SettingsError(
                f"A limit of {self.limit:g} is impossible for {self.way!r}: give {entry.unit}, above 0 and up to "
                f"{entry.highest:g}, such as {entry.limit:g}."
            )
        if self.particles not in PARTICLES:
            raise SettingsError(f"Particles cannot be {self.particles!r}. Choose one of: {', '.join(PARTICLES)}.")
        if not 8 <= self.block <= _LARGEST_BLOCK:
            raise SettingsError(f"Blocks of {self.block} pixels are impossible: give 8 to {_LARGEST_BLOCK}.")
        if self.grow < 0:
            raise SettingsError(f"Growing by {self.grow} pixels is impossible: give 0 or more, such as 8.")
        if self.check < 0:
            raise SettingsError(f"{self.check} places cannot be checked: give 0 or more, such as 4.")

    @property
    def level(self) -> float:
        """The limit in force."""
        return SCREENS[self.way].limit if self.limit is None else self.limit

    @property
    def bright(self) -> bool:
        """Whether particles may be brighter than what is around them."""
        return self.particles != "dark"

    @property
    def dark(self) -> bool:
        """Whether particles may be darker than what is around them."""
        return self.particles != "bright"

    def __str__(self) -> str:
        """Return the text that :func:`find_screen` reads."""
        return f"{self.way}:{self.level:g}" + ("" if self.particles == "both" else f":{self.particles}")


def find_screen(screen: ScreenSettings | str | None) -> ScreenSettings | None:
    """Return the settings of a text; None and ``"none"`` look at everything.

    Parameters
    ----------
    screen : ScreenSettings, str or None
        Such as ``"background"``, ``"background:6"`` or ``"low-resolution:0.02:bright"``: the way, its limit, and
        ``bright`` or ``dark`` where all particles are.

    Raises
    ------
    UnknownNameError
        If there is no such way.
    SettingsError
        If the text is of another form, or the limit is impossible.

    Examples
    --------
    >>> find_screen("background:6").level
    6.0
    """
    if screen is None or isinstance(screen, ScreenSettings):
        return screen
    if not isinstance(screen, str):
        raise SettingsError(f"{screen!r} is no way to skip empty space. Give a text such as 'background', or 'none'.")
    way, *rest = (part.strip() for part in screen.split(":"))
    if way in ("", "none") and not rest:
        return None
    SCREENS[way]
    particles = rest.pop() if rest and rest[-1] in PARTICLES else "both"
    if len(rest) > 1:
        raise SettingsError(f"{screen!r} should be WAY, WAY:LIMIT or WAY:LIMIT:bright, such as 'background:6'.")
    return ScreenSettings(way, _number(rest[0], way) if rest else None, particles)


def _number(text: str, way: str) -> float:
    try:
        return float(text)
    except ValueError:
        entry = SCREENS[way]
        raise SettingsError(
            f"The limit {text!r} is no number. Give {entry.unit}, such as '{way}:{entry.limit:g}'."
        ) from None
