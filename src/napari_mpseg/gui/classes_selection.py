"""Which particles of a labels layer are selected: rows of napari's features table, or the one clicked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from qtpy.QtCore import QItemSelectionModel

_TABLE = "Features table widget"


def selected_labels(viewer: Any, layer: Any) -> list[int]:
    """Return the labels of the selected particles.

    Several rows that are selected in napari's features table count together; without such a table it is the one label
    that is selected in the layer.
    """
    rows = _selected_rows(_table_of(viewer, layer))
    label = int(layer.selected_label)
    if label in rows:  # else the selection of the table is an older one
        return [row for row in rows if row > 0]
    return [label] if label > 0 else []


@contextmanager
def selection_kept(viewer: Any, layer: Any) -> Iterator[None]:
    """Select the same rows of napari's table again after the features were replaced, which leaves but one."""
    view = _table_of(viewer, layer)
    rows = _selected_rows(view)
    yield
    if len(rows) < 2 or set(_selected_rows(view)) == set(rows):
        return
    model, selection = view.model(), view.selectionModel()
    flags = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
    last = int(layer.selected_label)
    for row in sorted(rows, key=lambda row: row == last):  # the last one is made the layer's selected label
        selection.select(model.mapFromSource(model.sourceModel().index(row, 0)), flags)


def _table_of(viewer: Any, layer: Any) -> Any:
    """Return the view of napari's features table if it shows this layer alone, else None."""
    window = getattr(viewer, "window", None)
    docked = window.dock_widgets.items() if window is not None else ()
    table = next((widget for name, widget in docked if name.startswith(_TABLE)), None)
    view = getattr(table, "table", None)
    return view if view is not None and list(viewer.layers.selection) == [layer] else None


def _selected_rows(view: Any) -> list[int]:
    if view is None:
        return []
    model = view.model()
    return sorted({model.mapToSource(index).row() for index in view.selectionModel().selectedIndexes()})
