"""What a form, a command line and a page of the docs must know of settings, read from the dataclass that holds them.

A field says its range in its type, ``Annotated[float, Range("Blur", "px", 0.2, 3)]``, and its meaning in the class's
docstring. Settings inside settings, parts of a tuple and entries of a table have dotted names: ``look.blur``,
``look.background.red``, ``shapes.fibre.share``.
"""

import dataclasses
import functools
import inspect
import math
import numbers
import typing
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, TypeVar

from napari_mpseg.errors import SettingsError
from napari_mpseg.settings import from_dict, to_dict

S = TypeVar("S")


@dataclasses.dataclass(frozen=True)
class Range:
    """How a setting is shown, between which values it is of use, and which values are refused.

    Attributes
    ----------
    title : str
        Its label.
    unit : str
        Behind the number: ``"um"``.
    low, high : float, optional
        Smallest and largest value of use.
    step : float, optional
        From one value to the next in a form.
    parts : tuple of str
        What the values of a tuple are: ``("red", "green", "blue")``.
    basic : bool
        Shown at once; others are folded away at first.
    least, most : float, optional
        Smallest and largest value that can be, where those are not `low` and `high`.
    """

    title: str = ""
    unit: str = ""
    low: float | None = None
    high: float | None = None
    step: float | None = None
    parts: tuple[str, ...] = ()
    basic: bool = False
    least: float | None = None
    most: float | None = None

    @property
    def bounds(self) -> tuple[float, float]:
        """Smallest and largest value that can be."""
        low, high = (_first(*pair) for pair in ((self.least, self.low), (self.most, self.high)))
        return -math.inf if low is None else low, math.inf if high is None else high


SIZE = Annotated[
    tuple[int, int], Range("Size", "px", 1, 200_000, 256, ("height", "width"), basic=True, most=10_000_000)
]
SEED = Annotated[int, Range("Seed", "", 0, 2**31 - 1, 1, basic=True, most=2**63 - 1)]


@dataclasses.dataclass(frozen=True)
class Setting:
    """One number or switch of some settings.

    Attributes
    ----------
    path : str
        Dotted name: ``"look.blur"``.
    value : bool, int or float
        What it is in the settings that were asked.
    title : str
        Its label.
    range : Range
        Unit and bounds.
    help : str
        What the docstring says of it.
    """

    path: str
    value: Any
    title: str
    range: Range
    help: str


def settings_of(settings: Any) -> tuple[Setting, ...]:
    """Return every number and switch of a settings dataclass that says its range, in order."""
    return tuple(_walk(settings, "", ""))


def changed(settings: S, changes: Mapping[str, Any]) -> S:
    """Return settings with other values, by dotted name.

    Raises
    ------
    SettingsError
        If there is no such setting, or a value does not fit.

    Examples
    --------
    >>> from napari_mpseg.synthesis import FilterSettings
    >>> changed(FilterSettings(), {"look.blur": 1.5, "look.background.red": 50.0}).look.background
    (50.0, 8.0, 7.0)
    """
    plain = to_dict(settings)
    for path, value in changes.items():
        _put(plain, settings, path.split("."), value, path)
    return from_dict(type(settings), plain)


def check_ranges(settings: Any) -> None:
    """Check every number of a settings dataclass that says its range; to be called when one is made.

    Raises
    ------
    SettingsError
        If one is no number, not finite, or none that can be.
    """
    for name, wanted in _ranges(type(settings)).items():
        value = getattr(settings, name)
        if isinstance(value, bool):
            continue
        if not wanted.parts:
            _check_number(name, value, wanted)
            continue
        if not isinstance(value, (tuple, list)) or len(value) != len(wanted.parts):
            raise SettingsError(f"{name} {value!r} is impossible: give {len(wanted.parts)} numbers.")
        for part, each in zip(wanted.parts, value, strict=True):
            _check_number(f"{name}.{part}", each, wanted)


def _check_number(name: str, value: Any, wanted: Range) -> None:
    low, high = wanted.bounds
    # What is not a number (NaN) lies between no bounds.
    if not (isinstance(value, numbers.Real) and math.isfinite(value) and low <= float(value) <= high):
        unit = f" {wanted.unit}" if wanted.unit else ""
        raise SettingsError(f"{name} {value!r} is impossible: give a number from {low:.12g} to {high:.12g}{unit}.")


