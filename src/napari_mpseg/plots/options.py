"""Options of a plot: a frozen dataclass whose fields say what they are, for forms and for the command line."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from napari_mpseg.errors import SettingsError

#: Which columns fit an option: lengths and areas, angles, all numbers, or classes and numbers.
ColumnKind = Literal["size", "angle", "number", "any"]

BY = {"image": "image", "class": "class", "none": "all together"}
"""What is drawn apart."""

_KEY = "plot"


@dataclass(frozen=True)
class OptionHint:
    """What a form shows for an option.

    Attributes
    ----------
    words : str
        Its name in plain words.
    help : str
        One sentence.
    choices : mapping of str to str
        Possible values with their words; empty where anything goes.
    columns : str
        Which columns fit, where the option is the name of a column; empty if it is not.
    lowest, highest : float
        Of a number.
    none : str
        Words for the empty value, where there is one.
    """

    words: str
    help: str
    choices: Mapping[str, str] = dataclasses.field(default_factory=dict)
    columns: ColumnKind | Literal[""] = ""
    lowest: float = 0
    highest: float = 1_000_000
    none: str = ""


def option(default: Any, words: str, help: str, **more: Any) -> Any:
    """Return a dataclass field with a default and what a form shows for it (see :class:`OptionHint`)."""
    return dataclasses.field(default=default, metadata={_KEY: OptionHint(words, help, **more)})


def hint_of(field: "dataclasses.Field[Any]") -> OptionHint:
    """Return what a form shows for a field made with :func:`option`."""
    hint: OptionHint = field.metadata[_KEY]
    return hint


@dataclass(frozen=True)
class PlotOptions:
    """Base of all options: refuses what is not among the choices, and numbers out of range.

    Raises
    ------
    SettingsError
        If a value is impossible.
    """

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            hint, value = hint_of(field), getattr(self, field.name)
            if hint.choices and value not in hint.choices:
                raise SettingsError(f"{field.name} {value!r} is not known. Choose from {', '.join(hint.choices)}.")
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if number and not hint.lowest <= value <= hint.highest:
                raise SettingsError(
                    f"{field.name} must lie between {hint.lowest:g} and {hint.highest:g}, not {value!r}."
                )
