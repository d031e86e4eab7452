"""Changing a few rows of a layer's features in place, and of napari's table where it is open.

Assigning ``layer.features`` makes napari's table rebuild itself, which takes long where there are many particles and
the table is sorted. Here only the cells that changed are written and shown. No Qt here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from napari_mpseg.gui.particle_table import open_table
from napari_mpseg.particles.review.edits import EditError

MOST_EMPTY = 10_000  # rows that a table may grow by at once
Frame = Any  # a pandas.DataFrame; the stubs know too little of cells of any type


def rows_of(frame: Frame, labels: Sequence[int], columns: Iterable[str] | None = None) -> Frame:
    """Return a copy of some rows as objects, indexed by label; rows that are not there are missing values.

    The column ``index``, which never changes, is left out.
    """
    names = [name for name in (frame.columns if columns is None else columns) if name != "index" and name in frame]
    there = [label for label in labels if 0 <= label < len(frame)]
    return frame[names].iloc[there].astype(object).set_axis(there).reindex(list(labels))


def put_rows(frame: Frame, rows: Frame) -> bool:
    """Write rows of :func:`rows_of` into a features table, in place; the rows must be there (see :func:`grown`).

    Returns
    -------
    bool
        Whether the table got another form: a category or a dtype that it had not.
    """
    changed = False
    for column in rows.columns:
        if column not in frame:
            continue
        values = rows[column].tolist()
        changed |= _make_room(frame, column, values)
        place = frame.columns.get_loc(column)
        missing = pd.NA if isinstance(frame[column].dtype, pd.BooleanDtype) else np.nan
        for label, value in zip(rows.index, values, strict=True):
            frame.iat[int(label), place] = missing if pd.isna(value) else value
    return changed


def grown(frame: Frame, largest: int) -> Frame:
    """Return a features table with rows up to a label: itself, or a copy with empty rows added.

    Raises
    ------
    EditError
        If it would be nearly all empty rows.
    """
    if largest < len(frame):
        return frame
    if largest >= len(frame) + MOST_EMPTY:
        raise EditError(
            f"Label {largest} lies far above the others, up to {len(frame) - 1}, and a layer's table has a row for "
            "each number between. Use a smaller number."
        )
    flags = dict.fromkeys(frame.select_dtypes("bool").columns, "boolean")
    larger = frame.astype(flags).reindex(range(largest + 1))
    return larger.assign(index=np.arange(largest + 1))


def _make_room(frame: Frame, column: str, values: Sequence[Any]) -> bool:
    """See to it that a column can hold `values`."""
    dtype = frame[column].dtype
    missing = any(pd.isna(value) for value in values)
    if isinstance(dtype, pd.CategoricalDtype):
        new = [value for value in dict.fromkeys(values) if not pd.isna(value) and value not in dtype.categories]
        if new:
            frame[column] = frame[column].cat.add_categories(new)
        return bool(new)
    if missing and pd.api.types.is_bool_dtype(dtype) and isinstance(dtype, np.dtype):
        frame[column] = frame[column].astype("boolean")
        return True
    if missing and isinstance(dtype, np.dtype) and dtype.kind in "iu":
        frame[column] = frame[column].astype("float64")
        return True
    return False


def write_rows(viewer: Any, layer: Any, rows: Frame) -> None:
    """Write rows into a layer's features and tell everybody; napari's table shows them without starting anew.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
        Which may have a features table open.
    layer : napari.layers.Labels
        With features of one row per label.
    rows : pandas.DataFrame
        See :func:`rows_of`.
    """
    before = layer.features
    frame = grown(before, int(max(rows.index, default=0)))
    another_form = put_rows(frame, rows) or frame is not before
    table = open_table(getattr(viewer, "window", None))
    if another_form:
        layer.features = frame
    elif table is None:
        layer.events.features()
    elif _refresh(table, layer, rows):
        with layer.events.features.blocker(table._on_features_change):
            layer.events.features()
    else:
        layer.features = frame


def _refresh(table: Any, layer: Any, rows: Frame) -> bool:
    """Write rows into the copy that napari's table shows; False if it is not of that form."""
    try:
        model = table.table.model().sourceModel()
        shown, update = model.df, table._on_features_change
        alone = len(table._selected_layers) == 1
        mine = alone and table._selected_layers[0] == layer
    except AttributeError:  # another napari, another table
        return False
    if alone and not mine:
        return callable(update)  # it shows another layer, and need not change
    columns = [name for name in rows.columns if name in shown]
    if not mine or len(shown) != len(layer.features) or not columns:
        return False
    if put_rows(shown, rows[columns]):
        return False
    places = [int(shown.columns.get_loc(name)) + 1 for name in columns]
    for label in rows.index:
        model.dataChanged.emit(model.index(int(label), min(places)), model.index(int(label), max(places)))
    return True