def _ranges(kind: Any) -> dict[str, Range]:
    """Return the range of each field of a class that says one."""
    return _ranges_once(kind)


@functools.cache
def _ranges_once(kind: Any) -> dict[str, Range]:
    hints = typing.get_type_hints(kind, include_extras=True)
    found = {field.name: _range_in(hints[field.name]) for field in dataclasses.fields(kind)}
    return {name: one for name, one in found.items() if one is not None}


def _range_in(hint: Any) -> Range | None:
    return next((one for one in getattr(hint, "__metadata__", ()) if type(one) is Range), None)


def _first(*values: float | None) -> float | None:
    return next((value for value in values if value is not None), None)


def _walk(holder: Any, prefix: str, owner: str) -> Iterator[Setting]:
    told = _told(type(holder))
    for field in dataclasses.fields(holder):
        value, name = getattr(holder, field.name), prefix + field.name
        if dataclasses.is_dataclass(value):
            yield from _walk(value, f"{name}.", "")
        elif isinstance(value, tuple) and value and dataclasses.is_dataclass(value[0]):
            for item in value:
                key = str(getattr(item, dataclasses.fields(item)[0].name))
                yield from _walk(item, f"{name}.{key}.", key.capitalize())
        else:
            shown = _ranges(type(holder)).get(field.name)
            if shown is not None:
                yield from _plain(name, value, shown, told.get(field.name, ""), owner)


def _plain(path: str, value: Any, shown: Range, told: str, owner: str) -> Iterator[Setting]:
    title = f"{owner}: {shown.title}" if owner else shown.title
    if not isinstance(value, tuple):
        yield Setting(path, value, title, shown, told)
        return
    for part, each in zip(shown.parts, value, strict=True):
        yield Setting(f"{path}.{part}", each, f"{title}: {part}", shown, told)


def _put(plain: dict[str, Any], holder: Any, names: list[str], value: Any, path: str) -> None:
    name, rest = names[0], names[1:]
    fields = [field.name for field in dataclasses.fields(holder)]
    if name not in fields:
        raise SettingsError(f"There is no setting {path!r}: {type(holder).__name__} has {', '.join(fields)}.")
    inner = getattr(holder, name)
    if not rest:
        plain[name] = value
    elif dataclasses.is_dataclass(inner):
        _put(plain[name], inner, rest, value, path)
    elif isinstance(inner, tuple):
        keys = _keys(holder, name, inner)
        if rest[0] not in keys:
            raise SettingsError(f"There is no setting {path!r}: {name} has {', '.join(keys)}.")
        place = keys.index(rest[0])
        if len(rest) == 1:
            plain[name][place] = value
        else:
            _put(plain[name][place], inner[place], rest[1:], value, path)
    else:
        raise SettingsError(f"There is no setting {path!r}: {name} is a single value.")


def _keys(holder: Any, name: str, values: tuple[Any, ...]) -> list[str]:
    if values and dataclasses.is_dataclass(values[0]):
        return [str(getattr(item, dataclasses.fields(item)[0].name)) for item in values]
    shown = _ranges(type(holder)).get(name)
    return list(shown.parts if shown else ()) or [str(index) for index in range(len(values))]


def _told(kind: type) -> dict[str, str]:
    """Return what the section Attributes of a class, and of those it extends, says of each field."""
    told: dict[str, str] = {}
    for each in reversed(kind.__mro__):
        lines = inspect.cleandoc(each.__doc__ or "").splitlines()
        if "Attributes" not in lines:
            continue
        names: list[str] = []
        found: dict[str, list[str]] = {}
        for line in lines[lines.index("Attributes") + 2 :]:
            if line and not line.startswith(" "):
                if " : " not in line:
                    break
                names = [name.strip() for name in line.split(" : ")[0].split(",")]
            elif line.strip():
                for name in names:
                    found.setdefault(name, []).append(line.strip())
        told.update({name: " ".join(parts) for name, parts in found.items()})
    return told
