"""How it was painted: chosen in words, never guessed."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QRadioButton, QSpinBox, QVBoxLayout, QWidget

from napari_mpseg.gui.memory import Memory
from napari_mpseg.gui.status_line import note

_EACH_ITS_OWN = (
    "Every particle is painted, each with a label of its own: 0 is background, every other label one particle."
)


class PaintedHow(QWidget):
    """One button for each entry of ``ANNOTATIONS``; none is chosen until the user does so once.

    Signals
    -------
    changed()
    """

    changed = Signal()

    def __init__(self, memory: Memory) -> None:
        super().__init__()
        from napari_mpseg.training.painted.annotations import ANNOTATIONS

        self._memory = memory
        self._known = ANNOTATIONS
        self._instances = False
        self._group = QButtonGroup(self)
        self.buttons: dict[str, QRadioButton] = {}
        row = QHBoxLayout()
        row.addWidget(QLabel("Painted as"))
        for name, annotation in ANNOTATIONS.items():
            button = QRadioButton(annotation.title)
            button.setToolTip(annotation.explanation)
            self._group.addButton(button)
            self.buttons[name] = button
            row.addWidget(button)
        row.addStretch(1)
        self.explanation = note()
        self.background = QSpinBox()
        self.background.setRange(1, 65535)
        self.background.setToolTip("The label that the background strokes were painted with; all others are particles")
        self.background_row = QWidget()
        line = QHBoxLayout(self.background_row)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(QLabel("Background is label"))
        line.addWidget(self.background)
        line.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row)
        layout.addWidget(self.explanation)
        layout.addWidget(self.background_row)
        self.background.setValue(memory.get("background", 1))
        self.choose(memory.get("painted", ""))
        self._show()
        self._group.buttonToggled.connect(self._toggled)
        self.background.valueChanged.connect(lambda value: self.changed.emit())

    @property
    def kind(self) -> str:
        """Name of the way of painting; empty if none was chosen."""
        return next((name for name, button in self.buttons.items() if button.isChecked()), "")

    def choose(self, kind: str) -> None:
        """Choose a way of painting by name; an unknown one is passed over."""
        if kind in self.buttons:
            self.buttons[kind].setChecked(True)

    def explain(self, instances: bool) -> None:
        """Explain the ways of painting; say so if each particle needs a label of its own."""
        self._instances = instances
        self._show()

    def remember(self) -> None:
        """Remember what was chosen."""
        self._memory.set(painted=self.kind, background=self.background.value())

    def _toggled(self, button: Any, on: bool) -> None:
        if on:
            self._show()
            self.changed.emit()

    def _show(self) -> None:
        kind = self.kind
        said = self._known[kind].explanation if kind else "Say which: a number 0 means something else in each."
        if self._instances and kind and not self._known[kind].partial:
            said = _EACH_ITS_OWN
        self.explanation.setText(said)
        self.background_row.setVisible(bool(kind) and self._known[kind].partial)
