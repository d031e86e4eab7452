"""The options of the chosen plot as a form, built from the plot's dataclass: a new plot needs no new form."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QSpinBox,
    QWidget,
)

from napari_mpseg.errors import SettingsError
from napari_mpseg.plots.columns import Tables, column_choices, column_of
from napari_mpseg.plots.entry import PlotEntry
from napari_mpseg.plots.options import OptionHint, hint_of

_ROWS = 5


class PlotOptionsForm(QWidget):
    """One field for each option of a plot.

    Signals
    -------
    changed()
        The user has changed something.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.fields: dict[str, Any] = {}
        self._layout = QFormLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)

    @property
    def values(self) -> dict[str, Any]:
        """What is chosen, by option."""
        return {name: field.chosen() for name, field in self.fields.items()}

    def show_for(self, entry: PlotEntry, tables: Tables, values: Mapping[str, Any]) -> None:
        """Show the options of a plot.

        Parameters
        ----------
        entry : PlotEntry
            Which plot.
        tables : mapping of str to ParticleTable
            Their columns are offered.
        values : mapping
            Chosen before; what does not fit any more is the default again.
        """
        while self._layout.rowCount():
            self._layout.removeRow(0)
        self.fields = {}
        for field in dataclasses.fields(entry.options):
            hint = hint_of(field)
            widget = _field(hint, field.default, tables)
            widget.setToolTip(hint.help)
            widget.take(values.get(field.name, field.default))
            widget.chosen_anew.connect(self.changed)
            self.fields[field.name] = widget
            self._layout.addRow("" if isinstance(widget, _Tick) else hint.words, widget)


def _field(hint: OptionHint, default: Any, tables: Tables) -> Any:
    if hint.columns and isinstance(default, tuple):
        return _Columns(hint, tables)
    if hint.columns:
        return _Choice(_column_items(hint, default, tables))
    if hint.choices:
        return _Choice(dict(hint.choices))
    if isinstance(default, bool):
        return _Tick(hint.words)
    if isinstance(default, int):
        return _Whole(hint)
    return _Number(hint) if isinstance(default, float) else _Text(hint)


def _column_items(hint: OptionHint, default: Any, tables: Tables) -> dict[str, str]:
    """Return the columns to choose from, the plot's own default first, and none where that is possible."""
    found = column_choices(tables, hint.columns or "any")
    items = {"": hint.none} if hint.none else {}
    try:
        own = column_of(tables, default).name if default else ""
    except SettingsError:  # not measured
        own = ""
    if own in found:
        items[own] = found[own]
    return {**items, **found}


class _Choice(QComboBox):
    """One of several, in words."""

    chosen_anew = Signal()

    def __init__(self, items: Mapping[str, str]) -> None:
        super().__init__()
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(10)
        for value, words in items.items():
            self.addItem(words, value)
        self.view().setMinimumWidth(self.view().sizeHintForColumn(0) + 24)  # whole words in the list
        self.activated.connect(self.chosen_anew)

    def chosen(self) -> str:
        return str(self.currentData() or "")

    def take(self, value: Any) -> None:
        self.setCurrentIndex(max(0, self.findData(value)))


class _Tick(QCheckBox):
    """Yes or no."""

    chosen_anew = Signal()

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.clicked.connect(self.chosen_anew)

    def chosen(self) -> bool:
        return self.isChecked()

    def take(self, value: Any) -> None:
        self.setChecked(bool(value))


class _Whole(QSpinBox):
    """A whole number."""

    chosen_anew = Signal()

    def __init__(self, hint: OptionHint) -> None:
        super().__init__()
        self.setRange(int(hint.lowest), int(min(hint.highest, 2**31 - 1)))
        self.setSpecialValueText(hint.none)
        self.setKeyboardTracking(False)
        self.valueChanged.connect(self.chosen_anew)

    def chosen(self) -> int:
        return int(self.value())

    def take(self, value: Any) -> None:
        self.blockSignals(True)
        self.setValue(int(value))
        self.blockSignals(False)


class _Number(QDoubleSpinBox):
    """A number."""

    chosen_anew = Signal()

    def __init__(self, hint: OptionHint) -> None:
        super().__init__()
        self.setRange(hint.lowest, hint.highest)
        self.setDecimals(1)
        self.setSpecialValueText(hint.none)
        self.setKeyboardTracking(False)
        self.valueChanged.connect(self.chosen_anew)

    def chosen(self) -> float:
        return float(self.value())

    def take(self, value: Any) -> None:
        self.blockSignals(True)
        self.setValue(float(value))
        self.blockSignals(False)


class _Text(QLineEdit):
    """Free text."""

    chosen_anew = Signal()

    def __init__(self, hint: OptionHint) -> None:
        super().__init__()
        self.setPlaceholderText(hint.none)
        self.editingFinished.connect(self.chosen_anew)

    def chosen(self) -> str:
        return self.text().strip()

    def take(self, value: Any) -> None:
        self.setText(str(value))


class _Columns(QListWidget):
    """Several columns; none ticked is the plot's own choice."""

    chosen_anew = Signal()

    def __init__(self, hint: OptionHint, tables: Tables) -> None:
        super().__init__()
        self.setSelectionMode(QListWidget.SelectionMode.NoSelection)
        self._none = hint.none
        for column, words in column_choices(tables, hint.columns or "any").items():
            item = QListWidgetItem(words)
            item.setData(Qt.ItemDataRole.UserRole, column)
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Unchecked)
            self.addItem(item)
        self.itemChanged.connect(self.chosen_anew)

    def chosen(self) -> tuple[str, ...]:
        items = [self.item(row) for row in range(self.count())]
        return tuple(
            str(item.data(Qt.ItemDataRole.UserRole)) for item in items if item.checkState() == Qt.CheckState.Checked
        )

    def take(self, value: Any) -> None:
        self.blockSignals(True)
        for row in range(self.count()):
            item = self.item(row)
            ticked = item.data(Qt.ItemDataRole.UserRole) in value
            item.setCheckState(Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked)
        self.blockSignals(False)

    def setToolTip(self, text: str) -> None:
        super().setToolTip(f"{text}. None ticked: {self._none}.")

    def sizeHint(self) -> QSize:
        return QSize(160, _ROWS * max(self.sizeHintForRow(0), 18) + 4)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()
