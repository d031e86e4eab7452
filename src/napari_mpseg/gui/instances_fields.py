"""Fields of the form that tells particles apart."""

from __future__ import annotations

import dataclasses
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QFormLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from napari_mpseg.gui.status_line import note
from napari_mpseg.particles.instances.ways import INSTANCES


class NumberEdit(QDoubleSpinBox):
    """A number without trailing zeros, whose step fits its size.

    Parameters
    ----------
    tip : str
        Tool tip.
    least, most : float
        Limits, both allowed.
    decimals : int
        Digits after the point, at most.
    """

    def __init__(self, tip: str, least: float = 0.0, most: float = 1e9, decimals: int = 3) -> None:
        super().__init__()
        self.setDecimals(decimals)
        self.setRange(least, most)
        self.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)
        self.setToolTip(tip)
        self.setKeyboardTracking(False)  # no preview of half a number

    def textFromValue(self, value: float) -> str:
        """Return the number without trailing zeros."""
        text = super().textFromValue(value)
        point = self.locale().decimalPoint()
        return text.rstrip("0").removesuffix(point) if point in text else text


class Choice(QComboBox):
    """A drop-down of a few fixed values.

    Parameters
    ----------
    entries : mapping
        Values and their texts.
    tip : str
        Tool tip.
    """

    def __init__(self, entries: dict[Any, str], tip: str) -> None:
        super().__init__()
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(8)
        for value, text in entries.items():
            self.addItem(text, value)
        self.setToolTip(tip)

    @property
    def value(self) -> Any:
        """The chosen value."""
        return self.currentData()

    def choose(self, value: Any) -> None:
        """Choose a value; one that is not there is passed over."""
        index = self.findData(value)
        if index >= 0:
            self.setCurrentIndex(index)


class WayForm(QWidget):
    """The choice among the registered ways of splitting, and the settings of the chosen one.

    Signals
    -------
    changed()
        The way or a setting is another one.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._values: dict[str, dict[str, Any]] = {}
        self.fields: dict[str, Any] = {}
        self.choice = Choice({name: way.title for name, way in INSTANCES.items()}, "How touching particles are split")
        self.summary = note()
        self._box = QWidget()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for item in (self.choice, self.summary, self._box):
            layout.addWidget(item)
        self.choice.currentIndexChanged.connect(self._show)
        self._show()

    @property
    def way(self) -> str:
        """Name of the chosen way."""
        return str(self.choice.value)

    @property
    def options(self) -> dict[str, Any]:
        """Settings of the chosen way."""
        return {name: _value_of(field) for name, field in self.fields.items()}

    @property
    def all_options(self) -> dict[str, dict[str, Any]]:
        """Settings of every way that was looked at."""
        return {**self._values, self.way: self.options}

    def restore(self, way: str, values: dict[str, dict[str, Any]]) -> None:
        """Show a way with what was chosen last; what no longer fits is passed over."""
        self._values = {name: dict(each) for name, each in values.items() if isinstance(each, dict)}
        self.fields = {}  # what the form shows now is not to be kept
        self.choice.blockSignals(True)
        self.choice.choose(way)
        self.choice.blockSignals(False)
        self._show()

    def _show(self) -> None:
        before = getattr(self, "_shown", "")
        if self.fields:
            self._values[before] = self.options
        self._shown = self.way
        entry = INSTANCES[self.way]
        self.summary.setText(entry.summary)
        box = QWidget()
        form = QFormLayout(box)
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.fields = {}
        kept = self._values.get(self.way, {})
        for field in dataclasses.fields(entry.settings):
            self.fields[field.name] = _field(field, kept.get(field.name))
            title = "" if isinstance(field.default, bool) else field.metadata["title"]
            form.addRow(title, self.fields[field.name])
            _changes(self.fields[field.name]).connect(self.changed)
        self.layout().replaceWidget(self._box, box)
        self._box.deleteLater()
        self._box = box
        box.setVisible(bool(self.fields))
        self.changed.emit()


def _field(field: Any, kept: Any) -> Any:
    about = field.metadata
    if isinstance(field.default, bool):
        tick = QCheckBox(about["title"])
        tick.setToolTip(about["tip"])
        tick.setChecked(kept if isinstance(kept, bool) else field.default)
        return tick
    edit = NumberEdit(about["tip"], about["least"], about["most"])
    edit.setSuffix(f" {about['unit']}" if about["unit"] else "")
    edit.setValue(kept if isinstance(kept, (int, float)) and not isinstance(kept, bool) else field.default)
    return edit


def _value_of(field: Any) -> Any:
    return field.isChecked() if isinstance(field, QCheckBox) else field.value()


def _changes(field: Any) -> Any:
    return field.toggled if isinstance(field, QCheckBox) else field.valueChanged


def row(*items: QWidget | str) -> QWidget:
    """Return fields and words side by side; fields share the room."""
    box = QWidget()
    layout = QHBoxLayout(box)
    layout.setContentsMargins(0, 0, 0, 0)
    for item in items:
        layout.addWidget(QLabel(item) if isinstance(item, str) else item, 0 if isinstance(item, str) else 1)
    return box
