"""The pixel size of the chosen image: read from it, or given by the user."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QDoubleSpinBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_mpseg.calibration import Calibration
from napari_mpseg.gui.memory import Memory

_UNITS = (("px", "px"), ("nm", "nm"), ("um", "µm"), ("mm", "mm"))


class PixelSizeEdit(QWidget):
    """Height and width of a pixel (one number where it is square) and their unit.

    An image with a pixel size fills the fields; what a user types stays until another image is chosen, and is
    offered again, by a button, for images that carry none.
    """

    changed = Signal()

    def __init__(self, memory: Memory, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._memory = memory
        self._own = Calibration()
        self._given = False
        self.height, self.times, self.width = _Size("Height of a pixel"), QLabel("×"), _Size("Width of a pixel")
        self.unit = QComboBox()
        for key, text in _UNITS:
            self.unit.addItem(text, key)
        self.unit.setToolTip("Unit of the pixel size. With px, areas and lengths are given in pixels.")
        self.source = QLabel()
        self.again = QPushButton()
        self.again.setToolTip("Use the pixel size that you typed last time")
        self.again.clicked.connect(self._use_again)
        row = QHBoxLayout()
        for item, stretch in ((self.height, 2), (self.times, 0), (self.width, 2), (self.unit, 1)):
            row.addWidget(item, stretch)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(row)
        layout.addWidget(self.source)
        layout.addWidget(self.again)
        self.height.valueChanged.connect(self._edited)
        self.width.valueChanged.connect(self._edited)
        self.unit.currentIndexChanged.connect(self._edited)
        self.take(Calibration())

    @property
    def calibration(self) -> Calibration:
        """What the fields say.

        Raises
        ------
        CalibrationError
            If the size is zero.
        """
        unit = self.unit.currentData()
        if unit == "px":
            return Calibration()
        width = self.width.value() if self.width.isVisibleTo(self) else self.height.value()
        return Calibration((self.height.value(), width), unit, "given" if self._given else self._own.source)

    @property
    def given(self) -> bool:
        """Whether the user typed it."""
        return self._given

    def take(self, calibration: Calibration) -> None:
        """Show the pixel size that an image carries."""
        self._own, self._given = calibration, False
        self._fill(calibration)

    def remember(self) -> None:
        """Keep what the user typed for the next image without a pixel size."""
        calibration = self.calibration
        if self._given and calibration.calibrated:
            height, width = calibration.pixel_size
            self._memory.set(pixel_size=f"{height!r}x{width!r}{calibration.unit}")

    def _last(self) -> Calibration | None:
        text = self._memory.get("pixel_size", "")
        try:
            return Calibration.parse(text) if text else None
        except ValueError:
            return None

    def _use_again(self) -> None:
        last = self._last()
        if last is not None:
            self._given = True
            self._fill(last)

    def _fill(self, calibration: Calibration) -> None:
        unit = calibration.unit if calibration.unit in dict(_UNITS) else "um"
        shown = calibration if unit == calibration.unit else calibration.converted(unit)
        fields = (self.height, self.width, self.unit)
        for field in fields:
            field.blockSignals(True)
        self.height.setValue(shown.pixel_size[0])
        self.width.setValue(shown.pixel_size[1])
        self.unit.setCurrentIndex(self.unit.findData(unit))
        for field in fields:
            field.blockSignals(False)
        self._describe(square=shown.isotropic)

    def _edited(self) -> None:
        self._given = True
        self._describe(square=not self.width.isVisibleTo(self))

    def _describe(self, square: bool) -> None:
        physical = self.unit.currentData() != "px"
        self.height.setEnabled(physical)
        for item in (self.times, self.width):
            item.setVisible(physical and not square)
        last = self._last()
        self.again.setVisible(not physical and last is not None)
        if last is not None:
            self.again.setText(f"Use {str(last).removesuffix(' per pixel').replace('um', 'µm')}, as last time")
        if not physical:
            text = "The layer has no pixel size" if not self._own.calibrated else "Counting in pixels"
        elif self._given:
            text = "Given by you"
        else:
            text = "From the layer"
        self.source.setText(text)
        self.changed.emit()


class _Size(QDoubleSpinBox):
    """A size with as many decimals as it needs."""

    def __init__(self, tooltip: str) -> None:
        super().__init__()
        self.setDecimals(5)
        self.setRange(0.0, 1e6)
        self.setStepType(QDoubleSpinBox.StepType.AdaptiveDecimalStepType)
        self.setToolTip(f"{tooltip}; taken from the image where it has one")

    def textFromValue(self, value: float) -> str:
        """Return the number without trailing zeros."""
        text = super().textFromValue(value)
        point = self.locale().decimalPoint()
        return text.rstrip("0").removesuffix(point) if point in text else text
