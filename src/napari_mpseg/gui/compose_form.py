"""The form of *Compose training images*: which particles, how changed, onto what, how pasted."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QFormLayout, QHBoxLayout, QLabel, QSpinBox, QWidget

from napari_mpseg.gui.memory import Memory
from napari_mpseg.synthesis.microscopes import MICROSCOPES
from napari_mpseg.synthesis.semi.backgrounds import BACKGROUNDS
from napari_mpseg.synthesis.semi.blends import BLENDS
from napari_mpseg.synthesis.semi.cutouts import CutoutSettings
from napari_mpseg.synthesis.semi.recolouring import RECOLOURINGS
from napari_mpseg.synthesis.semi.settings import SemiSettings

_TITLES = {
    "with-particles": "the image, with its particles",
    "empty": "the image, where it is empty",
    "synthetic": "a synthetic image",
    "plain": "one colour",
    "": "Nile red, varied",
    "weighted": "weighted mean",
    "feathered": "soft edge",
    "poisson": "seamless (Poisson)",
    "replace": "replaced",
    "original": "their own",
    "random": "random",
}
_TIPS = {
    "with-particles": "Crops of the image. Particles that are in them are in the truth, too.",
    "empty": "Crops of the image without any particle",
    "synthetic": "A made image without particles, with clutter and noise; another one for every image",
    "plain": "The mean colour of a part of the image outside its particles",
}


class ComposeForm(QWidget):
    """Shows and remembers settings.

    Signals
    -------
    changed()
        Any other choice.
    """

    changed = Signal()

    def __init__(self, memory: Memory) -> None:
        super().__init__()
        self._memory = memory
        self._build_numbers()
        self._build_choices()
        self._form = QFormLayout(self)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for label, field in (
            ("Particles of", self.least_pixels),
            ("Image size", _row(self.height_px, "x", self.width_px)),
            ("Pasted", _row(self.least, "to", self.most)),
            ("Scale", _row(self.smallest, "to", self.largest)),
            ("", _row(self.rotate, "", self.flip)),
            ("Colours", self.recolour),
            ("Background", self.background),
            ("Look", self.look),
            ("Blend", self.blend),
            ("Weight", self.weight),
            ("Soft edge", self.feather),
            ("Occlusion", self.occlusion),
            ("Camouflage", self.camouflage),
            ("Clutter", self.clutter),
            ("Seed", self.seed),
        ):
            self._form.addRow(label, field)
            words = self._form.labelForField(field)
            if words is not None:
                words.setToolTip(field.toolTip())
        self._show_rows()

    def _build_numbers(self) -> None:
        made = self._whole
        self.least_pixels = made("least_pixels", 3, 1, 10**6, " px or more", "Smaller particles are not cut out")
        size = "Height and width of the images that are made"
        self.height_px, self.width_px = (made(name, 512, 16, 8192, " px", size) for name in ("height", "width"))
        number = "How many particles are pasted into an image, from the fewest to the most"
        self.least, self.most = made("least", 1, 0, 9999, "", number), made("most", 10, 0, 9999, "", number)
        scale = "Particles are made smaller or larger by a random factor between these"
        self.smallest = made("smallest", 80, 5, 2000, " %", scale)
        self.largest = made("largest", 125, 5, 2000, " %", scale)
        self.weight = made("weight", 65, 1, 100, " % particle", "The rest is background")
        self.occlusion = made(
            "occlusion", 0, 0, 100, " %", "How much of a particle others and clutter may cover; 0 keeps them apart"
        )
        self.camouflage = made(
            "camouflage", 0, 0, 100, " %", "How far a particle's mean colour is drawn to that of its surroundings"
        )
        self.seed = made("seed", 0, 0, 10**9, "", "Another seed makes other images; the same one makes the same")
        self.feather = self._broken("feather", 1.0, 0.1, 50, " px", "Standard deviation of the edge")
        self.clutter = self._broken(
            "clutter", 0.0, 0, 1000, " per image", "Mean number of threads and smears that are no particles"
        )

    def _build_choices(self) -> None:
        self.rotate = self._tick("rotate", "Turn", "Turn particles by any angle")
        self.flip = self._tick("flip", "Mirror", "Mirror half of the particles")
        self.recolour = self._choice("recolour", RECOLOURINGS, "original", "Colours of the pasted particles")
        self.background = self._choice("background", BACKGROUNDS, "with-particles", "What they are pasted onto")
        self.look = self._choice("look", ("", *MICROSCOPES), "", "What the synthetic image is like")
        self.blend = self._choice("blend", BLENDS, "weighted", "How they are pasted")

    # -- fields

    def _whole(self, name: str, default: int, low: int, high: int, unit: str, tip: str) -> QSpinBox:
        box = QSpinBox()
        box.setRange(low, high)
        box.setSuffix(unit)
        box.setValue(self._memory.get(name, default))
        return self._field(box, tip)

    def _broken(self, name: str, default: float, low: float, high: float, unit: str, tip: str) -> QDoubleSpinBox:
        box = QDoubleSpinBox()
        box.setRange(low, high)
        box.setDecimals(1)
        box.setSingleStep(0.5)
        box.setSuffix(unit)
        box.setValue(self._memory.get(name, default))
        return self._field(box, tip)

    def _field(self, box: Any, tip: str) -> Any:
        box.setKeyboardTracking(False)
        box.setToolTip(tip)
        box.valueChanged.connect(self.changed)
        return box

    def _tick(self, name: str, text: str, tip: str) -> QCheckBox:
        box = QCheckBox(text)
        box.setToolTip(tip)
        box.setChecked(self._memory.get(name, True))
        box.toggled.connect(self.changed)
        return box

    def _choice(self, name: str, registry: Any, default: str, tip: str) -> QComboBox:
        box = QComboBox()
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        box.setMinimumContentsLength(12)
        for entry in registry:
            plain_colours = entry == "plain" and registry is RECOLOURINGS
            box.addItem("each in its mean colour" if plain_colours else _title(entry), entry)
            if registry is BACKGROUNDS:
                box.setItemData(box.count() - 1, _TIPS.get(entry, ""), 3)  # 3 = tool tip
        box.setToolTip(tip)
        box.setCurrentIndex(max(0, box.findData(self._memory.get(name, default))))
        box.currentIndexChanged.connect(self._on_choice)
        return box

    def _on_choice(self) -> None:
        self._show_rows()
        self.changed.emit()

    def _show_rows(self) -> None:
        self._form.setRowVisible(self.look, self.background.currentData() == "synthetic")
        self._form.setRowVisible(self.weight, self.blend.currentData() == "weighted")
        self._form.setRowVisible(self.feather, self.blend.currentData() == "feathered")

    @property
    def form(self) -> QFormLayout:
        """The rows."""
        return self._form

    # -- settings

    @property
    def settings(self) -> SemiSettings:
        """What the form says.

        Raises
        ------
        SettingsError
            If a smallest number is above its largest.
        """
        return SemiSettings(
            size=(self.height_px.value(), self.width_px.value()),
            particles=(self.least.value(), self.most.value()),
            rotate=self.rotate.isChecked(),
            flip=self.flip.isChecked(),
            scale=(self.smallest.value() / 100, self.largest.value() / 100),
            recolour=self.recolour.currentData(),
            blend=self.blend.currentData(),
            weight=self.weight.value() / 100,
            feather=self.feather.value(),
            background=self.background.currentData(),
            look=self.look.currentData(),
            occlusion=self.occlusion.value() / 100,
            camouflage=self.camouflage.value() / 100,
            clutter=self.clutter.value(),
            seed=self.seed.value(),
        )

    @property
    def cutting(self) -> CutoutSettings:
        """Which particles are cut out."""
        return CutoutSettings(least_pixels=self.least_pixels.value())

    def remember(self) -> None:
        """Keep the choices for the next time."""
        numbers = {
            "height": self.height_px,
            "width": self.width_px,
            **{
                name: getattr(self, name) for name in ("least_pixels", "least", "most", "smallest", "largest", "weight")
            },
            **{name: getattr(self, name) for name in ("feather", "occlusion", "camouflage", "clutter", "seed")},
        }
        self._memory.set(
            **{name: box.value() for name, box in numbers.items()},
            **{name: getattr(self, name).isChecked() for name in ("rotate", "flip")},
            **{name: getattr(self, name).currentData() for name in ("recolour", "background", "look", "blend")},
        )


def _title(entry: str) -> str:
    return MICROSCOPES[entry].title if entry in MICROSCOPES else _TITLES.get(entry, entry)


def in_line(*forms: QFormLayout) -> None:
    """Give the labels of several forms one width, so that their fields stand in line."""
    words = [
        item.widget()
        for form in forms
        for row in range(form.rowCount())
        if (item := form.itemAt(row, QFormLayout.ItemRole.LabelRole)) is not None
    ]
    width = max(label.sizeHint().width() for label in words)
    for label in words:
        label.setMinimumWidth(width)


def _row(first: QWidget, between: str, second: QWidget) -> QWidget:
    """Return two fields side by side."""
    whole = QWidget()
    whole.setToolTip(first.toolTip())
    row = QHBoxLayout(whole)
    row.setContentsMargins(0, 0, 0, 0)
    row.addWidget(first, 1)
    if between:
        row.addWidget(QLabel(between))
    row.addWidget(second, 1)
    return whole
