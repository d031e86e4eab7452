"""Finding the column that a plot is about in several tables at once, in one unit."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_mpseg.errors import SettingsError
from napari_mpseg.particles.classes.columns import LENGTH_UNITS, property_of, values_of_column
from napari_mpseg.particles.table import ParticleTable
from napari_mpseg.plots.options import ColumnKind
from napari_mpseg.plots.words import column_name_words, column_words

Tables = Mapping[str, ParticleTable]

_NO_NUMBER = ("label", "index", "class", "keep", "class_assigned", "plane")
_PLACE = re.compile(r"(^|_)[yx][01]?(_|$)")  # in names of columns that say where something lies


@dataclass(frozen=True)
class PlotColumn:
    """A column of numbers.

    Attributes
    ----------
    name : str
        Its full name, in the unit that all tables are shown in.
    words : str
        What it is, with its unit.
    short : str
        The same without the unit.
    """

    name: str
    words: str
    short: str

    def values(self, table: ParticleTable) -> NDArray[np.float64]:
        """Return its values, float64 ``(N,)``, missing ones and infinities as nan."""
        values = values_of_column(table, self.name)
        return values if np.isfinite(values).all() else np.where(np.isfinite(values), values, np.nan)


def column_of(tables: Tables, name: str) -> PlotColumn:
    """Return a column by its name.

    Parameters
    ----------
    tables : mapping of str to ParticleTable
        One or several; lengths in different units are converted to that of the first.
    name : str
        Full name (``"area_um2"``) or stem (``"area"``). A stem is taken in the unit of length if every table has one,
        else in pixels.

    Raises
    ------
    SettingsError
        If a table lacks it, or it holds no numbers.
    """
    last: SettingsError | None = None
    for full in _full_names(tables, name):
        try:
            for table in tables.values():
                values_of_column(table, full)
        except SettingsError as error:
            last = last or error
            continue
        units = {column: unit for table in tables.values() for column, unit in table.units.items()}
        return PlotColumn(full, column_words(full, units), column_name_words(full))
    choices = ", ".join(column_choices(tables, "number"))
    raise SettingsError(f"Column {name!r} cannot be plotted. {last or ''} There are: {choices or 'no columns'}.")


def column_choices(tables: Tables, kind: ColumnKind) -> dict[str, str]:
    """Return the columns that fit a plot with their words, those that every table has; places in the image come last.

    Parameters
    ----------
    tables : mapping of str to ParticleTable
        One or several.
    kind : str
        ``"size"`` (lengths and areas), ``"angle"``, ``"number"`` or ``"any"`` (classes too).
    """
    found: dict[str, str] = {}
    first, *others = tables.values() if tables else (ParticleTable(pd.DataFrame()),)
    for column in map(str, first.frame.columns):
        if not _fits(first.frame, column, kind):
            continue
        try:
            for table in others:
                values_of_column(table, column) if column != "class" else table.frame[column]
        except (SettingsError, KeyError):
            continue
        found[column] = column_words(column, first.units)
    return dict(sorted(found.items(), key=lambda item: bool(_PLACE.search(item[0]))))


def is_category(values: "pd.Series[Any]") -> bool:
    """Return whether a column holds names or yes and no, not numbers."""
    return pd.api.types.is_bool_dtype(values) or not pd.api.types.is_numeric_dtype(values)


def _fits(frame: pd.DataFrame, column: str, kind: ColumnKind) -> bool:
    if column in _NO_NUMBER:
        return kind == "any" and column == "class"
    if is_category(frame[column]):
        return False
    entry = property_of(column)
    if kind == "size":
        return entry is not None and entry.kind in ("length", "area") and not _PLACE.search(column)
    if kind == "angle":
        return entry is not None and entry.kind == "angle"
    return True


def _full_names(tables: Tables, name: str) -> list[str]:
    """Return what a name may stand for, the best first."""
    columns = dict.fromkeys(str(column) for table in tables.values() for column in table.frame.columns)
    endings = {f"{name}_{unit}{square}" for unit in LENGTH_UNITS for square in ("", "2")}
    return [name, *(column for column in columns if column in endings), f"{name}_px", f"{name}_deg"]
