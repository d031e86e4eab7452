"""The widget *Point pattern*: whether particles lie as if at random, clustered, or apart from each other."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Labels, Shapes
from qtpy.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QPushButton,
    QSpinBox,
    QWidget,
)

from napari_mpseg.errors import MpsegError
from napari_mpseg.gui.layer_choice import LayerChoice
from napari_mpseg.gui.layer_input import frozen
from napari_mpseg.gui.memory import Memory
from napari_mpseg.gui.pattern_figure import PatternFigure
from napari_mpseg.gui.pattern_region import analyse_layer, dropped_labels, layer_region
from napari_mpseg.gui.pixel_size import PixelSizeEdit
from napari_mpseg.gui.run_panel import RunPanel, WorkingWidget
from napari_mpseg.gui.status_line import note
from napari_mpseg.gui.visible import needed_plane
from napari_mpseg.gui.worker import Job
from napari_mpseg.particles.pattern.distances import DISTANCES
from napari_mpseg.particles.pattern.pattern_settings import STATISTICS, PatternSettings
from napari_mpseg.particles.pattern.pattern_tests import DEFAULT_TEST, PATTERN_TESTS
from napari_mpseg.particles.pattern.region import Region

if TYPE_CHECKING:
    import napari

_WHOLE, _ROUND, _LAYER = "whole", "round", "layer"
_REGIONS = (
    (_WHOLE, "Whole image"),
    (_ROUND, "Largest circle in the image"),
    (_LAYER, "A shapes or labels layer"),
)


class PatternWidget(WorkingWidget):
    """Tests the point pattern of the particles of a labels layer.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Given by napari.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self._memory = Memory("pattern")
        self.result: Any = None
        self._source = ""
        self._build()
        self.labels.layer_changed.connect(self._on_labels)
        self.region.currentIndexChanged.connect(self._on_choice)
        self.test.currentIndexChanged.connect(self._on_choice)
        self._on_labels(self.labels.layer)
        self._on_choice()

    # -- the form ------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        layers = self._viewer.layers
        self.hint = note(
            "<b>No labels yet.</b> Find particles with <i>Layers &gt; Segment &gt; Segment particles</i>, or open a "
            "labels file."
        )
        self.labels = LayerChoice(layers, lambda layer: isinstance(layer, Labels))
        self.labels.setToolTip("The particles. Those whose “keep” is off in the layer's table are left out.")
        self.region = _choice(_REGIONS, self._memory.get("region", _WHOLE), "Where particles could have lain")
        self.region_layer = LayerChoice(
            layers, lambda layer: isinstance(layer, (Shapes, Labels)), preferred=lambda layer: isinstance(layer, Shapes)
        )
        self.region_layer.setToolTip("Closed shapes drawn round the filter, or labels painted on it")
        tests = [(name, test.title) for name, test in PATTERN_TESTS.items()]
        self.test = _choice(tests, self._memory.get("test", DEFAULT_TEST), "How the pattern is judged")
        self.about = note()
        distances = [(name, distance.title) for name, distance in DISTANCES.items()]
        self.distance = _choice(distances, self._memory.get("distance", "centroid"), "What is meant by distance")
        for index, distance in enumerate(DISTANCES.values()):
            self.distance.setItemData(index, distance.definition, 3)  # 3 = tool tip
        self.statistic = _choice(
            [(name, name) for name in STATISTICS], self._memory.get("statistic", "median"), "What the plugin compares"
        )
        self.simulations = QSpinBox()
        self.simulations.setRange(39, 99_999)
        self.simulations.setValue(self._memory.get("simulations", 999))
        self.simulations.setToolTip("Random patterns to compare with. More give a steadier p-value and take longer.")
        self.discs = QCheckBox("Particles cannot overlap")
        self.discs.setToolTip(
            "Random patterns are discs of the particles' areas that do not overlap. Without, points that may lie "
            "anywhere: then the mere size of particles can look like avoiding."
        )
        self.discs.setChecked(self._memory.get("discs", True))
        self.separation = QDoubleSpinBox()
        self.separation.setRange(0, 1000)
        self.separation.setSingleStep(0.5)
        self.separation.setDecimals(1)
        self.separation.setSuffix(" px")
        self.separation.setValue(self._memory.get("separation", 1.0))
        self.separation.setToolTip(
            "Empty pixels between the discs: particles that touch are one in a mask. 0 is taken where a tenth or more "
            "of the labels touch another."
        )
        self.discs.toggled.connect(self.separation.setEnabled)
        self.separation.setEnabled(self.discs.isChecked())
        self.pixel_size = PixelSizeEdit(self._memory)
        self.panel = RunPanel("Test pattern", "Compare the particles with random patterns in the same region")
        self.panel.run_requested.connect(self.run)
        self.figure = PatternFigure()
        self.figure.hide()
        self._lay_out_form()

    def _lay_out_form(self) -> None:
        self.form_box = QWidget()
        self.panel.busy_changed.connect(self.form_box.setDisabled)
        self._form = QFormLayout(self.form_box)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for name, field in (
            ("Particles", self.labels),
            ("Region", self.region),
            ("", self.region_layer),
            ("Test", self.test),
            ("", self.about),
            ("Distance", self.distance),
            ("Compares the", self.statistic),
            ("Simulations", self.simulations),
            ("", self.discs),
            ("Kept apart", self.separation),
            ("Pixel size", self.pixel_size),
        ):
            self._form.addRow(name, field)
        self.copy_button, self.save_button = QPushButton("Copy"), QPushButton("Save …")
        self.copy_button.setToolTip("Copy the row of the table, to be pasted into a spreadsheet")
        self.save_button.setToolTip("Save the row of the table as CSV, or everything as JSON")
        self.copy_button.clicked.connect(self.copy)
        self.save_button.clicked.connect(self.ask_and_save)
        buttons = QWidget()
        row = QHBoxLayout(buttons)
        row.setContentsMargins(0, 0, 0, 0)
        for button in (self.copy_button, self.save_button):
            button.setEnabled(False)
            row.addWidget(button)
        self.lay_out(self.hint, self.form_box, self.panel, self.figure, buttons)

    def _on_labels(self, layer: Any) -> None:
        from napari_mpseg.images.layers import layer_calibration

        ready = layer is not None
        self.hint.setVisible(not ready)
        self.form_box.setVisible(ready)
        self.panel.allow(ready)
        if ready:
            self.pixel_size.take(layer_calibration(layer))

    def _on_choice(self, index: int = 0) -> None:
        test = PATTERN_TESTS[self.test.currentData()]
        self.about.setText(("" if test.sound else "<b>Not sound.</b> ") + escape(test.definition))
        self._form.setRowVisible(self.region_layer, self.region.currentData() == _LAYER)
        self._form.setRowVisible(self.statistic, test.name == "biovoxxel")
        for field in (self.simulations, self.discs, self.separation):
            self._form.setRowVisible(field, test.simulates)

    # -- the work ------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Start the test that the form asks for."""
        layer = self.labels.layer
        if layer is None or self.panel.busy:
            return
        data = layer.data[0] if layer.multiscale else layer.data
        shape = (int(data.shape[-2]), int(data.shape[-1]))
        try:
            plane, calibration = needed_plane(self._viewer, layer), self.pixel_size.calibration
            region = self._region(layer, shape, plane)
            settings = PatternSettings(
                simulations=self.simulations.value(),
                non_overlapping=self.discs.isChecked(),
                separation=self.separation.value(),
                statistic=self.statistic.currentData(),
            )
        except MpsegError as error:
            self.panel.status.say(str(error), "error")
            return
        self._remember()
        self._source = layer.name
        job = Job(
            analyse_layer,
            frozen(data[plane]),
            dropped_labels(layer.features),
            region=region,
            calibration=calibration,
            test=self.test.currentData(),
            distance=self.distance.currentData(),
            settings=settings,
            title=f"Testing the pattern of {layer.name}",
        )
        self.panel.start(job, self._show)

    def _region(self, layer: Any, shape: tuple[int, int], plane: tuple[int, ...]) -> Region:
        chosen = self.region.currentData()
        if chosen == _LAYER:
            return layer_region(self.region_layer.layer, layer, shape, plane)
        return Region.circle(shape) if chosen == _ROUND else Region.rectangle(shape)

    def _remember(self) -> None:
        self.pixel_size.remember()
        self._memory.set(
            region=self.region.currentData(),
            test=self.test.currentData(),
            distance=self.distance.currentData(),
            statistic=self.statistic.currentData(),
            simulations=self.simulations.value(),
            discs=self.discs.isChecked(),
            separation=self.separation.value(),
        )

    def _show(self, result: Any) -> None:
        self.result = result
        first, _, rest = result.in_words().partition(":")
        lines = [f"<b>{escape(first.capitalize())}</b>:{escape(rest)}", f"Region: {escape(result.region)}."]
        lines += [escape(text) for text in result.notes]
        sound = PATTERN_TESTS[result.test].sound
        self.panel.status.say("".join(f"<div>{line}</div>" for line in lines), "done" if sound else "warning")
        self.figure.show_result(result)
        self.figure.show()
        for button in (self.copy_button, self.save_button):
            button.setEnabled(True)

    # -- what becomes of the result ------------------------------------------------------------------------------

    def _row(self) -> Any:
        frame = self.result.to_frame()
        frame.insert(0, "layer", self._source)
        return frame

    def copy(self) -> None:
        """Put the row and its heading on the clipboard, separated by tabs."""
        QApplication.clipboard().setText(self._row().to_csv(sep="\t", index=False))

    def ask_and_save(self) -> None:
        """Ask for a file name and save the result."""
        folder = self._memory.get("folder", str(Path.home()))
        path, chosen = QFileDialog.getSaveFileName(
            self,
            "Save point pattern",
            str(Path(folder) / f"{self._source}_pattern.csv"),
            "CSV (*.csv);;JSON, with settings and notes (*.json)",
        )
        if path:
            self.save(Path(path) if Path(path).suffix else Path(path + (".json" if "json" in chosen else ".csv")))

    def save(self, path: Path) -> None:
        """Save the last result; the ending decides between CSV and JSON."""
        from napari_mpseg.files import finished_at

        try:
            if path.suffix.lower() not in (".csv", ".json"):
                raise MpsegError(f"A result cannot be saved as {path.suffix!r}. Name the file .csv or .json.")
            with finished_at(path) as part:
                if path.suffix.lower() == ".json":
                    told = {"layer": self._source, **self.result.to_dict()}
                    part.write_text(json.dumps(told, indent=1, ensure_ascii=False), encoding="utf-8")
                else:
                    self._row().to_csv(part, index=False, encoding="utf-8")
        except MpsegError as error:
            self.panel.status.say(str(error), "error")
            return
        self._memory.set(folder=str(path.parent))

    def release(self) -> None:
        """Let go of the viewer's layers."""
        self.labels.disconnect_layers()
        self.region_layer.disconnect_layers()


def _choice(entries: Any, chosen: str, tip: str) -> QComboBox:
    """Return a drop-down of (value, text) pairs; an unknown value chooses the first."""
    box = QComboBox()
    for value, text in entries:
        box.addItem(text, value)
    box.setCurrentIndex(max(0, box.findData(chosen)))
    box.setToolTip(tip)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(12)
    return box
