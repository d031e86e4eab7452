"""What a network learns from before it learns from what is painted: nothing, made images, or a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QComboBox, QFileDialog, QSpinBox, QVBoxLayout, QWidget

if TYPE_CHECKING:
    from napari_mpseg.training.preset import Preset

NOTHING = ""
_ASK = "\0folder"
_HELP = (
    "Let the network learn from other images first, and then from yours. It takes longer, and can help where little is "
    "painted."
)


class FirstChoice(QWidget):
    """Choose the earlier stage of a training, and for how long.

    Signals
    -------
    changed()
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        from napari_mpseg.training.made_images import MAKERS

        self._last = NOTHING
        self.choice = QComboBox()
        self.choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.choice.setMinimumContentsLength(10)
        self._add("Nothing else", NOTHING, "Only what is painted is learnt from.")
        for name, maker in MAKERS.items():
            self._add(maker.title, name, maker.summary)
        self.choice.insertSeparator(self.choice.count())
        self._add(
            "Labelled images in a folder …", _ASK, "A folder of images with labels of the same names in 'labels'."
        )
        self.epochs = QSpinBox()
        self.epochs.setRange(1, 10_000)
        self.epochs.setPrefix("for ")
        self.epochs.setSuffix(" epochs")
        self.epochs.setToolTip("How long to learn from these images, before what is painted.")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.choice)
        column.addWidget(self.epochs)
        self.choice.currentIndexChanged.connect(self._on_changed)
        self._show()

    @property
    def images(self) -> str:
        """``""`` for nothing, a kind of made image, or a folder."""
        data = str(self.choice.currentData())
        return self._last if data == _ASK else data

    def choose(self, images: str) -> None:
        """Choose a kind of made image or a folder; a folder that is no longer there is passed over."""
        index = self.choice.findData(images)
        if index < 0 and Path(images).is_dir():
            place = self.choice.findData(_ASK)
            self.choice.insertItem(place, Path(images).name or images, images)
            self.choice.setItemData(place, f"Labelled images in {images}", Qt.ItemDataRole.ToolTipRole)
            index = place
        if index >= 0:
            self.choice.setCurrentIndex(index)

    def follow(self, preset: Preset) -> None:
        """Choose what a preset says."""
        self.choose(NOTHING if preset.before is None else preset.before.images)
        self.epochs.setValue(preset.settings.epochs if preset.before is None else preset.settings_before().epochs)

    def applied(self, preset: Preset) -> Preset:
        """Return the preset with what is chosen here."""
        own = NOTHING if preset.before is None else preset.before.images
        if self.images != own:
            preset = preset.changed(before=self.images or None)
        return preset.changed(**{"before.epochs": self.epochs.value()}) if self.images else preset

    def allow(self, reason: str) -> None:
        """Let the user choose, or say why there is no earlier stage."""
        self.setEnabled(not reason)
        self._show(reason)

    def _add(self, text: str, data: str, tip: str) -> None:
        self.choice.addItem(text, data)
        self.choice.setItemData(self.choice.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)

    def _on_changed(self) -> None:
        if self.choice.currentData() == _ASK:
            folder = QFileDialog.getExistingDirectory(self, "Choose a folder of images with labels in 'labels'")
            self.choice.blockSignals(True)
            self.choice.setCurrentIndex(0)
            self.choose(folder or self._last)
            self.choice.blockSignals(False)
        self._last = str(self.choice.currentData())
        self._show()
        self.changed.emit()

    def _show(self, reason: str = "") -> None:
        tip = str(self.choice.currentData(Qt.ItemDataRole.ToolTipRole) or "")
        self.choice.setToolTip(reason or f"{_HELP}\n{self.choice.currentText()}: {tip}")
        self.epochs.setVisible(bool(self.images))
