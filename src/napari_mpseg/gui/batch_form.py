"""What is done with every image of a batch: method and options, threshold, sizes, and choices made rarely."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QWidget,
)

from napari_mpseg.batch.settings import BatchSettings
from napari_mpseg.errors import SettingsError
from napari_mpseg.gui.background_choice import BackgroundChoice
from napari_mpseg.gui.batch_method import BatchMethod
from napari_mpseg.gui.empty_choice import EmptyChoice
from napari_mpseg.gui.memory import Memory, preferences
from napari_mpseg.gui.method_options import MethodOptions
from napari_mpseg.gui.tta_choice import TtaChoice
from napari_mpseg.methods.registry import defaults_of, gives_probability, takes_tta
from napari_mpseg.pipeline import MIN_SIZE


class BatchForm(QWidget):
    """Settings of all images.

    Parameters
    ----------
    memory : Memory
        Keeps what was chosen.

    Signals
    -------
    changed()
        Another choice.
    """

    changed = Signal()

    def __init__(self, memory: Memory) -> None:
        super().__init__()
        self._memory = memory
        self._shown = ""
        self._make_fields()
        self._make_rare_fields()
        self.form = QFormLayout(self)
        self.form.setContentsMargins(0, 0, 0, 0)
        self.form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.form.addRow("Method", self.method)
        self.form.addRow(self.method.summary)
        self.options = MethodOptions(self.form, memory)
        self.form.addRow("Threshold", self.threshold_row)
        self.form.addRow("Minimum size", self.min_size)
        self.form.addRow("Pixel size", self.pixel_size)
        self.form.addRow("", self.more)
        self._rare = (
            ("Subtract\nbackground", self.background),
            ("Test-time\naugmentation", self.tta),
            ("Rescale", self.rescale),
            ("Empty parts", self.empty),
            ("Channels", self.channels),
            ("Plane", self.plane),
        )
        for label, rare in self._rare:
            self.form.addRow(label, rare)
        self._restore()
        self._show_rows()
        self._listen()

    def _make_fields(self) -> None:
        self.method = BatchMethod(self._memory)
        self.automatic = QCheckBox("automatic")
        self.automatic.setToolTip("Take the threshold the network was made for")
        self.threshold = QDoubleSpinBox()
        self.threshold.setRange(0.01, 0.99)
        self.threshold.setSingleStep(0.05)
        self.threshold.setToolTip("Probability from which a pixel counts as particle, 0 to 1. Lower finds more.")
        self.automatic.toggled.connect(self.threshold.setDisabled)
        self.threshold_row = QWidget()
        row = QHBoxLayout(self.threshold_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.automatic)
        row.addWidget(self.threshold, 1)
        self.min_size = QSpinBox()
        self.min_size.setRange(1, 1_000_000)
        self.min_size.setSuffix(" px")
        self.min_size.setToolTip("Smaller particles are left out. 3 px is what the MP-VAT macro uses.")
        self.pixel_size = QLineEdit()
        self.pixel_size.setPlaceholderText("as the files say")
        self.pixel_size.setToolTip("Size of a pixel in all images, such as 2.5 µm, in place of what the files say")

    def _make_rare_fields(self) -> None:
        self.more = QPushButton()
        self.more.setCheckable(True)
        self.more.toggled.connect(self._show_rows)
        self.background = BackgroundChoice(self._memory)
        self.tta = TtaChoice()
        self.rescale = QCheckBox("to the network's pixel size")
        self.rescale.setToolTip(
            "Show the images to the network at the pixel size it was trained at, by the nearest whole factor.\n"
            "For images much finer or coarser than the training's; labels keep the images' own pixels."
        )
        self.empty = EmptyChoice(self._memory)
        self.channels = QLineEdit()
        self.channels.setPlaceholderText("all")
        self.channels.setToolTip("Names or numbers of the channels to use, counted from 0, such as red or 0, 2")
        self.plane = QLineEdit()
        self.plane.setPlaceholderText("images of one plane")
        self.plane.setToolTip("Which plane to take of stacks, counted from 0; one number per axis, such as 0, 3")

    def _listen(self) -> None:
        self.method.changed.connect(self._on_method)
        for signal in (
            self.automatic.toggled,
            self.threshold.valueChanged,
            self.min_size.valueChanged,
            self.pixel_size.editingFinished,
            self.background.way.currentIndexChanged,
            self.background.radius.valueChanged,
            self.background.light.toggled,
            self.tta.currentIndexChanged,
            self.rescale.toggled,
            self.empty.currentIndexChanged,
            self.channels.editingFinished,
            self.plane.editingFinished,
        ):
            signal.connect(lambda *_: self.changed.emit())

    # -- choices -------------------------------------------------------------------------------------------------

    @property
    def settings(self) -> BatchSettings:
        """What was chosen; what is as usual is left to the core, so that a run can go on that was begun elsewhere.

        Raises
        ------
        SettingsError, CalibrationError
            If a field makes no sense.
        """
        method, asked, preferred = self.method.method, defaults_of(self.method.method), preferences()
        network, background = takes_tta(method), str(self.background.settings)
        graded = gives_probability(method)
        return BatchSettings(
            method=method,
            options=self.options.values,
            background=None if background == "none" and "background" not in asked else background,
            threshold=self.threshold.value() if graded and not self.automatic.isChecked() else None,
            min_size=_unless(self.min_size.value(), asked.get("min_size", MIN_SIZE)),
            channels=tuple(_parts(self.channels.text())) or None,
            plane=_plane(self.plane.text()),
            pixel_size=self.pixel_size.text().strip() or None,
            tta=(self.tta.tta,) if network and self.tta.tta else None,
            rescale=network and self.rescale.isChecked(),
            tile_size=preferred.tile_size,
            device=preferred.device,
            runtime=preferred.runtime_asked if network else None,
            skip_empty=self.empty.way if network else None,
        )

    def remember(self) -> None:
        """Keep what was chosen for the next time."""
        self._memory.set(
            method=self.method.method,
            automatic=self.automatic.isChecked(),
            threshold=self.threshold.value(),
            min_size=self.min_size.value(),
            tta=self.tta.tta,
            rescale=self.rescale.isChecked(),
            more=self.more.isChecked(),
            pixel_size_of_all=self.pixel_size.text(),
            channels=self.channels.text(),
            plane=self.plane.text(),
        )
        self.background.remember()
        self.empty.remember()
        self.options.remember()

    def _restore(self) -> None:
        memory = self._memory
        self.automatic.setChecked(memory.get("automatic", True))
        self.threshold.setValue(memory.get("threshold", 0.5))
        self.threshold.setDisabled(self.automatic.isChecked())
        self.min_size.setValue(memory.get("min_size", MIN_SIZE))
        self.tta.choose(memory.get("tta", ""))
        self.rescale.setChecked(memory.get("rescale", False))
        self.pixel_size.setText(memory.get("pixel_size_of_all", ""))
        self.channels.setText(memory.get("channels", ""))
        self.plane.setText(memory.get("plane", ""))
        self.more.setChecked(memory.get("more", False))

    # -- rows ----------------------------------------------------------------------------------------------------

    def _on_method(self, method: str) -> None:
        self._show_rows()
        self.changed.emit()

    def _show_rows(self, *event: Any) -> None:
        method = self.method.method
        if self._shown != method:
            self._shown = method
            self.options.show_for(method)
            for option in self.options.fields.values():
                option.changed.connect(self.changed)
            self._take_defaults()
        self.form.setRowVisible(self.threshold_row, gives_probability(method))
        network, shown = takes_tta(method), self.more.isChecked()
        count = self._rarely_set()
        self.more.setText("Fewer choices" if shown else f"More choices ({count} set) …" if count else "More choices …")
        for _, rare in self._rare:
            self.form.setRowVisible(rare, shown and (network or rare not in (self.tta, self.rescale, self.empty)))

    def _rarely_set(self) -> int:
        """Return how many of the choices made rarely are not as usual: hidden, they still hold."""
        network = takes_tta(self.method.method)
        held = (
            self.background.settings != "none",
            network and bool(self.tta.tta),
            network and self.rescale.isChecked(),
            network and self.empty.way is not None,
            bool(self.channels.text().strip()),
            bool(self.plane.text().strip()),
        )
        return sum(held)

    def _take_defaults(self) -> None:
        """Show what a method file was saved with."""
        defaults = defaults_of(self._shown)
        if "background" in defaults:
            self.background.choose(defaults["background"])
        if "min_size" in defaults:
            self.min_size.setValue(defaults["min_size"])
        if "threshold" in defaults:
            self.automatic.setChecked(False)
            self.threshold.setValue(defaults["threshold"])


def _unless(value: int, usual: int) -> int | None:
    return None if value == usual else value


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _plane(text: str) -> tuple[int, ...] | None:
    parts = _parts(text)
    if not all(part.isdecimal() for part in parts):
        raise SettingsError(f"The plane {text!r} is no number, such as 0, or one number per axis, such as 0, 3.")
    return tuple(int(part) for part in parts) or None
