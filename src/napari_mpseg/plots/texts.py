"""Options of plots from text: ``KEY=VALUE`` as it is typed on a command line."""

import dataclasses
import typing
from collections.abc import Iterable
from typing import Any

from napari_mpseg.errors import SettingsError
from napari_mpseg.plots.options import PlotOptions

_YES, _NO = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


def split_options(texts: Iterable[str]) -> dict[str, str]:
    """Return ``KEY=VALUE`` texts as a mapping.

    Raises
    ------
    SettingsError
        If there is no ``=``, or a key twice.
    """
    found: dict[str, str] = {}
    for text in texts:
        key, sign, value = text.partition("=")
        key = key.strip().replace("-", "_")
        if not sign or not key:
            raise SettingsError(f"{text!r} is no option. Write KEY=VALUE, such as column=area.")
        if key in found:
            raise SettingsError(f"The option {key!r} is given twice.")
        found[key] = value.strip()
    return found


def typed_options(kind: type[PlotOptions], texts: typing.Mapping[str, str]) -> dict[str, Any]:
    """Return options as the types of their fields; keys that `kind` has not are left out.

    Raises
    ------
    SettingsError
        If a value does not fit.
    """
    hints = typing.get_type_hints(kind)
    names = [field.name for field in dataclasses.fields(kind)]
    return {name: _typed(hints[name], name, texts[name]) for name in names if name in texts}


def _typed(hint: Any, name: str, text: str) -> Any:
    if hint is bool:
        if text.lower() in (*_YES, *_NO):
            return text.lower() in _YES
        raise SettingsError(f"{name} must be true or false, not {text!r}.")
    if hint in (int, float):
        try:
            return hint(text)
        except ValueError:
            what = "a whole number" if hint is int else "a number"
            raise SettingsError(f"{name} must be {what}, not {text!r}.") from None
    if typing.get_origin(hint) is tuple:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    return text
