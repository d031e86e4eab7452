"""How to train: the preset, what to start from, and for how long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFormLayout, QSpinBox, QVBoxLayout, QWidget

from napari_mpseg.gui.elided_combo import ElidedCombo
from napari_mpseg.gui.memory import Memory
from napari_mpseg.gui.start_choice import BUNDLED, SCRATCH, StartChoice
from napari_mpseg.gui.status_line import note
from napari_mpseg.gui.train_first import FirstChoice
from napari_mpseg.gui.train_head import HeadChoice
from napari_mpseg.gui.train_inputs import start_problem

if TYPE_CHECKING:
    from napari_mpseg.training.preset import Preset

_SHRINK = (
    "How small the network sees the image. Best where particles are some 10 to 40 px across then: large particles are "
    "seen whole, and all is faster."
)
_KEPT = "A model that is started from keeps the size it has learnt at. To choose it, start from nothing."
_PATCH = (
    "Side of the squares that the network sees. They are always shown at the same size: smaller squares show small "
    "particles larger, larger ones show large particles whole."
)
_NO_BUNDLED = "A Mask R-CNN cannot start from the bundled network, which gives each pixel a probability."


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
        self.preset_choice = ElidedCombo()
        for name, preset in PRESETS.items():
            self.preset_choice.add(preset.title, name, _tip(preset))
        self.summary = note()
        self.head = HeadChoice()
        self.shrink = QSpinBox()
        self.shrink.setRange(1, 16)
        self.shrink.setSpecialValueText("full size")
        self.shrink.setPrefix("1/")
        self.shrink.setSuffix(" of its size")
        self.patch = QSpinBox()
        self.patch.setRange(32, 2048)
        self.patch.setSingleStep(32)
        self.patch.setSuffix(" px")
        self.patch.setToolTip(_PATCH)
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
        form = self._form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        preset = QVBoxLayout()
        preset.setSpacing(2)
        preset.addWidget(self.preset_choice)
        preset.addWidget(self.summary)
        form.addRow("Preset", preset)
        form.addRow(self.head)
        form.addRow("Start from", self.start)
        form.addRow("Image seen at", self.shrink)
        form.addRow("Patches of", self.patch)
        form.addRow("Learn first from", self.first)
        form.addRow("Train for", self.epochs)
        form.addRow("At most", self.minutes)
        self._restore()
        self.preset_choice.currentIndexChanged.connect(self._on_preset)
        self.start.changed.connect(self._explain)
        self.head.changed.connect(self._explain)
        self.patch.valueChanged.connect(self._summarise)
        self.first.changed.connect(self._explain)
        self._explain()

    @property
    def preset(self) -> Preset:
        """The chosen preset with what is chosen here, and what is learnt from first."""
        preset = self._default()
        patches = preset.settings.patches
        size = self.patch.value() if preset.trainer else patches.size
        preset = preset.changed(
            epochs=self.epochs.value(),
            head=self.head.head,
            shrink=self.shrink.value() if self.shrink.isEnabled() else preset.settings.shrink,
            **{"patches.size": size, "patches.step": max(1, patches.step * size // patches.size)},
        )
        if self.start.learnt is not None:  # to train on is to go on with what is painted
            return preset if preset.before is None else preset.changed(before=None)
        return preset if preset.trainer else self.first.applied(preset)

    @property
    def instances(self) -> bool:
        """Whether each particle must have a label of its own."""
        return self.head.instances

    @property
    def problem(self) -> str:
        """Why the preset cannot begin with what is chosen to start from; an empty text if it can."""
        return start_problem(self.start.start, bool(self._default().trainer))

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
            head=self.head.head,
            shrink=self.shrink.value(),
            patch=self.patch.value(),
            first=self.first.images,
            first_epochs=self.first.epochs.value(),
        )

    def _restore(self) -> None:
        self.choose(self._memory.get("preset", "painted"))
        preset = self._default()
        self.epochs.setValue(self._memory.get("epochs", preset.settings.epochs))
        self.minutes.setValue(self._memory.get("minutes", 0))
        self._follow(preset)
        self.start.choose(self._memory.get("start", preset.start or SCRATCH))
        self.head.choose(self._memory.get("head", preset.settings.head))
        self.shrink.setValue(self._memory.get("shrink", preset.settings.shrink))
        self.patch.setValue(self._memory.get("patch", preset.settings.patches.size))
        self.first.follow(preset)
        self.first.choose(self._memory.get("first", self.first.images))
        self.first.epochs.setValue(self._memory.get("first_epochs", self.first.epochs.value()))

    def _default(self) -> Preset:
        from napari_mpseg.training.presets import PRESETS

        return PRESETS[str(self.preset_choice.currentData())]

    def _on_preset(self) -> None:
        preset = self._default()
        self.epochs.setValue(preset.settings.epochs)
        self._follow(preset)
        self.start.choose(preset.start or SCRATCH)
        self.first.follow(preset)
        self._explain()

    def _follow(self, preset: Preset) -> None:
        """Show what a preset says of the network, and offer what can be changed in it."""
        self.start.allow_bundled(_NO_BUNDLED if preset.trainer else "")
        self.head.follow(preset)
        self.shrink.setValue(preset.settings.shrink)
        self.patch.setValue(preset.settings.patches.size)
        self._form.setRowVisible(self.shrink, not preset.trainer)
        self._form.setRowVisible(self.patch, bool(preset.trainer))

    def _explain(self) -> None:
        preset = self._default()
        self.preset_choice.setToolTip(_tip(preset))
        fresh = self.start.start == SCRATCH
        self.shrink.setEnabled(fresh)
        self.shrink.setToolTip(_SHRINK if fresh else _KEPT)
        self.first.allow(self._no_first(preset))
        self._summarise()
        self.changed.emit()

    def _summarise(self) -> None:
        preset = self._default()
        settings = preset.settings
        known = {SCRATCH: settings.network, BUNDLED: "half-multiresunet"}
        network = known.get(self.start.chosen, "that of the trained model")
        if self.start.learnt is not None:
            network = "that of this session's model"
        parts = [f"Network: {network}", self.head.words, f"loss: {settings.loss}"]
        parts.append(f"patches of {self.patch.value() if preset.trainer else settings.patches.size} px")
        if preset.source != "napari-mpseg":
            parts.append(preset.source)
        self.summary.setText(" · ".join(part for part in parts if part))

    def _no_first(self, preset: Preset) -> str:
        """Return why nothing else can be learnt from first; an empty text if it can."""
        if self.start.learnt is not None:
            return "Training goes on from this session's model: what is painted is learnt from at once."
        return "This preset has no earlier stage." if preset.trainer else ""


def _tip(preset: Preset) -> str:
    return f"{preset.title} ({preset.source}). {preset.note}".strip()
