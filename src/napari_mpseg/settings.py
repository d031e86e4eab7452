"""Settings are frozen dataclasses that turn into JSON and back, and refuse what they do not know."""

import dataclasses
import os
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from napari_mpseg.errors import SettingsError

S = TypeVar("S")

_NAMES = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}


def to_dict(settings: Any) -> dict[str, Any]:
    """Return a settings dataclass as plain JSON values (tuples become lists)."""
    return {field.name: _plain(getattr(settings, field.name)) for field in dataclasses.fields(settings)}


def from_dict(kind: type[S], values: Mapping[str, Any]) -> S:
    """Build the settings dataclass `kind` from JSON values.

    Raises
    ------
    SettingsError
        If a key is unknown, a required one is missing, or a value does not fit.
    """
    if not isinstance(values, Mapping):
        raise SettingsError(f"{kind.__name__} needs a JSON object, not {values!r}.")
    fields = {field.name: field for field in dataclasses.fields(typing.cast(Any, kind))}
    unknown = sorted(set(values) - set(fields))
    if unknown:
        raise SettingsError(
            f"{kind.__name__} has no setting {', '.join(map(repr, unknown))}. It has: {', '.join(fields)}."
        )
    missing = [name for name, field in fields.items() if _required(field) and name not in values]
    if missing:
        raise SettingsError(f"{kind.__name__} needs the setting {', '.join(map(repr, missing))}.")
    hints = typing.get_type_hints(kind)
    given = {name: _typed(hints[name], value, f"{kind.__name__}: {name}") for name, value in values.items()}
    try:
        return kind(**given)
    except TypeError as error:
        raise SettingsError(f"{kind.__name__}: {error}.") from error


def _required(field: "dataclasses.Field[Any]") -> bool:
    return field.init and field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return to_dict(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if type(value).__module__ == "numpy" and not getattr(value, "shape", None):
        return value.item()
    return value


def _typed(hint: Any, value: Any, what: str) -> Any:
    """Return the value in the type of the hint, or say in which setting it does not fit."""
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return _one_of(typing.get_args(hint), value, what)
    if dataclasses.is_dataclass(hint):
        return value if isinstance(value, typing.cast(type, hint)) else from_dict(typing.cast(type[Any], hint), value)
    if origin is tuple:
        return _tuple(typing.get_args(hint), value, what)
    if hint in (str, int, float, bool):
        fits = isinstance(value, (int, float) if hint is float else hint)
        if not fits or (isinstance(value, bool) and hint is not bool):
            raise SettingsError(f"{what} must be {_NAMES[hint]}, not {value!r}.")
    return value


def _one_of(options: tuple[Any, ...], value: Any, what: str) -> Any:
    if value is None and type(None) in options:
        return None
    problem = None
    for option in options:
        if option is not type(None):
            try:
                return _typed(option, value, what)
            except SettingsError as error:
                problem = problem or error
    raise problem or SettingsError(f"{what} must be null, not {value!r}.")


def _tuple(items: tuple[Any, ...], value: Any, what: str) -> Any:
    if not isinstance(value, (list, tuple)):
        raise SettingsError(f"{what} must be a list, not {value!r}.")
    if not items or items[-1] is Ellipsis:
        items = (items[0] if items else Any,) * len(value)
    if len(items) != len(value):
        raise SettingsError(f"{what} must have {len(items)} values, not {value!r}.")
    return tuple(_typed(item, each, what) for item, each in zip(items, value, strict=True))
