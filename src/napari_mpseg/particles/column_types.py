"""What the columns of a particle table hold, and giving them their types back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_mpseg.particles.properties import PROPERTIES, Property
from napari_mpseg.particles.review.definitions import CATEGORIES, REVIEW_COLUMNS, as_category, truth_in


class BadTableError(ValueError):
    """A cell does not hold what its column must; the message names column and row, without the table's name."""


@dataclass(frozen=True)
class Rows:
    """What the rows of a table are called in messages.

    Attributes
    ----------
    word : str
        ``"row"``, ``"line"``; empty where the label says it all.
    first : int
        Number of the first particle's row.
    """

    word: str = "row"
    first: int = 1

    def place(self, frame: pd.DataFrame, position: int, *, label: bool = True) -> str:
        """Return the name of a row, counted from 0: ``"line 4 (label 3)"``."""
        number = frame["label"].iloc[position]
        shown = f"{number:g}" if isinstance(number, float) else f"{number}"
        if not self.word:
            return f"the row of label {shown}"
        row = f"{self.word} {position + self.first}"
        return f"{row} (label {shown})" if label else row


def property_of(column: str) -> Property | None:
    """Return the property that a column of the table belongs to; None for the label and for columns of others."""
    # The longest stem wins: "centroid_y" before a shorter stem it might begin with.
    best: tuple[int, Property] | None = None
    for entry in PROPERTIES.values():
        for stem in entry.stems:
            fits = column == stem or column.startswith(f"{stem}_")
            if fits and (best is None or len(stem) > best[0]):
                best = len(stem), entry
    return best[1] if best else None


def typed(
    frame: pd.DataFrame, categories: Mapping[str, list[str]] | None = None, rows: Rows | None = None
) -> pd.DataFrame:
    """Give known columns their dtype back, which text files and missing rows take away.

    Parameters
    ----------
    frame : pandas.DataFrame
        With a column ``label``.
    categories : mapping, optional
        Names of the categories of such columns, in their order.
    rows : Rows, optional
        What rows are called in messages.

    Raises
    ------
    BadTableError
        If a cell does not fit its column, or two particles have the same label.
    """
    rows = rows or Rows()
    found: dict[str, Any] = {"label": _numbers(frame, "label", "int64", rows)}
    frame = frame.assign(**found)
    _refuse_duplicates(frame, rows)
    for column in frame.columns:
        entry = property_of(column)
        if entry is not None:
            dtype = entry.dtype if entry.kind not in ("length", "area") else "float64"
            found[column] = _truths(frame, column, rows) if dtype == "bool" else _numbers(frame, column, dtype, rows)
        elif column == "keep":
            found[column] = _truths(frame, column, rows, missing=True)
        elif column in CATEGORIES:
            found[column] = as_category(frame[column], (categories or {}).get(column, ()))
        elif column in REVIEW_COLUMNS:
            found[column] = _numbers(frame, column, REVIEW_COLUMNS[column].dtype, rows)
    return frame.assign(**found)


def _numbers(frame: pd.DataFrame, column: str, dtype: str, rows: Rows) -> "pd.Series[Any]":
    values = frame[column]
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "iu":
        return values.astype(np.dtype(dtype))
    numbers = pd.to_numeric(values.astype("object"), errors="coerce").to_numpy(np.float64, na_value=np.nan)
    wrong = np.isnan(numbers) & values.notna().to_numpy(bool)
    whole = dtype.startswith("int")
    if whole:
        wrong |= ~np.isfinite(numbers) | (numbers != np.rint(numbers))
    _refuse(frame, column, wrong, "a whole number" if whole else "a number", rows)
    return pd.Series(numbers.astype(dtype), index=frame.index)


def _truths(frame: pd.DataFrame, column: str, rows: Rows, *, missing: bool = False) -> "pd.Series[bool]":
    truth, unknown = truth_in(frame[column])
    empty = frame[column].isna()
    _refuse(frame, column, (unknown if missing else unknown | empty).to_numpy(bool), "true or false", rows)
    return truth


def _refuse(frame: pd.DataFrame, column: str, wrong: NDArray[np.bool_], needed: str, rows: Rows) -> None:
    if not wrong.any():
        return
    position = int(np.argmax(wrong))
    value = frame[column].iloc[position]
    place = rows.place(frame, position, label=column != "label")
    if pd.isna(value):
        raise BadTableError(f"Column {column!r} is empty in {place}, where {needed} must be.")
    hint = " Write decimals with a point." if isinstance(value, str) and _with_point(value) else ""
    raise BadTableError(f"Column {column!r} has {_shown(value)} in {place}, where {needed} must be.{hint}")


def _shown(value: Any) -> str:
    return repr(value.item() if isinstance(value, np.generic) else value)


def _with_point(text: str) -> bool:
    """Whether a text would be a number if its comma were a point."""
    try:
        float(text.replace(",", ".", 1))
    except ValueError:
        return False
    return "," in text


def _refuse_duplicates(frame: pd.DataFrame, rows: Rows) -> None:
    twice = frame["label"].duplicated(keep=False).to_numpy()
    if not twice.any():
        return
    label = frame["label"].iloc[int(np.argmax(twice))]
    where = [str(position + rows.first) for position in np.flatnonzero((frame["label"] == label).to_numpy())]
    raise BadTableError(
        f"The label {label} stands in {rows.word or 'row'}s {', '.join(where[:-1])} and {where[-1]}, and each particle "
        "must have its own. If these are several images, give each a table of its own."
    )
