"""The choice of test-time augmentation."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QWidget

from napari_mpseg.inference.augmentation import TTA, tta_variants


class TtaChoice(QComboBox):
    """None, or one of the registered augmentations, each with how much longer it takes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(12)
        self.addItem("none", "")
        self.setToolTip(
            "The network looks at the image several times, changed each time, and its probabilities are averaged: "
            "steadier where it is unsure, but it takes as many times as long."
        )
        for name, entry in TTA.items():
            count = len(tta_variants(name))
            self.addItem(f"{entry.title} (x {count})", name)
            tip = f"{entry.summary} With the image as it is {count} looks: takes {count} times as long."
            self.setItemData(self.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)

    @property
    def tta(self) -> str:
        """Name of the augmentation; empty for none."""
        return str(self.currentData())

    def choose(self, name: str) -> None:
        """Choose one by its name; what is not known is none."""
        self.setCurrentIndex(max(0, self.findData(name)))
