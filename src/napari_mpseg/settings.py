"""Settings are frozen dataclasses that turn into JSON and back, and refuse what they do not know."""

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from napari_mpseg.errors import SettingsError

S = TypeVar("S")


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
    hints = typing.get_type_hints(kind)
    try:
        return kind(**{name: _typed(hints[name], value) for name, value in values.items()})
    except TypeError as error:
        raise SettingsError(f"{kind.__name__}: {error}.") from error


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return to_dict(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    return value


def _typed(hint: Any, value: Any) -> Any:
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        options = [item for item in typing.get_args(hint) if item is not type(None)]
        return None if value is None else _typed(options[0], value)
    if dataclasses.is_dataclass(hint) and isinstance(value, Mapping):
        return from_dict(typing.cast(type[Any], hint), value)
    if origin is tuple and isinstance(value, list):
        items = typing.get_args(hint)
        inner = items[0] if items else Any
        return tuple(_typed(inner, item) for item in value)
    return value
