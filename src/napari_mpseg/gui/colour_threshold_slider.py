"""One component of a range of colour: its histogram, a slider with two ends, and whether inside or outside passes."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.settings import get_settings
from napari.utils.theme import get_theme
from qtpy.QtCore import QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QPainter
from qtpy.QtWidgets import QAbstractSpinBox, QCheckBox, QHBoxLayout, QLabel, QSizePolicy, QSpinBox, QVBoxLayout, QWidget
from superqt import QRangeSlider

from napari_mpseg.methods.colour_spaces import ColourSpace

_HEIGHT = 38
_DIGITS = 34  # pixels for three digits
_MARGIN = 8  # half a handle of the slider below, so that both show a value at the same place


class Histogram(QWidget):
    """Bars of 256 counts, in the colours they stand for; what does not pass is shaded.

    The height is logarithmic: a few hundred particles' pixels show beside a million of background.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._counts = np.zeros(256)
        self._colours = np.full((256, 3), 128, np.uint8)
        self._passed = np.ones(256, bool)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Return a size that fits the column of a dock."""
        return QSize(300, _HEIGHT)

    def show_counts(self, counts: np.ndarray) -> None:
        """Show other counts."""
        self._counts = np.log1p(np.asarray(counts, float))
        self.update()

    def show_colours(self, colours: np.ndarray) -> None:
        """Draw the bars in other colours, uint8 ``(256, 3)``."""
        self._colours = colours
        self.update()

    def show_passed(self, passed: np.ndarray) -> None:
        """Shade what does not pass, bool ``(256,)``."""
        self._passed = passed
        self.update()

    def paintEvent(self, event: Any) -> None:
        """Draw the bars."""
        theme = get_theme(get_settings().appearance.theme)
        painter = QPainter(self)
        area = QRectF(self.rect()).adjusted(_MARGIN, 0, -_MARGIN, 0)
        painter.fillRect(area, QColor(theme.foreground.as_hex()))
        top = max(float(self._counts.max()), 1e-9)
        columns = int(area.width())
        for column in range(columns):
            # whole pixels, each once: bars that overlap by a part of a pixel would show stripes where they are shaded
            first = column * 256 // columns
            values = slice(first, max(first + 1, (column + 1) * 256 // columns))
            red, green, blue = (int(part) for part in self._colours[first])
            colour = QColor(red, green, blue, 255 if self._passed[values].any() else 70)
            height = 4 + round((area.height() - 6) * float(self._counts[values].max()) / top)
            painter.fillRect(int(area.left()) + column, int(area.bottom()) - height, 1, height, colour)
        painter.end()


class ComponentRange(QWidget):
    """Two ends from 0 to 255, and whether what lies inside passes.

    Signals
    -------
    changed()
        The user moved an end or ticked the box.
    settled()
        The user let go of the slider.
    """

    changed = Signal()
    settled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = QLabel()
        self.low, self.high = QSpinBox(), QSpinBox()
        for box in (self.low, self.high):
            box.setRange(0, 255)
            box.setKeyboardTracking(False)
            box.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)  # the slider is for that; keys work too
            # napari's style asks for more, which three digits do not need
            box.setStyleSheet(f"QSpinBox {{ min-width: {_DIGITS}px; max-width: {_DIGITS}px; }}")
        self.low.setToolTip("Lower end, 0 to 255; it belongs to the range")
        self.high.setToolTip("Upper end, 0 to 255; it belongs to the range")
        self.inside = QCheckBox("pass")
        self.inside.setToolTip(
            "Ticked: colours between the two ends pass. Unticked: colours outside them pass, as with ImageJ's Pass.\n"
            "Red hues lie at both ends of the circle: untick, and put the ends around the other colours."
        )
        self.histogram = Histogram()
        self.histogram.setToolTip("How often each value occurs in view; the height is logarithmic")
        self.slider = QRangeSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, 255)
        self._lay_out()
        self.show_range(0, 255, True)
        self.low.valueChanged.connect(lambda value: self._typed(value, max(value, self.high.value())))
        self.high.valueChanged.connect(lambda value: self._typed(min(value, self.low.value()), value))
        self.slider.valueChanged.connect(lambda ends: self._moved(*ends))
        self.slider.sliderReleased.connect(self.settled)
        self.inside.toggled.connect(lambda on: self._tell())

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(4)
        head.addWidget(self.name, 1)
        head.addWidget(self.low)
        head.addWidget(QLabel("to"))
        head.addWidget(self.high)
        head.addWidget(self.inside)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 2)
        layout.setSpacing(1)
        layout.addLayout(head)
        layout.addWidget(self.histogram)
        layout.addWidget(self.slider)

    @property
    def ends(self) -> tuple[int, int]:
        """Lower and upper end."""
        return self.low.value(), self.high.value()

    def show_component(self, space: ColourSpace, number: int) -> None:
        """Say which component it is."""
        self.name.setText(space.title_of(number))
        self.name.setToolTip(space.summary)
        self.histogram.show_colours(bar_colours(space.name, number))

    def show_range(self, low: int, high: int, inside: bool) -> None:
        """Show other ends; tells nobody."""
        for part in (self.low, self.high, self.slider, self.inside):
            part.blockSignals(True)
        self.low.setValue(low)
        self.high.setValue(high)
        self.slider.setValue((low, high))
        self.inside.setChecked(inside)
        for part in (self.low, self.high, self.slider, self.inside):
            part.blockSignals(False)
        self._shade()

    def _typed(self, low: int, high: int) -> None:
        self.show_range(low, high, self.inside.isChecked())
        self.changed.emit()
        self.settled.emit()

    def _moved(self, low: int, high: int) -> None:
        self.show_range(int(low), int(high), self.inside.isChecked())
        self.changed.emit()

    def _tell(self) -> None:
        self._shade()
        self.changed.emit()
        self.settled.emit()

    def _shade(self) -> None:
        values = np.arange(256)
        between = (values >= self.low.value()) & (values <= self.high.value())
        self.histogram.show_passed(between if self.inside.isChecked() else ~between)


def bar_colours(space: str, number: int) -> np.ndarray:
    """Return the colour that each value of a component stands for, uint8 ``(256, 3)``; grey where it is none."""
    ramp = np.arange(256)
    dark = 40 + ramp * 215 // 255  # black bars would not be seen on a dark theme
    colours = np.stack([dark] * 3, -1)
    if (space, number) == ("hsb", 0):
        sixths = ramp / 255 * 6
        colours = np.stack([np.clip(np.abs((sixths + turn) % 6 - 3) - 1, 0, 1) * 255 for turn in (0, 4, 2)], -1)
    elif (space, number) == ("hsb", 1):
        colours = np.stack([np.full(256, 230), 230 - ramp * 200 // 255, 230 - ramp * 200 // 255], -1)
    elif space == "rgb":
        colours = np.full((256, 3), 40)
        colours[:, number] = dark
    elif (space, number) == ("lab", 1):
        colours = np.stack([ramp, 255 - ramp, np.full(256, 60)], -1)
    elif (space, number) == ("lab", 2):
        colours = np.stack([ramp, ramp, 255 - ramp], -1)
    return colours.astype(np.uint8)
