"""Rows that come and go within a form, so that their labels stand in line with all others."""

from __future__ import annotations

from qtpy.QtWidgets import QFormLayout, QWidget


class FormRows:
    """Rows of a form between two others.

    Parameters
    ----------
    form : QFormLayout
    """

    def __init__(self, form: QFormLayout) -> None:
        self._form = form
        self._fields: list[QWidget] = []
        self._mark = QWidget()  # never seen: the rows stand before it
        form.addRow(self._mark)
        form.setRowVisible(self._mark, False)

    def __len__(self) -> int:
        return len(self._fields)

    def add(self, label: str, field: QWidget) -> None:
        """Add a row below those that are there; without a label it takes the whole width."""
        row, _ = self._form.getWidgetPosition(self._mark)
        if label:
            self._form.insertRow(row, label, field)
            self._form.labelForField(field).setToolTip(field.toolTip())
        else:
            self._form.insertRow(row, field)
        self._fields.append(field)

    def set_visible(self, field: QWidget, visible: bool) -> None:
        """Show or hide one row."""
        self._form.setRowVisible(field, visible)

    def clear(self) -> None:
        """Take all rows away."""
        for field in self._fields:
            self._form.removeRow(field)
        self._fields.clear()
