"""The slider of *Choose a threshold*, what there is at each of its levels, and aims that move it."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QDoubleSpinBox, QHBoxLayout, QSlider, QVBoxLayout, QWidget

from napari_mpseg.errors import MpsegError
from napari_mpseg.gui.memory import Memory
from napari_mpseg.gui.status_line import note
from napari_mpseg.gui.threshold_aims import AimChoice
from napari_mpseg.gui.threshold_plot import ThresholdPlot, in_words
from napari_mpseg.gui.threshold_work import HIGHEST, LOWEST, Curves, level_of, threshold_of

_NOT_YET = "Press <i>Count</i> to see how many particles there are at every threshold."


class ThresholdPicker(QWidget):
    """Chooses one of 255 levels, by hand or by an aim.

    Parameters
    ----------
    memory : Memory

    Signals
    -------
    moved(int)
        Another level was chosen.
    told(str, str)
        Something for the status line, and its kind.
    """

    moved = Signal(int)
    told = Signal(str, str)

    def __init__(self, memory: Memory, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.curves: Curves | None = None
        self._about, self._told_apart = "", False
        self._chosen: dict[str, Any] = {}
        self.slider, self.number = QSlider(Qt.Orientation.Horizontal), QDoubleSpinBox()
        self.slider.setRange(LOWEST, HIGHEST)
        self.number.setRange(threshold_of(LOWEST), threshold_of(HIGHEST))
        self.number.setDecimals(3)
        self.number.setSingleStep(0.01)
        for field in (self.slider, self.number):
            field.setToolTip("Probability above which a pixel is particle. Lower finds more.")
        self.said = note()
        self.plot = ThresholdPlot()
        self.aims = AimChoice(memory)
        self.slider.valueChanged.connect(self._on_slider)
        self.number.valueChanged.connect(lambda value: self.slider.setValue(level_of(value)))
        self.plot.picked.connect(self.slider.setValue)
        self.aims.wanted.connect(self.aim)
        row = QHBoxLayout()
        row.addWidget(self.slider, 1)
        row.addWidget(self.number)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        for item in (self.said, self.plot, self.aims):
            column.addWidget(item)
        self._on_slider(self.slider.value())

    @property
    def level(self) -> int:
        """The smallest stored probability that counts as particle."""
        return int(self.slider.value())

    @property
    def threshold(self) -> float:
        """The chosen threshold."""
        return float(threshold_of(self.level))

    def choose(self, threshold: float) -> None:
        """Move to a threshold."""
        self.slider.setValue(level_of(min(max(threshold, 0.0), 0.999)))

    def show_curves(self, curves: Curves | None, about: str = "", told_apart: bool = False) -> None:
        """Show what there is at every level.

        Parameters
        ----------
        curves : Curves or None
            None where nothing was counted yet.
        about : str
            A sentence on the probability, as rich text, to be told with the counts.
        told_apart : bool
            Whether the method told the particles apart itself: those counted here are not its own then.
        """
        if curves is not self.curves:
            self._chosen = {}
        self.curves, self._about, self._told_apart = curves, about, told_apart
        self.plot.setVisible(curves is not None)
        self.aims.setVisible(curves is not None and curves.case is not None)
        self.plot.show_curves(curves)
        self._say()

    def aim(self) -> None:
        """Move to what the aim asks for."""
        if self.curves is None or self.curves.case is None:
            return
        try:
            point = self.aims.choose(self.curves.case, self._told_apart)
        except MpsegError as error:
            self.told.emit(str(error), "error")
            return
        self.slider.setValue(point.level)
        unsaid = ("images", "count_bias") if self._told_apart else ("images",)
        self._chosen = {name: value for name, value in point.to_dict().items() if name not in unsaid}
        self.told.emit(self.aims.in_words(point, self._told_apart), "done" if point.fulfilled else "warning")

    def record(self) -> dict[str, Any]:
        """Return how the threshold was chosen and what there is at it, for a model's card."""
        record = {"aim": "by hand", **self._chosen, "threshold": self.threshold, "level": self.level}
        if self.curves is not None:
            if not self._told_apart:
                record["particles"] = int(self.curves.counts[self.level])
            if self.curves.n_truth is not None:
                if not self._told_apart:
                    record["count_bias"] = record["particles"] - self.curves.n_truth
                for name in ("precision", "recall", "f1"):
                    record[name] = float(getattr(self.curves, name)[self.level])
        return record

    def _on_slider(self, level: int) -> None:
        self.number.blockSignals(True)
        self.number.setValue(threshold_of(level))
        self.number.blockSignals(False)
        self._chosen = {}
        self.plot.show_level(level)
        self._say()
        self.moved.emit(level)

    def _say(self) -> None:
        told = _NOT_YET if self.curves is None else in_words(self.curves, self.level)
        self.said.setText(f"{told} {self._about}".strip())
