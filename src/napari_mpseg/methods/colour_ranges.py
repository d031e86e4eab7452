"""Ranges of colour set by hand, and the text in which they are typed.

Examples of the text::

    hsb:hue=240-20,saturation=60-255,brightness=100-255
    rgb:red=120-255,green!=90-255 or hsb:brightness=250-255
    hsb:brightness=80-255 except hsb:hue=70-110
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_mpseg.errors import SettingsError
from napari_mpseg.methods.colour_spaces import COLOUR_SPACES, Components, components_of
from napari_mpseg.settings import from_dict, to_dict

EXAMPLE = "hsb:hue=240-20,brightness=100-255"
_PART = re.compile(r"([a-z]+)(!?=)(\d{1,3})(?:-(\d{1,3}))?")
_FORM = f"Write such as {EXAMPLE!r}: the colour space, a colon, then COMPONENT=LOW-HIGH with commas between."


@dataclass(frozen=True)
class ColourRange:
    """Colours whose three components all lie in, or outside, a range of their own.

    Attributes
    ----------
    space : str
        Name in :data:`~napari_mpseg.methods.colour_spaces.COLOUR_SPACES`: ``"hsb"``, ``"rgb"``, ``"lab"``.
    low, high : tuple of int
        Ends per component, 0 to 255, both included. For a component that goes round (hue) `low` may be the larger one:
        240 to 20 is 240 to 255 and 0 to 20.
    inside : tuple of bool
        Per component: whether what lies inside passes (ImageJ's *Pass*), or what lies outside.
    """

    space: str = "hsb"
    low: tuple[int, int, int] = (0, 0, 0)
    high: tuple[int, int, int] = (255, 255, 255)
    inside: tuple[bool, bool, bool] = (True, True, True)

    def __post_init__(self) -> None:
        space = COLOUR_SPACES[self.space]
        names, ends = space.components, zip(self.low, self.high, space.circular, strict=True)
        for name, (low, high, circular) in zip(names, ends, strict=True):
            if not (0 <= low <= 255 and 0 <= high <= 255):
                raise SettingsError(f"{space.title} {name} {low} to {high}: give whole numbers from 0 to 255.")
            if low > high and not circular:
                raise SettingsError(f"{space.title} {name} {low} to {high}: the first is the larger one. Swap them.")

    @property
    def limits(self) -> tuple[int, ...]:
        """Which components leave anything out, by number."""
        return tuple(
            number
            for number, (low, high, inside) in enumerate(zip(self.low, self.high, self.inside, strict=True))
            if (high - low) % 256 < 255 or not inside
        )

    def holds(self, components: Components) -> Any:
        """Return which colours lie in the range.

        Parameters
        ----------
        components : tuple of three ndarrays of uint8
            In the range's own colour space.

        Returns
        -------
        ndarray of bool
        """
        found = None
        for number in self.limits:
            low, high = self.low[number], self.high[number]
            # counted from the lower end in bytes, which go round: so a hue may pass over 255
            passed = (components[number] - np.uint8(low)) <= np.uint8((high - low) % 256)
            if not self.inside[number]:
                passed = ~passed
            found = passed if found is None else np.logical_and(found, passed, out=found)
        return np.ones(components[0].shape, bool) if found is None else found

    def text(self) -> str:
        """Return the range as it is typed: ``"hsb:hue=240-20,brightness=100-255"``."""
        names = COLOUR_SPACES[self.space].components
        parts = [
            f"{names[number]}{'=' if self.inside[number] else '!='}{self.low[number]}-{self.high[number]}"
            for number in self.limits
        ]
        return f"{self.space}:{','.join(parts)}"


@dataclass(frozen=True)
class ColourThreshold:
    """Colours that lie in any of several ranges, and in none of those excluded.

    Attributes
    ----------
    ranges : tuple of ColourRange
        At least one.
    excluded : tuple of ColourRange
        Colours that are left out though a range holds them.
    """

    ranges: tuple[ColourRange, ...]
    excluded: tuple[ColourRange, ...] = ()

    def __post_init__(self) -> None:
        if not self.ranges:
            raise SettingsError("There is no range of colours. " + _FORM)

    def holds(self, pixels: Any) -> Any:
        """Return which 8-bit colours are found.

        Parameters
        ----------
        pixels : ndarray of uint8
            ``(..., 3)``: red, green, blue.

        Returns
        -------
        ndarray of bool
            Of the shape of `pixels` without its last axis.
        """
        spaces = dict.fromkeys(one.space for one in (*self.ranges, *self.excluded))
        return self.holds_components({space: components_of(pixels, space) for space in spaces})

    def holds_components(self, components: Mapping[str, Components]) -> Any:
        """Return what :meth:`holds` does, of colours that are in the components of each colour space already."""
        found = self.ranges[0].holds(components[self.ranges[0].space])
        for one in self.ranges[1:]:
            found |= one.holds(components[one.space])
        for one in self.excluded:
            found &= ~one.holds(components[one.space])
        return found

    def text(self) -> str:
        """Return the ranges as they are typed; :func:`colour_threshold` reads it."""
        said = " or ".join(one.text() for one in self.ranges)
        left_out = " or ".join(one.text() for one in self.excluded)
        return f"{said} except {left_out}" if left_out else said

    def plain(self) -> Any:
        """Return JSON values: a list of ranges, or an object where ranges are excluded too."""
        values = to_dict(self)
        return values if self.excluded else values["ranges"]


def colour_threshold(given: Any) -> ColourThreshold:
    """Return ranges of colour in any of the forms in which they may be given.

    Parameters
    ----------
    given : ColourThreshold, ColourRange, str, list or mapping
        Text as in ``"hsb:hue=240-20,brightness=100-255"``, ranges joined by ``or``, those to leave out after
        ``except``, ``!=`` for what lies outside; a list of ranges, each as :class:`ColourRange`, text or mapping; or a
        mapping with ``ranges`` and ``excluded``.

    Raises
    ------
    SettingsError
        If it cannot be read, or holds no range.
    """
    if isinstance(given, ColourThreshold):
        return given
    if isinstance(given, str):
        wanted, mark, left_out = given.partition(" except ")
        return ColourThreshold(_typed(wanted), _typed(left_out) if mark else ())
    if isinstance(given, Mapping):
        return from_dict(ColourThreshold, given)
    if isinstance(given, ColourRange):
        return ColourThreshold((given,))
    if isinstance(given, Sequence):
        return ColourThreshold(tuple(_one(each) for each in given))
    raise SettingsError(f"{given!r} are no ranges of colour. {_FORM}")


def _one(given: Any) -> ColourRange:
    if isinstance(given, ColourRange):
        return given
    if isinstance(given, str):
        return _typed_range(given)
    if isinstance(given, Mapping):
        return from_dict(ColourRange, given)
    raise SettingsError(f"{given!r} is no range of colour. {_FORM}")


def _typed(text: str) -> tuple[ColourRange, ...]:
    return tuple(_typed_range(part) for part in text.split(" or "))


def _typed_range(text: str) -> ColourRange:
    """Read ``hsb:hue=240-20,brightness=100-255``; ``hsb:`` alone is every colour."""
    name, colon, rest = text.strip().lower().replace(" ", "").partition(":")
    if not colon or name not in COLOUR_SPACES:
        raise SettingsError(f"{text.strip()!r} names no colour space of {', '.join(COLOUR_SPACES)}. {_FORM}")
    names = COLOUR_SPACES[name].components
    low, high, inside = [0, 0, 0], [255, 255, 255], [True, True, True]
    told: set[str] = set()
    for part in rest.split(",") if rest else ():
        read = _PART.fullmatch(part)
        if read is None:
            raise SettingsError(f"{part!r} cannot be read. {_FORM}")
        component, mark, first, last = read.groups()
        if component not in names:
            raise SettingsError(f"{COLOUR_SPACES[name].title} has no {component!r}; it has {', '.join(names)}.")
        if component in told:
            raise SettingsError(f"{component} is told twice in {text.strip()!r}. Join two ranges by 'or'.")
        told.add(component)
        number = names.index(component)
        low[number], high[number] = int(first), int(last or first)
        inside[number] = mark == "="
    return ColourRange(name, _three(low), _three(high), _three(inside))


def _three(values: list[Any]) -> tuple[Any, Any, Any]:
    return values[0], values[1], values[2]
