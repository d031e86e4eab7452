"""The choice of an aim, and the number it takes."""

from __future__ import annotations

from html import escape
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QDoubleSpinBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_mpseg.gui.memory import Memory
from napari_mpseg.gui.status_line import note


class AimChoice(QWidget):
    """A list of aims, a field for the number of those that take one, and a button.

    Signals
    -------
    wanted()
        The threshold of the chosen aim is wanted.
    """

    wanted = Signal()

    def __init__(self, memory: Memory, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        from napari_mpseg.evaluation.operating_points import AIMS

        self._memory = memory
        self.aim, self.number = QComboBox(), QDoubleSpinBox()
        self.aim.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.aim.setMinimumContentsLength(12)
        for name, entry in AIMS.items():
            self.aim.addItem(entry.title, name)
            self.aim.setItemData(self.aim.count() - 1, entry.definition, 3)  # 3 = tool tip
        self.aim.setToolTip("What the threshold shall be best at, on these data")
        self.aim.setCurrentIndex(max(0, self.aim.findData(memory.get("aim", "best-f1"))))
        self.number.setRange(0.01, 1.0)
        self.number.setSingleStep(0.01)
        self.number.setValue(memory.get("aim_value", 0.95))
        self.button = QPushButton("Take")
        self.button.setToolTip("Move the slider to the threshold that reaches the aim")
        self.about = note()
        row = QHBoxLayout()
        row.addWidget(self.aim, 1)
        row.addWidget(self.number)
        row.addWidget(self.button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        column.addWidget(self.about)
        self.aim.currentIndexChanged.connect(self._on_aim)
        self.button.clicked.connect(self.wanted)
        self._on_aim()

    @property
    def value(self) -> float | None:
        """The number the aim takes; None for an aim without."""
        return float(self.number.value()) if self._entry.default is not None else None

    def choose(self, case: Any, told_apart: bool = False) -> Any:
        """Return the operating point of the chosen aim.

        Parameters
        ----------
        case : ThresholdCase
        told_apart : bool
            Whether the method told the particles apart itself, so that those counted here are not its own.

        Raises
        ------
        MpsegError
            If the aim cannot be reached, or counts particles of a method that tells them apart.
        """
        from napari_mpseg.evaluation.operating_points import choose_threshold
        from napari_mpseg.operating_point import check_counting

        check_counting(self.aim.currentData(), told_apart)
        self._memory.set(aim=self.aim.currentData(), aim_value=self.number.value())
        return choose_threshold([case], self.aim.currentData(), self.value)

    def in_words(self, point: Any, told_apart: bool = False) -> str:
        """Return what an operating point is, and whether it reaches its aim; `told_apart` as in :meth:`choose`."""
        wanted = f" {point.value:g}" if point.value is not None else ""
        text = f"Threshold {point.threshold:.3f}: {self._entry.title}{wanted}. "
        text += f"Precision {point.precision:.3f}, recall {point.recall:.3f}, F1 {point.f1:.3f}"
        text += "." if told_apart else f", {point.count_bias:+.0f} particles against truth."
        return text if point.fulfilled else f"No threshold reaches the aim; this comes nearest. {text}"

    @property
    def _entry(self) -> Any:
        from napari_mpseg.evaluation.operating_points import AIMS

        return AIMS[self.aim.currentData()]

    def _on_aim(self) -> None:
        self.number.setVisible(self._entry.default is not None)
        self.about.setText(escape(self._entry.definition))
