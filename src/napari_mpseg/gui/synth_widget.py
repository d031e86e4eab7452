"""The widget *Make a synthetic image*: filters and electron micrographs of any size, with exact truth."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QComboBox, QFormLayout, QPushButton, QWidget

from napari_mpseg.errors import MpsegError
from napari_mpseg.gui.memory import Memory
from napari_mpseg.gui.run_panel import RunPanel, WorkingWidget
from napari_mpseg.gui.status_line import note
from napari_mpseg.gui.synth_form import SettingsForm
from napari_mpseg.gui.synth_places import ask_name, may_replace
from napari_mpseg.gui.synth_preview import SynthPreview
from napari_mpseg.gui.synth_work import MadeLayers, add_layers, make_layers, save
from napari_mpseg.gui.worker import Job
from napari_mpseg.synthesis.microscopes import MICROSCOPES

if TYPE_CHECKING:
    import napari

VARIANT_TIPS = {
    "stitched": "A filter scanned field by field: dark membrane, seams between fields, halos, dust and noise",
    "red": "A membrane that glows red itself, and strong halos around particles",
    "dim": "Faint particles on an uneven, noisy membrane",
    "sediment": "Particles among sediment and plant debris on a stained membrane",
    "clean": "Little sediment and few stains: an easy filter",
    "camouflage": "Many transparent and white particles, much sediment and dark stains: a hard filter",
    "agglomerates": "Nanoparticles in touching agglomerates, and single ones",
    "single": "Fewer nanoparticles, scattered at random; few touch",
    "bare": "Particles alone, without noise, blur or clutter: to check a method's arithmetic",
}


class SynthWidget(WorkingWidget):
    """Makes synthetic images.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Given by napari.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self._memory = Memory("synthesize")
        self._build()
        self.look.currentIndexChanged.connect(self._on_look)
        self.variant.currentIndexChanged.connect(self._on_variant)
        self.form.changed.connect(self._on_change)
        self._looks = self._remembered()  # variant and values, by look
        self._shown = self.look.currentData()
        self._show_kept()

    def _build(self) -> None:
        hint = note(
            "A made-up image of which every particle is known, to try methods on, to measure how well they do, and to "
            "train with."
        )
        self.look = _box("Through which microscope the image is seen")
        for name, microscope in MICROSCOPES.items():
            self.look.addItem(microscope.title, name)
            self.look.setItemData(self.look.count() - 1, microscope.summary.capitalize(), 3)  # 3 = tool tip
        self.look.setCurrentIndex(max(0, self.look.findData(self._memory.get("look", "fluorescence"))))
        self.variant = _box("Settings to begin with. “bare” has neither noise nor clutter.")
        self.form = SettingsForm()
        self.back = QPushButton("Back to the usual settings")
        self.back.setToolTip("Forget what was changed in this look")
        self.back.clicked.connect(lambda: self._show_form({}))
        self.preview = SynthPreview(self._memory.get("truth", False))
        self.panel = RunPanel("Make image", "Add the image and its truth as new layers")
        self.panel.run_requested.connect(self.run)
        self.preview.failed.connect(lambda text: self.panel.status.say(text, "error"))
        self.save_button = QPushButton("Save to files …")
        self.save_button.setToolTip(
            "Write image, truth and settings as OME-TIFF or OME-Zarr, tile by tile, of any size"
        )
        self.save_button.clicked.connect(self.ask_and_save)
        choice = QWidget()
        rows = QFormLayout(choice)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        rows.addRow("Look", self.look)
        rows.addRow("Begin with", self.variant)
        for box in (choice, self.form, self.back, self.save_button):
            self.panel.busy_changed.connect(box.setDisabled)
        # the form is long: what starts the work stands above it, where it is in view
        self.lay_out(hint, choice, self.preview, self.panel, self.save_button, self.form, self.back)

    # -- the form ------------------------------------------------------------------------------------------------

    @property
    def settings(self) -> Any:
        """What the form asks for.

        Raises
        ------
        SettingsError
            If it cannot be made.
        """
        return self.form.settings

    def _fill_variants(self, chosen: str = "") -> None:
        self.variant.blockSignals(True)
        self.variant.clear()
        for name in MICROSCOPES[self.look.currentData()].variants:
            self.variant.addItem(name)
            self.variant.setItemData(self.variant.count() - 1, VARIANT_TIPS.get(name, ""), 3)  # 3 = tool tip
        self.variant.setCurrentIndex(max(0, self.variant.findText(chosen)))
        self.variant.blockSignals(False)

    def _on_look(self) -> None:
        """Show another look as it was when it was last seen."""
        self._keep()
        self._shown = self.look.currentData()
        self.panel.status.say("")  # it was about the other look
        self._show_kept()

    def _show_kept(self) -> None:
        kept = self._looks.get(self._shown, {})
        self._fill_variants(str(kept.get("variant", "")))
        values = kept.get("values")
        self._show_form(values if isinstance(values, dict) else {})

    def _keep(self) -> None:
        """Keep what was chosen in the look that is shown."""
        self._looks[self._shown] = {"variant": self.variant.currentText(), "values": self.form.values}

    def _on_variant(self) -> None:
        """Take the look of the variant and leave what lies on the filter as it is."""
        kept = {path: value for path, value in self.form.values.items() if not path.startswith("look.")}
        self._show_form(kept)

    def _show_form(self, values: dict[str, Any]) -> None:
        self.form.show_for(MICROSCOPES[self.look.currentData()].variant(self.variant.currentText()), values)

    def _on_change(self) -> None:
        self.back.setVisible(bool(self.form.values))
        try:
            settings = self.settings
        except MpsegError as error:
            self.panel.status.say(str(error), "error")
            self.panel.allow(False)
            self.preview.show_for(None)
            return
        if self.panel.status.kind == "error":
            self.panel.status.say("")
        self.panel.allow(True)
        self.preview.show_for(settings)

    # -- the work ------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Make the image and add it."""
        self._start(make_layers, "Making a synthetic image", self._add)

    def _add(self, shown: MadeLayers) -> None:
        image, _ = add_layers(self._viewer, shown)
        words = f"<b>{shown.made.n_particles:,} particles</b> in {escape(image.name)}"
        if shown.lazy:
            words += (
                "<div>It is made where you look at it. From afar it shows membrane and particles alone; zoom in to "
                "see texture, clutter and noise.</div>"
            )
        self.panel.status.say(words, "done")

    def ask_and_save(self) -> None:
        """Ask for a file name, and whether what lies there may be replaced, and write the image there."""
        path = ask_name(self, self._memory.get("folder", str(Path.home())))
        if not path:
            return
        try:
            overwrite = may_replace(self, path)
        except MpsegError as error:
            self.panel.status.say(escape(str(error)), "error")
            return
        if overwrite is not None:
            self.save(path, overwrite)

    def save(self, path: str, overwrite: bool = False) -> None:
        """Write image, truth and settings to files of this name."""
        self._memory.set(folder=str(Path(path).parent))
        self._start(save, f"Writing {Path(path).name}", self._say_saved, path, overwrite)

    def _say_saved(self, places: dict[str, Path]) -> None:
        lines = "".join(f"<div>{escape(str(place))}</div>" for place in places.values())
        self.panel.status.say(f"Saved:{lines}", "done")

    def _start(self, work: Any, title: str, on_success: Any, *more: Any) -> None:
        if self.panel.busy:
            return
        try:
            settings = self.settings
        except MpsegError as error:
            self.panel.status.say(str(error), "error")
            return
        self._remember()
        self.panel.start(Job(work, settings, *more, title=title), on_success)

    def _remember(self) -> None:
        self._keep()
        truth = self.preview.truth.isChecked()
        self._memory.set(look=self._shown, looks=json.dumps(self._looks), truth=truth)

    def _remembered(self) -> dict[str, dict[str, Any]]:
        try:
            found = json.loads(self._memory.get("looks", "{}"))
        except ValueError:
            return {}
        return {look: kept for look, kept in found.items() if isinstance(kept, dict)} if isinstance(found, dict) else {}

    def release(self) -> None:
        """Stop the preview."""
        self.preview.release()


def _box(tip: str) -> QComboBox:
    box = QComboBox()
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(12)
    box.setToolTip(tip)
    return box
