"""Finding a property's column in a table, whatever unit it was measured in."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_mpseg.calibration import Calibration, normalise_unit
from napari_mpseg.errors import CalibrationError, SettingsError
from napari_mpseg.particles.column_types import property_of as property_of
from napari_mpseg.particles.table import ParticleTable

#: Units that a column name can end in.
LENGTH_UNITS = ("pm", "angstrom", "nm", "um", "mm", "cm", "m", "in")


def frame_of(table: ParticleTable | pd.DataFrame) -> pd.DataFrame:
    """Return the data frame of a particle table, or the frame itself."""
    return table.frame if isinstance(table, ParticleTable) else table


def check_unit(unit: str) -> str:
    """Return a unit of a column in its short form: ``""``, ``"px"``, ``"um"``, ``"px2"``, ``"um2"`` ...

    Raises
    ------
    SettingsError
        If it is not a length, an area or empty.
    """
    text = unit.strip().replace("²", "2").replace("^2", "2")
    square = text.endswith("2")
    if not text or text == "deg":
        return text
    try:
        return normalise_unit(text.removesuffix("2")) + ("2" if square else "")
    except CalibrationError:
        raise SettingsError(
            f"Unit {unit!r} is not known. Use px, nm, um or mm for a length, px2 or um2 for an area, nothing for a "
            "plain number."
        ) from None


def values_in(table: ParticleTable | pd.DataFrame, name: str, unit: str = "") -> NDArray[np.float64]:
    """Return a property's values in a unit, float64 ``(N,)``, missing ones as nan.

    Parameters
    ----------
    table : ParticleTable or pandas.DataFrame
        Measured particles, or a layer's features.
    name : str
        Stem of the column (``"feret_max"``), or the whole name of a column without a unit (``"circularity"``).
    unit : str
        Unit of the result: ``""`` for plain numbers, ``"px"``, ``"um"``, ``"um2"`` ... A column in another unit of
        length is converted; pixels are not.

    Raises
    ------
    SettingsError
        If there is no such column, or none in a unit that can be converted.
    """
    frame = frame_of(table)
    unit = check_unit(unit)
    for column, factor in _candidates(name, unit):
        if column in frame.columns:
            return _numbers(frame, column) * factor
    raise SettingsError(_missing(frame, name, unit))


def values_of_column(table: ParticleTable | pd.DataFrame, column: str) -> NDArray[np.float64]:
    """Return the values of a column by its full name, converted where the table has it in another unit of length.

    Raises
    ------
    SettingsError
        If there is no such column.
    """
    frame = frame_of(table)
    if column in frame.columns:
        return _numbers(frame, column)
    entry = property_of(column)
    if entry is not None and entry.kind in ("length", "area"):
        stem, _, ending = column.rpartition("_")
        return values_in(frame, stem, "px2" if (entry.kind, ending) == ("area", "px") else ending)
    raise SettingsError(_missing(frame, column, ""))


def _candidates(name: str, unit: str) -> Iterable[tuple[str, float]]:
    if unit in ("", "deg"):
        yield name, 1.0
        if unit:
            yield f"{name}_{unit}", 1.0
        return
    power = 2 if unit.endswith("2") else 1
    length = unit.removesuffix("2")
    ending = "2" if power == 2 else ""
    if length == "px":
        yield f"{name}_px", 1.0
        return
    yield f"{name}_{unit}", 1.0
    for other in LENGTH_UNITS:
        if other != length:
            yield f"{name}_{other}{ending}", Calibration((1.0, 1.0), other).converted(length).pixel_size[0] ** power


def _numbers(frame: pd.DataFrame, column: str) -> NDArray[np.float64]:
    try:
        return frame[column].to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        raise SettingsError(f"Column {column!r} does not hold numbers, so it cannot be used here.") from None


def _missing(frame: pd.DataFrame, name: str, unit: str) -> str:
    wanted = f"{name!r} in {unit}" if unit else f"{name!r}"
    if f"{name}_px" in frame.columns and unit not in ("", "px", "px2"):
        return (
            f"{wanted} is needed, but the table has no pixel size, only {name}_px. Measure with a pixel size (such as "
            "2.5um), or give this border in px."
        )
    endings = [str(column) for column in frame.columns if str(column).startswith(f"{name}_")]
    if endings and not unit:
        return f"{name!r} is needed as a plain number, but the table has {', '.join(endings)}. Give a unit too."
    entry = property_of(name)
    chosen = entry.name if entry is not None else name
    return f"{wanted} is needed, but the table has no such column. Measure again with properties=[..., {chosen!r}]."
