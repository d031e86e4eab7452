"""The settings of a method, read from the function that builds it: names, defaults, choices and explanations.

A new method needs no form, no argument parser and no list of its own: what its factory's signature and docstring say is
what the widget shows and the command line takes.
"""

import importlib
import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from napari_mpseg.errors import SettingsError
from napari_mpseg.methods.registry import METHODS, MethodEntry

_NOT_OPTIONS = ("device",)  # a preference, not a setting of the method
_KINDS = (bool, int, float, str)
_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


@dataclass(frozen=True)
class Shown:
    """How an option is shown, and between which values; given in the signature: ``Annotated[int, Shown(...)]``.

    Attributes
    ----------
    title : str
        Its label; without, its name.
    unit : str
        Behind a number: ``"px"``.
    low, high : float, optional
        Smallest and largest value; the method itself refuses others.
    step : float, optional
        From one value to the next in a form.
    automatic : str
        What the default stands for where it is no value itself: ``"found in the image"`` for -1.
    """

    title: str = ""
    unit: str = ""
    low: float | None = None
    high: float | None = None
    step: float | None = None
    automatic: str = ""


@dataclass(frozen=True)
class MethodOption:
    """One setting of a method.

    Attributes
    ----------
    name : str
        Keyword of the factory.
    default : bool, int, float or str
        Its type is the option's type.
    choices : tuple of str
        The values there are, if not any.
    help : str
        The first sentences of the factory's docstring on it.
    shown : Shown
        Title, unit and bounds.
    """

    name: str
    default: Any
    choices: tuple[str, ...] = ()
    help: str = ""
    shown: Shown = field(default_factory=Shown)

    @property
    def title(self) -> str:
        """What it is labelled with."""
        return self.shown.title or self.name.replace("_", " ").capitalize()

    def in_words(self, value: Any) -> str:
        """Return title and value in words: ``"grey level 150"``."""
        title = self.title[:1].lower() + self.title[1:] if self.title[1:2].islower() else self.title
        if isinstance(value, bool):
            return f"{title}: {'yes' if value else 'no'}"
        if self.shown.automatic and value == self.default:
            return f"{title} {self.shown.automatic}"
        said = f"{value:g}" if isinstance(value, float) else str(value)
        return f"{title} {said} {self.shown.unit}".rstrip()

    def parse(self, text: str) -> Any:
        """Return a text as the option's type.

        Raises
        ------
        SettingsError
            If it does not fit.
        """
        kind = type(self.default)
        if kind is bool:
            if text.lower() in (*_TRUE, *_FALSE):
                return text.lower() in _TRUE
            raise SettingsError(f"{self.name} is yes or no, not {text!r}.")
        try:
            value = kind(text)
        except ValueError:
            raise SettingsError(f"{self.name} must be {_words(kind)}, not {text!r}.") from None
        return self.checked(value)

    def checked(self, value: Any) -> Any:
        """Return the value if it is one there is.

        Raises
        ------
        SettingsError
            If it does not fit.
        """
        if self.choices and value not in self.choices:
            raise SettingsError(f"{self.name} {value!r} is unknown. Choose one of {', '.join(self.choices)}.")
        kind = type(self.default)
        fits = isinstance(value, (int, float) if kind is float else kind)
        if not fits or (isinstance(value, bool) and kind is not bool):
            raise SettingsError(f"{self.name} must be {_words(kind)}, not {value!r}.")
        return value


def options_of(method: str | MethodEntry) -> tuple[MethodOption, ...]:
    """Return the options of a registered method; none for the path of a model."""
    if isinstance(method, str):
        if method not in METHODS:
            return ()
        method = METHODS[method]
    factory = _factory(method)
    told = _told(inspect.getdoc(factory) or "")
    hints = typing.get_type_hints(factory, include_extras=True)
    return tuple(
        MethodOption(name, one.default, _choices(hints.get(name)), told.get(name, ""), _shown(hints.get(name)))
        for name, one in inspect.signature(factory).parameters.items()
        if name not in (*_NOT_OPTIONS, *method.options) and isinstance(one.default, _KINDS)
    )


def checked_options(entry: MethodEntry, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options and inputs for ``entry.build``, after a look at their names and values.

    Raises
    ------
    SettingsError
        If there is no such option, a value does not fit, or an input is missing.
    """
    known = {option.name: option for option in options_of(entry)}
    inputs = {one.name: one for one in entry.inputs}
    for name, value in options.items():
        if name not in known and name not in inputs:
            has = f"It has: {', '.join([*inputs, *known])}." if known or inputs else "It has none."
            raise SettingsError(f"{entry.name} has no option {name!r}. {has}")
        if name in known:
            known[name].checked(value)
    missing = [one for one in entry.inputs if options.get(one.name) is None]
    if missing:
        raise SettingsError(f"{entry.name} needs {missing[0].name}: {missing[0].summary}.")
    return dict(options)


def parse_options(entry: MethodEntry, texts: Sequence[str]) -> dict[str, Any]:
    """Return ``name=value`` texts as options.

    Raises
    ------
    SettingsError
        If one is not of that form, names no option, does not fit, or comes twice. Settings of the method's own
        kind stay texts.
    """
    known: dict[str, Callable[[str], Any]] = {one.name: str for one in entry.inputs if one.kind == "settings"}
    known |= {option.name: option.parse for option in options_of(entry)}
    found: dict[str, Any] = {}
    for text in texts:
        name, mark, value = text.partition("=")
        name = name.strip().replace("-", "_")
        if not mark:
            raise SettingsError(f"{text!r} should be NAME=VALUE, such as {next(iter(known), 'level')}=...")
        if name not in known:
            has = f"It has: {', '.join(known)}." if known else "It has none."
            raise SettingsError(f"{entry.name} has no option {name!r}. {has}")
        if name in found:
            raise SettingsError(f"{name} is given twice: {found[name]} and {value.strip()}. Leave one of them out.")
        found[name] = known[name](value.strip())
    return found


def _factory(entry: MethodEntry) -> Any:
    module, name = entry.factory.split(":")
    return getattr(importlib.import_module(module), name)


def _shown(hint: Any) -> Shown:
    return next((one for one in getattr(hint, "__metadata__", ()) if isinstance(one, Shown)), Shown())


def _choices(hint: Any) -> tuple[str, ...]:
    if typing.get_origin(hint) is typing.Annotated:
        hint = hint.__origin__
    return tuple(typing.get_args(hint)) if typing.get_origin(hint) is typing.Literal else ()


def _words(kind: type) -> str:
    return {bool: "yes or no", int: "a whole number", float: "a number", str: "a text"}[kind]


def _told(doc: str) -> dict[str, str]:
    """Return what the section Parameters of a numpydoc docstring says of each parameter."""
    lines = doc.splitlines()
    if "Parameters" not in lines:
        return {}
    told: dict[str, list[str]] = {}
    names: list[str] = []
    for line in lines[lines.index("Parameters") + 2 :]:
        if line and not line.startswith(" "):
            if " : " not in line:
                break
            names = [name.strip() for name in line.split(" : ")[0].split(",")]
        elif line.strip():
            for name in names:
                told.setdefault(name, []).append(line.strip())
    return {name: " ".join(parts) for name, parts in told.items()}
