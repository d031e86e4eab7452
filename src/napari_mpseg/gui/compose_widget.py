"""The widget *Compose training images*: particles of a labelled image pasted onto other backgrounds, with truth."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Labels
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QCheckBox, QComboBox, QFormLayout, QHBoxLayout, QPushButton, QSpinBox, QWidget

from napari_mpseg.errors import MpsegError, SettingsError
from napari_mpseg.gui.batch_paths import PathEdit, ask_folder
from napari_mpseg.gui.compose_form import ComposeForm, in_line
from napari_mpseg.gui.compose_preview import ExampleLayers, is_example
from napari_mpseg.gui.compose_watch import LayerVersions
from napari_mpseg.gui.compose_work import Materials, example, free_place, write
from napari_mpseg.gui.layer_choice import LayerChoice
from napari_mpseg.gui.memory import Memory
from napari_mpseg.gui.run_panel import RunPanel, WorkingWidget
from napari_mpseg.gui.status_line import note
from napari_mpseg.gui.train_inputs import Snapshots, can_be_learnt_from, pair_problem, snapshot_pairs
from napari_mpseg.gui.worker import Job

if TYPE_CHECKING:
    import napari

_SETTLED = 500  # milliseconds after the last change before an example is made


class ComposeWidget(WorkingWidget):
    """Makes semi-synthetic training images from an image layer and its labels.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Given by napari.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self._memory = Memory("compose")
        self._materials: tuple[Any, Materials] | None = None  # with the key of what they were gathered from
        self._versions = LayerVersions(self._on_settings)
        self._index = 0
        self._example_job: Job | None = None
        self._again = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SETTLED)
        self._timer.timeout.connect(self._make_example)
        self._build()
        self.image.layer_changed.connect(self._on_layers)
        self.labels.layer_changed.connect(self._on_layers)
        self._on_layers()

    # -- the form ------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        layers = self._viewer.layers
        self.hint = note()
        self.image = LayerChoice(layers, can_be_learnt_from, preferred=can_be_learnt_from)
        self.image.setToolTip("The image that particles are cut out of, and pasted onto. It is not changed.")
        self.labels = LayerChoice(layers, lambda layer: isinstance(layer, Labels) and not is_example(layer))
        self.labels.setToolTip("Its particles: one number each, or a mask. All that is 0 is taken as background.")
        self.form = ComposeForm(self._memory)
        self.live = QCheckBox("Live preview beside the image")
        self.live.setToolTip("Show one composed image with its truth in layers of their own, made anew at every change")
        self.another = QPushButton("Another")
        self.another.setToolTip("Show the next of the images that would be written")
        self.told = note()
        self.count = QSpinBox()
        self.count.setRange(1, 10**6)
        self.count.setValue(self._memory.get("count", 200))
        self.count.setToolTip("How many images are written")
        self.folder = PathEdit(
            "folder to write into",
            "The images come into a new folder in this one; nothing that is there is changed",
            [("…", "Choose a folder", ask_folder("Write composed images into"))],
        )
        self.folder.choose([folder] if (folder := self._memory.get("folder", "")) else [])
        self.kind = QComboBox()
        for text, ending in (("pictures, and labels beside them", ""), ("one zarr", ".zarr")):
            self.kind.addItem(text, ending)
        self.kind.setCurrentIndex(max(0, self.kind.findData(self._memory.get("kind", ""))))
        self.kind.setToolTip("Training takes the pictures as they are; a zarr is for programs of your own")
        self.panel = RunPanel("Write images", "Compose all images and write them with their truth")
        self.panel.cancel_button.setToolTip("Stop after the current image. Nothing is left behind.")
        self.panel.run_requested.connect(self.run)
        self._lay_out_form()
        self.form.changed.connect(self._on_settings)
        self.live.toggled.connect(self._on_live)
        self.another.clicked.connect(self._next)
        self.examples = ExampleLayers(self._viewer, lambda: self.live.setChecked(False))

    def _lay_out_form(self) -> None:
        self.layers_box, self.form_box = QWidget(), QWidget()
        choices, rest = QFormLayout(self.layers_box), QFormLayout(self.form_box)
        for form in (choices, rest):
            form.setContentsMargins(0, 0, 0, 0)
            form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        choices.addRow("Image", self.image)
        choices.addRow("Labels", self.labels)
        preview = QWidget()
        row = QHBoxLayout(preview)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.live, 1)
        row.addWidget(self.another)
        rest.addRow(self.form)
        rest.addRow(preview)
        rest.addRow(self.told)
        rest.addRow("Images", self.count)
        rest.addRow("Write into", self.folder)
        rest.addRow("As", self.kind)
        in_line(choices, self.form.form, rest)
        self.panel.busy_changed.connect(self.form_box.setDisabled)
        self.panel.busy_changed.connect(self.layers_box.setDisabled)
        self.lay_out(self.layers_box, self.hint, self.form_box, self.panel)

    # -- what there is -------------------------------------------------------------------------------------------

    def _on_layers(self, layer: Any = None) -> None:
        image, labels = self.image.layer, self.labels.layer
        self.layers_box.setVisible(image is not None or labels is not None)
        problem = pair_problem(image, labels) if image is not None and labels is not None else ""
        self.hint.setText(
            "<b>No labelled image yet.</b> Open an image, and its particles as a labels layer: painted, from a file, "
            "or found with <i>Layers &gt; Segment &gt; Segment particles</i>."
            if image is None or labels is None
            else escape(problem)
        )
        ready = image is not None and labels is not None and not problem
        self.hint.setVisible(not ready)
        self.form_box.setVisible(ready)
        self.told.setText("")
        if not ready:
            self.live.setChecked(False)
        self.panel.allow(ready)
        self._on_settings()

    def _inputs(self) -> tuple[Materials | None, list[tuple[Any, Any]], Any]:
        """Return the materials where they are known, else what to gather them from, and their key."""
        image, labels = self.image.layer, self.labels.layer
        key = (image, self._versions.of(image), labels, self._versions.of(labels), self.form.cutting)
        if self._materials is not None and self._materials[0] == key:
            return self._materials[1], [], key
        return None, snapshot_pairs([(image, labels)], Snapshots()), key

    # -- the example ---------------------------------------------------------------------------------------------

    def _on_settings(self) -> None:
        if self.live.isChecked():
            self._timer.start()

    def _on_live(self, on: bool) -> None:
        self.another.setEnabled(on)
        if on:
            self._make_example()
        else:
            self._timer.stop()
            self.told.setText("")
            self.examples.take_away()

    def _next(self) -> None:
        self._index += 1
        self.live.setChecked(True)
        self._make_example()

    def _make_example(self) -> None:
        if self._example_job is not None:
            self._again = True
            return
        if self.form_box.isHidden() or not self.live.isChecked():
            return
        try:
            settings = self.form.settings
            known, pairs, key = self._inputs()
        except MpsegError as error:
            self.told.setText(escape(str(error)))
            return
        job = Job(example, known, pairs, self.form.cutting, settings, self._index, title="Composing", activity=False)
        source = self.image.layer
        job.succeeded.connect(lambda found: self._show(found, key, source))
        job.failed.connect(lambda text: self.told.setText(escape(text)))
        job.ended.connect(self._example_ended)
        self._example_job = job
        job.start()

    def _show(self, found: Any, key: Any, source: Any) -> None:
        materials, made = found
        self._materials = (key, materials)
        if not self.live.isChecked():
            return
        self.examples.show(made, source)
        own = sum(particle.source == "background" for particle in made.particles)
        text = f"Image {self._index + 1}: {made.count - own} pasted, of {len(materials.cutouts)} cutouts"
        self.told.setText(f"{text}; {own} of the background." if own else f"{text}.")

    def _example_ended(self) -> None:
        self._example_job = None
        if self._again:
            self._again = False
            self._make_example()

    # -- writing -------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Start writing."""
        if self.panel.busy or self.form_box.isHidden():
            return
        try:
            settings = self.form.settings
            folder = self._folder()
            known, pairs, _ = self._inputs()
        except MpsegError as error:
            self.panel.status.say(str(error), "error")
            return
        self._remember()
        target = free_place(folder, self.image.layer.name, self.kind.currentData())
        job = Job(
            write,
            known,
            pairs,
            self.form.cutting,
            settings,
            self.count.value(),
            target,
            title=f"Composing images of {self.image.layer.name}",
        )
        self.panel.start(job, self._written)

    def _folder(self) -> Path:
        if not self.folder.path:
            raise SettingsError("No folder is chosen. Choose one to write the images into.")
        return Path(self.folder.path)

    def _written(self, result: tuple[Path, int]) -> None:
        target, cutouts = result
        self.panel.status.say(
            f"{self.count.value()} images of {cutouts} cutouts are in <b>{escape(str(target))}</b>.", "done"
        )

    def _remember(self) -> None:
        self.form.remember()
        self._memory.set(count=self.count.value(), folder=self.folder.path, kind=self.kind.currentData())

    def release(self) -> None:
        """Let go of the viewer's layers; the example goes."""
        self._timer.stop()
        job, self._example_job, self._again = self._example_job, None, False
        if job is not None:
            job.abandon()
        self._versions.stop()
        for choice in (self.image, self.labels):
            choice.disconnect_layers()
        self.examples.disconnect_layers()
