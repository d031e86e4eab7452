"""The widget *Evaluate against truth*: metrics, a layer of errors, and a walk from one error to the next."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Image, Labels
from qtpy.QtWidgets import QApplication, QFileDialog, QFormLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_mpseg.errors import MpsegError
from napari_mpseg.evaluation.metric_sets import DEFAULT_METRICS
from napari_mpseg.evaluation.size import size_unit
from napari_mpseg.gui.evaluate_fields import ParticleValue, min_size_field
from napari_mpseg.gui.evaluate_input import (
    check_same_shape,
    confidence_of,
    may_be_probability,
    pixels_in_view,
    plane_index,
    planes_in_words,
    stored_probability,
    with_particle_value,
)
from napari_mpseg.gui.evaluate_layer import ErrorLayer, ErrorLegend
from napari_mpseg.gui.evaluate_propose import can_be_compared, likely_probability, likely_truth
from napari_mpseg.gui.evaluate_steps import ErrorSteps
from napari_mpseg.gui.evaluate_table import ScoreTable
from napari_mpseg.gui.evaluate_work import Evaluated, evaluate_planes
from napari_mpseg.gui.layer_choice import LayerChoice
from napari_mpseg.gui.memory import Memory
from napari_mpseg.gui.run_panel import RunPanel, WorkingWidget
from napari_mpseg.gui.status_line import note
from napari_mpseg.gui.tick_list import TickList
from napari_mpseg.gui.worker import Job
from napari_mpseg.layers import is_graded, role_of

if TYPE_CHECKING:
    import napari


class EvaluateWidget(WorkingWidget):
    """Compares a prediction layer with a truth layer.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Given by napari.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self._memory = Memory("evaluate")
        self.result: Evaluated | None = None
        self._compared: tuple[Any, Any] = (None, None)
        self._plane: tuple[int, ...] = ()
        self._watched: list[Any] = []
        self._build()
        self.predicted.layer_changed.connect(self._on_layers)
        self.truth.layer_changed.connect(self._on_layers)
        self.predicted.layer_changed.connect(self.predicted_value.suit)
        self.truth.layer_changed.connect(self.truth_value.suit)
        self._viewer.layers.events.removed.connect(self._on_removed)
        for choice, value in ((self.predicted, self.predicted_value), (self.truth, self.truth_value)):
            value.suit(choice.layer)
        self._on_layers()

    # -- the form ------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        layers = self._viewer.layers
        self.hint = note()
        self.predicted = LayerChoice(layers, can_be_compared, preferred=lambda layer: role_of(layer) == "particles")
        self.predicted.setToolTip("What was found: labels or a mask. It is not changed.")
        self.truth = LayerChoice(layers, can_be_compared, preferred=lambda layer: False, none="choose the truth …")
        self.truth.setToolTip("What really is particle: labels or a mask of the same size. It is not changed.")
        self.predicted_value = ParticleValue(self._memory, "predicted")
        self.truth_value = ParticleValue(self._memory, "truth")
        self.probability = LayerChoice(
            layers,
            lambda layer: isinstance(layer, Image) and may_be_probability(layer),
            preferred=lambda layer: False,
            none="none",
        )
        self.probability.setToolTip("The probability behind the prediction, for average precision and the like")
        self.min_size = min_size_field(self._memory)
        self.metrics = TickList()
        self._fill_metrics()
        self.panel = RunPanel("Evaluate", "Compare the plane in view, and show where the two differ")
        self.panel.run_requested.connect(self.run)
        self.form_box = QWidget()
        form = QFormLayout(self.form_box)
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for text, field in (
            ("Prediction", self.predicted),
            ("Particle is", self.predicted_value),
            ("Truth", self.truth),
            ("Particle is", self.truth_value),
            ("Probability", self.probability),
            ("Minimum size", self.min_size),
            ("Metrics", self.metrics),
        ):
            form.addRow(text, field)
        self.panel.busy_changed.connect(self.form_box.setDisabled)
        self._build_results()
        self.lay_out(self.hint, self.form_box, self.panel, self.results)

    def _build_results(self) -> None:
        self.about = note()
        self.table = ScoreTable()
        self.copy_button, self.save_button = QPushButton("Copy"), QPushButton("Save …")
        self.copy_button.setToolTip("Copy the table as text, to be pasted into a spreadsheet")
        self.save_button.setToolTip("Save the table as CSV")
        self.copy_button.clicked.connect(self.copy)
        self.save_button.clicked.connect(self.ask_and_save)
        self.errors = ErrorLayer(self._viewer)
        self.legend = ErrorLegend(self._memory)
        self.legend.changed.connect(self.errors.recolour)
        self.steps = ErrorSteps(self._viewer, self._memory)
        self.results = QWidget()
        column = QVBoxLayout(self.results)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.about)
        column.addWidget(self.table)
        buttons = QHBoxLayout()
        buttons.addWidget(self.copy_button)
        buttons.addWidget(self.save_button)
        column.addLayout(buttons)
        for text, item in (("<b>Errors</b> on the layer", self.legend), ("<b>Errors</b> one by one", self.steps)):
            column.addWidget(note(text))
            column.addWidget(item)
        self.results.hide()

    def _fill_metrics(self) -> None:
        from napari_mpseg.evaluation.metric import METRICS

        entries = [
            (name, f"{entry.title}  ({entry.family})", f"{entry.definition} {entry.undefined}")
            for name, entry in METRICS.items()
        ]
        known = [name for name in self._memory.get("metrics", list(DEFAULT_METRICS)) if name in METRICS]
        self.metrics.fill(entries, known or list(DEFAULT_METRICS))
        self.metrics.setToolTip("What to compute; rest the mouse on one for its definition")

    def _on_layers(self, event: Any = None) -> None:
        predicted = self.predicted.layer
        if predicted is not None:
            for choice, likely in ((self.truth, likely_truth), (self.probability, likely_probability)):
                if choice.layer is None:
                    choice.choose(likely(self._viewer.layers, predicted))
        truth = self.truth.layer
        self.form_box.setVisible(predicted is not None)
        self.panel.allow(predicted is not None and truth is not None and truth is not predicted)
        self.hint.setText(self._missing(predicted, truth))
        self.hint.setVisible(bool(self.hint.text()))
        self._watch([layer for layer in (predicted, truth) if isinstance(layer, Labels)])

    def _missing(self, predicted: Any, truth: Any) -> str:
        if predicted is None:
            return (
                "<b>Nothing to evaluate yet.</b> Find particles with <i>Layers &gt; Segment &gt; Segment particles</i> "
                "or open a labels file, and open or paint the truth: labels or a mask of the same image."
            )
        if truth is None:
            return "<b>Choose the truth</b>: labels or a mask of what really is particle on this image."
        if truth is predicted:
            return "<b>Prediction and truth are the same layer.</b> Choose another one for either."
        return ""

    # -- what is painted after an evaluation ---------------------------------------------------------------------

    def _watch(self, layers: list[Any]) -> None:
        self._unwatch()
        for layer in layers:
            layer.events.paint.connect(self._on_painted)
        self._watched = layers

    def _unwatch(self) -> None:
        for layer in self._watched:
            layer.events.paint.disconnect(self._on_painted)
        self._watched = []

    def _on_painted(self, event: Any = None) -> None:
        if self.result is not None and not self.panel.busy:
            self.panel.status.say("The labels were edited since. Press Evaluate to see the difference.", "warning")

    def _on_removed(self, event: Any) -> None:
        """Let the results go with the layers that they are about."""
        if self.result is None or event.value not in self._compared:
            return
        self.result, self._compared = None, (None, None)
        self.steps.forget()
        self.results.hide()
        if not self.panel.busy:
            self.panel.status.say("")

    # -- the work ------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Compare what the form says."""
        predicted, truth = self.predicted.layer, self.truth.layer
        if predicted is None or truth is None or self.panel.busy:
            return
        if not self.metrics.ticked:
            self.panel.status.say("Tick one metric or more: F1 tells most in one number.", "error")
            return
        from napari_mpseg.images.layers import layer_calibration

        try:
            planes = self._planes(predicted, truth)
            self._plane = plane_index(self._viewer, predicted)
            told = planes_in_words(self._viewer, (predicted, truth))
            calibrations = [layer_calibration(layer) for layer in (predicted, truth)]
        except MpsegError as error:
            self.panel.status.say(str(error), "error")
            return
        self._remember()
        self._compared = (predicted, truth)
        size = next((one.pixel_size_um for one in calibrations if one.calibrated), None)
        job = Job(
            evaluate_planes,
            *planes,
            metrics=self.metrics.ticked,
            min_size=self.min_size.value(),
            pixel_size_um=size,
            name=predicted.name,
            true_value=self.truth_value.value,
            why_no_probability=self._yes_or_no(),
            planes=told,
            confidence=confidence_of(predicted),
            title=f"Evaluating {predicted.name}",
        )
        self.panel.start(job, self._show)

    def _planes(self, predicted: Any, truth: Any) -> tuple[Any, Any, Any]:
        """Return prediction, truth and probability of the plane in view."""
        found, real = pixels_in_view(self._viewer, predicted), pixels_in_view(self._viewer, truth)
        check_same_shape(found, real, (predicted.name, truth.name))
        layer = self.probability.layer
        graded = None
        if layer is not None and is_graded(layer):
            graded = stored_probability(pixels_in_view(self._viewer, layer), layer.name)
            check_same_shape(found, graded, (predicted.name, layer.name))
        return (
            with_particle_value(found, self.predicted_value.value),
            with_particle_value(real, self.truth_value.value),
            graded,
        )

    def _yes_or_no(self) -> str:
        """Return why the layer that was chosen is no probability; empty if it is one."""
        layer = self.probability.layer
        return "" if layer is None or is_graded(layer) else f"{layer.name} says yes or no only"

    def _remember(self) -> None:
        self._memory.set(metrics=self.metrics.ticked, min_size=self.min_size.value())
        self.predicted_value.remember(self.predicted.layer)
        self.truth_value.remember(self.truth.layer)

    def _show(self, result: Evaluated) -> None:
        predicted, truth = self._compared
        if predicted not in self._viewer.layers or truth not in self._viewer.layers:
            self.panel.status.say("A layer was removed meanwhile. Choose another one and press Evaluate.", "warning")
            return
        self.result = result
        self.about.setText(f"<b>{escape(predicted.name)}</b> against {escape(truth.name)}")
        self.table.fill(result.scores, size_unit([result.evidence]).replace("um", "µm"))
        self.results.show()
        layer = self.errors.show(predicted, self._plane, result.errors, self.legend.scheme)
        self.steps.take(result.particles, layer)
        self.panel.status.say(result.in_words(), "warning" if result.notes else "done")

    # -- what becomes of the table -------------------------------------------------------------------------------

    def copy(self) -> None:
        """Put the table on the clipboard, separated by tabs."""
        QApplication.clipboard().setText(self.table.text())

    def ask_and_save(self) -> None:
        """Ask for a file name and save the table."""
        folder = self._memory.get("folder", str(Path.home()))
        name = f"{self._compared[0].name}_metrics.csv"
        path, _ = QFileDialog.getSaveFileName(self, "Save metrics", str(Path(folder) / name), "CSV (*.csv)")
        if path:
            self.save(Path(path) if Path(path).suffix else Path(f"{path}.csv"))

    def save(self, path: Path) -> None:
        """Save the table as CSV."""
        try:
            self.table.save(path)
        except MpsegError as error:
            self.panel.status.say(str(error), "error")
            return
        self._memory.set(folder=str(path.parent))
        self.panel.status.say(f"Metrics saved in {path}.", "done")

    def release(self) -> None:
        """Let go of the viewer's layers and keys."""
        self._unwatch()
        self._viewer.layers.events.removed.disconnect(self._on_removed)
        self.steps.release()
        for choice in (self.predicted, self.truth, self.probability):
            choice.disconnect_layers()
