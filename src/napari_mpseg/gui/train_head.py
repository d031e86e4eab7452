"""Whether, and how, a network learns to tell touching particles apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_mpseg.gui.elided_combo import ElidedCombo

if TYPE_CHECKING:
    from napari_mpseg.training.preset import Preset

_DETECTOR = "\0detector"
_HELP = "Particles that touch come out as several. Each must then be painted with a label of its own."


class HeadChoice(QWidget):
    """Choose the head of a network.

    Signals
    -------
    changed()
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        from napari_mpseg.heads.registry import HEADS, MASK

        self.choice = ElidedCombo()
        for name, head in HEADS.items():
            title = f"By {head.title[0].lower()}{head.title[1:]}"
            self.choice.add("No" if name == MASK else title, name, head.summary)
        label = QLabel("Tell touching particles apart")
        label.setToolTip(_HELP)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(label)
        column.addWidget(self.choice)
        self._preset: Preset | None = None
        self.choice.currentIndexChanged.connect(self._on_changed)
        self._explain()

    @property
    def head(self) -> str:
        """The name of the chosen head; of a detector that of its preset."""
        if self._preset is not None and self._preset.trainer:
            return self._preset.settings.head
        return str(self.choice.currentData())

    @property
    def instances(self) -> bool:
        """Whether each particle must have a label of its own."""
        from napari_mpseg.heads.registry import MASK

        return self.choice.currentData() not in (MASK,)

    @property
    def words(self) -> str:
        """How particles are told apart, for a summary; empty if they are not, or by the network itself."""
        from napari_mpseg.heads.registry import HEADS

        data = str(self.choice.currentData())
        return f"head: {HEADS[data].title.lower()}" if self.instances and data != _DETECTOR else ""

    def choose(self, head: str) -> None:
        """Choose a head by name; one that there is not is passed over."""
        index = self.choice.findData(head)
        if index >= 0 and self.isEnabled():
            self.choice.setCurrentIndex(index)

    def follow(self, preset: Preset) -> None:
        """Choose what a preset says; a detector tells particles apart in its own way."""
        self._preset = preset
        self.choice.blockSignals(True)
        place = self.choice.findData(_DETECTOR)
        if place >= 0:
            self.choice.removeItem(place)
        if preset.trainer:
            self.choice.add("Always, as Mask R-CNN does", _DETECTOR, "Every particle is found by itself.")
            self.choice.setCurrentIndex(self.choice.count() - 1)
        else:
            self.choice.setCurrentIndex(max(0, self.choice.findData(preset.settings.head)))
        self.choice.blockSignals(False)
        self.setEnabled(not preset.trainer)
        self._on_changed()

    def _on_changed(self) -> None:
        self._explain()
        self.changed.emit()

    def _explain(self) -> None:
        tip = str(self.choice.currentData(Qt.ItemDataRole.ToolTipRole) or "")
        self.choice.setToolTip(f"{_HELP}\n{self.choice.currentText()}: {tip}")
