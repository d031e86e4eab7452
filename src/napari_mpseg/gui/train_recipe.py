"""How to train: the preset, what to start from, and for how long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QComboBox, QFormLayout, QSpinBox, QVBoxLayout, QWidget

from napari_mpseg.gui.memory import Memory
from napari_mpseg.gui.start_choice import BUNDLED, SCRATCH, StartChoice
from napari_mpseg.gui.status_line import note
from napari_mpseg.gui.train_first import FirstChoice

if TYPE_CHECKING:
    from napari_mpseg.training.preset import Preset


class Recipe(QWidget):
    """The form of a training's settings.

    Signals
    -------
    changed()
    """

    changed = Signal()

    def __init__(self, memory: Memory) -> None:
        super().__init__()
        from napari_mpseg.training.presets import PRESETS

        self._memory = memory
        self.start = StartChoice(Memory("segment"))
        self.preset_choice = QComboBox()
        self.preset_choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.preset_choice.setMinimumContentsLength(12)
        for name, preset in PRESETS.items():
            self.preset_choice.addItem(preset.title, name)
            place = self.preset_choice.count() - 1
            self.preset_choice.setItemData(place, _tip(preset), Qt.ItemDataRole.ToolTipRole)
        self.summary = note()
        self.first = FirstChoice()
        self.epochs = QSpinBox()
        self.epochs.setRange(1, 10_000)
        self.epochs.setSuffix(" epochs")
        self.epochs.setToolTip("How often what is painted is gone through. You can stop earlier, and train on later.")
        self.minutes = QSpinBox()
        self.minutes.setRange(0, 7 * 24 * 60)
        self.minutes.setSpecialValueText("no limit")
        self.minutes.setSuffix(" min")
        self.minutes.setToolTip("Stop after so long and keep what was learnt until then. Pauses do not count.")
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        preset = QVBoxLayout()
        preset.setSpacing(2)
        preset.addWidget(self.preset_choice)
        preset.addWidget(self.summary)
        form.addRow("Preset", preset)
        form.addRow("Start from", self.start)
        form.addRow("Learn first from", self.first)
        form.addRow("Train for", self.epochs)
        form.addRow("At most", self.minutes)
        self._restore()
        self.preset_choice.currentIndexChanged.connect(self._on_preset)
        self.start.changed.connect(self._explain)
        self.first.changed.connect(self._explain)
        self._explain()

    @property
    def preset(self) -> Preset:
        """The chosen preset with the chosen number of epochs, and what is learnt from first."""
        preset = self._default().changed(epochs=self.epochs.value())
        if self.start.learnt is not None:  # to train on is to go on with what is painted
            return preset if preset.before is None else preset.changed(before=None)
        return preset if preset.trainer else self.first.applied(preset)

    def choose(self, preset: str) -> None:
        """Choose a preset by name; an unknown one is passed over."""
        index = self.preset_choice.findData(preset)
        if index >= 0:
            self.preset_choice.setCurrentIndex(index)

    def remember(self) -> None:
        """Remember what was chosen."""
        self._memory.set(
            preset=str(self.preset_choice.currentData()),
            epochs=self.epochs.value(),
            minutes=self.minutes.value(),
            start=self.start.chosen,
            first=self.first.images,
            first_epochs=self.first.epochs.value(),
        )

    def _restore(self) -> None:
        self.choose(self._memory.get("preset", "painted"))
        preset = self._default()
        self.epochs.setValue(self._memory.get("epochs", preset.settings.epochs))
        self.minutes.setValue(self._memory.get("minutes", 0))
        self.start.choose(self._memory.get("start", preset.start or SCRATCH))
        self.first.follow(preset)
        self.first.choose(self._memory.get("first", self.first.images))
        self.first.epochs.setValue(self._memory.get("first_epochs", self.first.epochs.value()))

    def _default(self) -> Preset:
        from napari_mpseg.training.presets import PRESETS

        return PRESETS[str(self.preset_choice.currentData())]

    def _on_preset(self) -> None:
        preset = self._default()
        self.epochs.setValue(preset.settings.epochs)
        self.start.choose(preset.start or SCRATCH)
        self.first.follow(preset)
        self._explain()

    def _explain(self) -> None:
        preset = self._default()
        self.preset_choice.setToolTip(_tip(preset))
        settings = preset.settings
        known = {SCRATCH: settings.network, BUNDLED: "half-multiresunet"}
        network = known.get(self.start.chosen, "that of the trained model")
        if self.start.learnt is not None:
            network = "that of this session's model"
        parts = [f"Network: {network}", f"loss: {settings.loss}", f"patches of {settings.patches.size} px"]
        self.first.allow(self._no_first(preset))
        self.summary.setText(" · ".join([*parts, *[preset.source] * (preset.source != "napari-mpseg")]))
        self.changed.emit()

    def _no_first(self, preset: Preset) -> str:
        """Return why nothing else can be learnt from first; an empty text if it can."""
        if self.start.learnt is not None:
            return "Training goes on from this session's model: what is painted is learnt from at once."
        return "This preset has no earlier stage." if preset.trainer else ""


def _tip(preset: Preset) -> str:
    return f"{preset.title} ({preset.source}). {preset.note}".strip()
