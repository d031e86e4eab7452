"""Which columns say what a particle is like, and not where it lies or which way it points."""

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from napari_mpseg.errors import SettingsError
from napari_mpseg.particles.classes.columns import property_of, values_of_column
from napari_mpseg.particles.property import Property

_PLACES = {"feret_start", "centre_of_mass"}
_OTHERWISE_SCALED = {"integrated_density"}  # in a table's own unit of area, which is not converted
_SUMS = {"intensity_sum"}
_COORDINATE = re.compile(r"_[yx]\d?(_|$)")


def describing_columns(frames: Sequence[pd.DataFrame], *, size: bool = True) -> tuple[str, ...]:
    """Return the columns to learn classes from: shape, size and brightness, present in every frame.

    Left out are positions, directions and whether a particle touches the border; hue, which goes in a circle as
    directions do; what was measured on the probability, which tells of the segmentation and not of the particle;
    integrated density, whose numbers depend on the table's unit; and columns that are no registered property.

    Of a length or an area the calibrated column is taken if all frames have one, else that in pixels. Without `size`,
    lengths, areas and summed brightness are left out too.
    """
    first, *others = frames
    found = [
        str(column)
        for column in first.columns
        if _describes(property_of(str(column)), size) and all(_has(other, str(column)) for other in others)
    ]
    calibrated = {_stem(column) for column in found if _stem(column) and not column.endswith("_px")}
    return tuple(column for column in found if not (column.endswith("_px") and _stem(column) in calibrated))


def matrix(table: pd.DataFrame, columns: Sequence[str]) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    """Return the columns side by side, float64 ``(N, columns)``; infinite values count as missing (nan).

    Raises
    ------
    SettingsError
        If the table lacks columns; all of them are named.
    """
    values, missing = [], []
    for column in columns:
        try:
            values.append(values_of_column(table, column))
        except SettingsError:
            missing.append(column)
    if missing:
        raise SettingsError(_told(table, missing))
    rows = np.column_stack(values) if values else np.empty((len(table), 0))
    return np.where(np.isfinite(rows), rows, np.nan)


def _describes(entry: Property | None, size: bool) -> bool:
    if entry is None or entry.kind in ("angle", "pixels", "flag") or "position" in entry.sets:
        return False
    if entry.given == "probability" or entry.name in _OTHERWISE_SCALED:
        return False
    if not size and (entry.kind in ("length", "area") or entry.name in _SUMS):
        return False
    return entry.name not in _PLACES and not any(_COORDINATE.search(stem) for stem in entry.stems)


def _has(frame: pd.DataFrame, column: str) -> bool:
    try:
        values_of_column(frame, column)
    except SettingsError:
        return False
    return True


def _stem(column: str) -> str:
    entry = property_of(column)
    return column.rpartition("_")[0] if entry is not None and entry.kind in ("length", "area") else ""


def _told(table: pd.DataFrame, missing: Sequence[str]) -> str:
    named = ", ".join(missing)
    stems = [_stem(column) for column in missing]
    if all(stem and f"{stem}_px" in table.columns for stem in stems):
        return (
            f"The classifier learnt from calibrated columns that this table lacks: {named}. They were measured "
            "without a pixel size. Measure again with one (such as 2.5um)."
        )
    names = dict.fromkeys(entry.name for entry in map(property_of, missing) if entry is not None)
    again = ", ".join(map(repr, names)) or "..."
    image = any(entry is not None and entry.kind == "intensity" for entry in map(property_of, missing))
    return (
        f"The classifier needs columns that this table lacks: {named}. Measure again with properties=['default', "
        f"{again}]{' and the image, with the same channels' if image else ''}."
    )
