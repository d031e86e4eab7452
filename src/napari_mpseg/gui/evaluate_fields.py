"""Fields that *Evaluate* and *Choose a threshold* share."""

from __future__ import annotations

from typing import Any

from napari.layers import Labels
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QSpinBox, QWidget

from napari_mpseg.gui.memory import Memory


class ParticleValue(QWidget):
    """Which pixels of a mask are particle: all but 0, or those of one value.

    Parameters
    ----------
    memory : Memory
    key : str
        Under which the choice is remembered.

    Signals
    -------
    changed()
        Another choice was made.
    """

    changed = Signal()

    def __init__(self, memory: Memory, key: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._memory, self._key = memory, key
        self.box, self.number = QCheckBox("only value"), QSpinBox()
        self.number.setRange(0, 65535)
        tip = (
            "Without a tick every pixel but 0 is particle, and each number or connected piece is a particle. Tick it "
            "for masks that mean it otherwise, such as those of MP-Net: particles 0, background 255."
        )
        self.box.setToolTip(tip)
        self.number.setToolTip(tip)
        self.number.setValue(memory.get(f"{key}_value", 0))
        self.number.setEnabled(self.box.isChecked())
        self.box.toggled.connect(self.number.setEnabled)
        self.box.toggled.connect(lambda on: self.changed.emit())
        self.number.valueChanged.connect(lambda value: self.changed.emit())
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.box)
        row.addWidget(self.number, 1)

    def suit(self, layer: Any) -> None:
        """Take what was remembered where it may be meant: for a mask, never for labels, which it would turn round."""
        mask = layer is not None and not isinstance(layer, Labels)
        self.box.setChecked(mask and self._memory.get(f"{self._key}_only", False))

    @property
    def value(self) -> int | None:
        """The value that means particle; None for all but 0."""
        return self.number.value() if self.box.isChecked() else None

    def remember(self, layer: Any = None) -> None:
        """Remember the choice for the next mask; what is chosen for labels is about these labels only."""
        if isinstance(layer, Labels):
            return
        choice: dict[str, Any] = {f"{self._key}_only": self.box.isChecked(), f"{self._key}_value": self.number.value()}
        self._memory.set(**choice)


def min_size_field(memory: Memory) -> QSpinBox:
    """Return the field for the least size of a particle in pixels."""
    field = QSpinBox()
    field.setRange(1, 1_000_000)
    field.setSuffix(" px")
    field.setValue(memory.get("min_size", 3))
    field.setToolTip(
        "Smaller particles do not count, neither in truth nor in the prediction. Pixel metrics count every pixel."
    )
    return field
