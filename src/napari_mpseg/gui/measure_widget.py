"""The widget *Measure particles*: a table for labels that are there already, painted, loaded or corrected."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Image, Labels
from qtpy.QtWidgets import QCheckBox, QComboBox, QFileDialog, QFormLayout, QPushButton, QWidget

from napari_mpseg.errors import MpsegError
from napari_mpseg.gui.layer_choice import LayerChoice
from napari_mpseg.gui.layer_input import frozen, snapshot_stack
from napari_mpseg.gui.measuring import Measured, measure_labels
from napari_mpseg.gui.memory import Memory
from napari_mpseg.gui.particle_table import make_table_quick, show_table
from napari_mpseg.gui.pixel_size import PixelSizeEdit
from napari_mpseg.gui.run_panel import RunPanel, WorkingWidget
from napari_mpseg.gui.status_line import note
from napari_mpseg.gui.summary import measured_summary
from napari_mpseg.gui.tick_list import TickList
from napari_mpseg.gui.worker import Job
from napari_mpseg.layers import role_of, space_of, unique_name
from napari_mpseg.particles.perimeters import PERIMETERS
from napari_mpseg.particles.properties import property_sets

if TYPE_CHECKING:
    import napari


def _note_how(layer: Any, table: Any) -> None:
    """Keep with the layer how it was measured, so that a review measures edited particles in the same way."""
    record = dict(layer.metadata.get("napari-mpseg", {}))
    provenance = dict(record.get("provenance", {}))
    measured = {name: table.provenance["settings"][name] for name in ("properties", "perimeter")}
    provenance["settings"] = {**provenance.get("settings", {}), **measured}
    layer.metadata["napari-mpseg"] = {**record, "provenance": provenance}


class MeasureWidget(WorkingWidget):
    """Measures the particles of a labels layer.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Given by napari.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self._memory = Memory("measure")
        self._target: Any = None
        self._table: Any = None
        self._build()
        self.labels.layer_changed.connect(self._on_labels)
        self.image.layer_changed.connect(self._on_image)
        self._on_labels(self.labels.layer)

    def _build(self) -> None:
        layers = self._viewer.layers
        self.labels = LayerChoice(layers, lambda layer: isinstance(layer, Labels))
        self.labels.setToolTip("The labels to measure: each number is one particle. They are not changed.")
        self.image = LayerChoice(
            layers, lambda layer: isinstance(layer, Image), preferred=lambda layer: False, none="none: shapes only"
        )
        self.image.setToolTip("The image under the labels, for the brightness of the particles")
        self.pixel_size = PixelSizeEdit(self._memory)
        self.sets = TickList()
        self.sets.setToolTip("What to measure, by sets of properties; the sets and each property are in the docs.")
        sets = {name: members for name, members in property_sets().items() if name != "all"}
        texts = [
            (name, name, ", ".join(members).replace("_", " "))
            for name, members in sorted(sets.items(), key=lambda one: (one[0] != "default", one[0]))
        ]
        self.sets.fill(texts, [name for name in self._memory.get("sets", ["default"]) if name in sets] or ["default"])
        self.perimeter = QComboBox()
        self.perimeter.addItems(list(PERIMETERS))
        self.perimeter.setToolTip(
            "Estimator of perimeter and circularity: ImageJ's, to compare with its tables; or Crofton's, which does "
            "not depend on how a particle lies and comes closer to the true length of large ones."
        )
        self.perimeter.setCurrentText(self._memory.get("perimeter", "imagej"))
        self.renumber = QCheckBox("Renumber, into a new layer")
        self.renumber.setToolTip(
            "Number the connected pieces 1, 2, 3 … in a copy, and measure that. Your labels stay as they are."
        )
        self.renumber.setChecked(self._memory.get("renumber", False))
        self.hint = note(
            "<b>No labels yet.</b> Find particles with <i>Layers &gt; Segment &gt; Segment particles</i>, open a "
            "labels file, or paint on a new labels layer."
        )
        self.panel = RunPanel("Measure", "Measure every particle and show the table")
        self.panel.run_requested.connect(self.run)
        self.save_button = QPushButton("Save table …")
        self.save_button.setToolTip("Save the last measured table as CSV, or as Parquet with units")
        self.save_button.setEnabled(False)
        self.save_button.clicked.connect(self.ask_and_save)
        self.form_box = QWidget()
        self.panel.busy_changed.connect(self.form_box.setDisabled)
        form = QFormLayout(self.form_box)
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Labels", self.labels)
        form.addRow("Image", self.image)
        form.addRow("Pixel size", self.pixel_size)
        form.addRow("Measure", self.sets)
        form.addRow("Perimeter", self.perimeter)
        form.addRow("", self.renumber)
        self.lay_out(self.hint, self.form_box, self.panel, self.save_button)

    def _on_labels(self, layer: Any) -> None:
        ready = layer is not None
        self.hint.setVisible(not ready)
        self.form_box.setVisible(ready)
        self.panel.allow(ready)
        if ready:
            self._show_pixel_size(layer)
            self._propose_image(layer)

    def _on_image(self, layer: Any) -> None:
        if self.labels.layer is not None:
            self._show_pixel_size(self.labels.layer)

    def _show_pixel_size(self, layer: Any) -> None:
        from napari_mpseg.images.layers import layer_calibration

        calibration = layer_calibration(layer)
        if not calibration.calibrated and self.image.layer is not None:
            calibration = layer_calibration(self.image.layer)
        self.pixel_size.take(calibration)

    def _propose_image(self, labels: Any) -> None:
        """Choose the image that the labels were made from, where a layer of that name and size is there."""
        record = labels.metadata.get("napari-mpseg", {}) if isinstance(labels.metadata, dict) else {}
        for layer in self._viewer.layers:
            if isinstance(layer, Image) and layer.name == record.get("source") and not role_of(layer):
                self.image.choose(layer)

    def _probabilities(self, labels: Any) -> list[Any]:
        """Return the planes of the probability that the labels were made from, where it is there: the confidence."""
        record = labels.metadata.get("napari-mpseg", {}) if isinstance(labels.metadata, dict) else {}
        shape = (labels.data[0] if labels.multiscale else labels.data).shape
        for layer in self._viewer.layers:
            if not isinstance(layer, Image) or role_of(layer) != "probability":
                continue
            same = layer.metadata["napari-mpseg"].get("source") == record.get("source")
            if same and (layer.data[0] if layer.multiscale else layer.data).shape == shape:
                stack = snapshot_stack(layer)
                return [stack.image(index) for index in stack.plane_indices()]
        return []

    def run(self) -> None:
        """Start measuring what the form says."""
        layer = self.labels.layer
        if layer is None or self.panel.busy:
            return
        if not self.sets.ticked:
            self.panel.status.say("Tick what to measure: “default” is what most need.", "error")
            return
        try:
            calibration = self.pixel_size.calibration
            images: list[Any] = []
            if self.image.layer is not None:
                stack = snapshot_stack(self.image.layer)
                images = [stack.image(index) for index in stack.plane_indices()]
            probabilities = self._probabilities(layer)
        except MpsegError as error:
            self.panel.status.say(str(error), "error")
            return
        self._memory.set(
            renumber=self.renumber.isChecked(), sets=self.sets.ticked, perimeter=self.perimeter.currentText()
        )
        self.pixel_size.remember()
        self._target = layer
        data = frozen(layer.data[0] if layer.multiscale else layer.data)
        job = Job(
            measure_labels,
            data,
            images,
            calibration=calibration,
            renumber=self.renumber.isChecked(),
            probabilities=probabilities,
            properties=self.sets.ticked,
            perimeter=self.perimeter.currentText(),
            title=f"Measuring {layer.name}",
        )
        self.panel.start(job, self._show)

    def _show(self, measured: Measured) -> None:
        layer, table = self._target, measured.table
        make_table_quick(self._viewer)
        if layer not in self._viewer.layers:
            self.panel.status.say("The labels layer was removed meanwhile; the table can still be saved.", "warning")
        elif measured.labels is not None:
            layer = self._viewer.add_labels(
                measured.labels,
                name=unique_name(self._viewer, f"{layer.name} renumbered"),
                features=measured.features,
                metadata={
                    "napari-mpseg": {
                        "role": "particles",
                        "source": layer.name,
                        "provenance": dict(measured.table.provenance),
                    }
                },
                **space_of(layer),
            )
        elif "index" in layer.features:
            from napari_mpseg.particles.reviewable import with_decisions

            # those of now: somebody may have gone on deciding while this was measured
            table = with_decisions(table, layer.features)
            layer.features = table.to_features()
        else:
            layer.features = measured.features
        self._table, self._target = table, layer
        _note_how(layer, table)
        self.save_button.setEnabled(True)
        if layer in self._viewer.layers:
            show_table(self._viewer, layer)
            self.panel.status.say(measured_summary(measured, layer.name), "warning" if measured.notes else "done")

    def ask_and_save(self) -> None:
        """Ask for a file name and save the table."""
        folder = self._memory.get("folder", str(Path.home()))
        name = f"{self._target.name}.csv" if self._target is not None else "particles.csv"
        path, chosen = QFileDialog.getSaveFileName(
            self, "Save table", str(Path(folder) / name), "CSV (*.csv);;Parquet, with units (*.parquet)"
        )
        if path:
            self.save(Path(path) if Path(path).suffix else Path(path + (".parquet" if "parquet" in chosen else ".csv")))

    def save(self, path: Path) -> None:
        """Save the table as it is now, with what was decided since; the ending decides between CSV and Parquet."""
        try:
            self._table = self._table_of_now()
            if path.suffix.lower() == ".parquet":
                self._table.to_parquet(path)
            elif path.suffix.lower() == ".csv":
                self._table.to_csv(path)
            else:
                raise MpsegError(f"A table cannot be saved as {path.suffix!r}. Name the file .csv or .parquet.")
        except MpsegError as error:
            self.panel.status.say(str(error), "error")
            return
        self._memory.set(folder=str(path.parent))
        self.panel.status.say(f"{len(self._table):,} particles saved in {path}.", "done")

    def _table_of_now(self) -> Any:
        """Return the last table as its layer has it now; as it was measured, if the layer is gone."""
        from napari_mpseg.particles.table import ParticleTable

        layer = self._target
        if layer not in self._viewer.layers or "index" not in layer.features:
            return self._table
        now = ParticleTable.from_features(layer.features, self._table.calibration)
        return replace(now, provenance=self._table.provenance)

    def release(self) -> None:
        """Let go of the viewer's layers."""
        self.labels.disconnect_layers()
        self.image.disconnect_layers()
