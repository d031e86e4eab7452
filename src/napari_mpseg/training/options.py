"""Options of functions chosen by name: their keyword-only arguments, checked before anything runs."""

import dataclasses
import inspect
import typing
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from napari_mpseg.errors import SettingsError
from napari_mpseg.settings import from_dict


def checked_options(kind: str, name: str, function: Callable[..., Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return `options` in the types of the function's keyword-only arguments.

    Parameters
    ----------
    kind, name : str
        For messages: ``"loss"``, ``"bce"``.
    function : callable
        Its keyword-only arguments, with their type hints, are the options.
    options : mapping
        Plain JSON values; lists become tuples.

    Returns
    -------
    dict
        Every option, those not given with their defaults.

    Raises
    ------
    SettingsError
        If an option is unknown or its value is of the wrong type; the message names the options there are.
    """
    settings = from_dict(_settings_of(f"{kind} {name!r}", function), options)
    return {field.name: getattr(settings, field.name) for field in dataclasses.fields(settings)}


@cache
def _settings_of(title: str, function: Callable[..., Any]) -> type[Any]:
    hints = typing.get_type_hints(function)
    fields = [
        (one.name, hints[one.name], dataclasses.field(default=one.default))
        for one in inspect.signature(function).parameters.values()
        if one.kind is one.KEYWORD_ONLY
    ]
    return dataclasses.make_dataclass(title, fields, frozen=True)


def check_share(what: str, value: float) -> None:
    """Refuse what is no share from 0 to 1."""
    if not 0 <= value <= 1:
        raise SettingsError(f"{what} = {value} is impossible: give a share from 0 to 1.")


def check_least(what: str, value: float, least: float) -> None:
    """Refuse what is below `least`, or no number."""
    if not value >= least:
        raise SettingsError(f"{what} = {value} is impossible: give {least:g} or more.")


def check_range(what: str, values: tuple[float, float], least: float = 0.0) -> None:
    """Refuse a pair that does not rise, or starts below `least`."""
    low, high = values
    if not least <= low <= high:
        raise SettingsError(f"{what} = {low}, {high} is impossible: give the lower first, {least:g} or more.")
