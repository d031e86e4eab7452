"""One field of a form for one option of a method: a number with its unit and bounds, a choice, a text, yes or no."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QHBoxLayout, QLineEdit, QSpinBox, QWidget

from napari_mpseg.methods.options import MethodOption

_FAR = 1_000_000
_DECIMALS = 3


class OptionField(QWidget):
    """Shows an option and takes its value.

    Parameters
    ----------
    option : MethodOption

    Signals
    -------
    changed()
        Another value.
    """

    changed = Signal()

    def __init__(self, option: MethodOption) -> None:
        super().__init__()
        self.option = option
        make = _CHOICE if option.choices else _KINDS[type(option.default)]
        self.edit, self._get, self._set = make(option, self.changed.emit)
        self.setToolTip(option.help)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.edit)
        self.value = option.default

    @property
    def value(self) -> Any:
        """The value, of the option's type."""
        return self._get()

    @value.setter
    def value(self, value: Any) -> None:
        self._set(value)


class ShortNumber(QDoubleSpinBox):
    """Shows no zeros at the end: 40, not 40.000."""

    def textFromValue(self, value: float) -> str:
        """Return the number as short as it can be said."""
        text, point = super().textFromValue(value), self.locale().decimalPoint()
        return text.rstrip("0").rstrip(point) if point in text else text


_Made = tuple[QWidget, Callable[[], Any], Callable[[Any], None]]


def _choice(option: MethodOption, changed: Callable[[], None]) -> _Made:
    box = QComboBox()
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(8)
    box.addItems(option.choices)
    box.currentIndexChanged.connect(changed)
    return box, box.currentText, lambda value: box.setCurrentIndex(max(0, box.findText(value)))


def _tick(option: MethodOption, changed: Callable[[], None]) -> _Made:
    box = QCheckBox()
    box.toggled.connect(changed)
    return box, box.isChecked, box.setChecked


def _text(option: MethodOption, changed: Callable[[], None]) -> _Made:
    line = QLineEdit()
    line.textChanged.connect(changed)
    return line, line.text, line.setText


def _whole(option: MethodOption, changed: Callable[[], None]) -> _Made:
    return _number(QSpinBox(), option, changed, 1, int)


def _real(option: MethodOption, changed: Callable[[], None]) -> _Made:
    box = ShortNumber()
    box.setDecimals(_DECIMALS)
    return _number(box, option, changed, 0.1, float)


def _number(box: Any, option: MethodOption, changed: Callable[[], None], step: float, kind: type) -> _Made:
    shown, default = option.shown, option.default
    step = kind(shown.step or step)
    low, high = (kind(otherwise if bound is None else bound) for bound, otherwise in _bounds(option))
    box.setSingleStep(step)
    box.setAlignment(Qt.AlignmentFlag.AlignLeft)
    if shown.unit:
        box.setSuffix(f" {shown.unit}")
    if shown.automatic:
        box.setSpecialValueText(shown.automatic)  # stands one step below the smallest value
        box.setRange(low - step, high)
    else:
        box.setRange(low, high)
    box.valueChanged.connect(changed)

    def get() -> Any:
        value = kind(box.value())
        return default if shown.automatic and value < low else value

    def put(value: Any) -> None:
        box.setValue(low - step if shown.automatic and value == default else kind(value))

    return box, get, put


def _bounds(option: MethodOption) -> tuple[tuple[float | None, int], tuple[float | None, int]]:
    return (option.shown.low, -_FAR), (option.shown.high, _FAR)


_CHOICE = _choice
_KINDS: dict[type, Callable[[MethodOption, Callable[[], None]], _Made]] = {
    bool: _tick,
    int: _whole,
    float: _real,
    str: _text,
}
