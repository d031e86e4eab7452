"""The widget *Choose a threshold*: see the count at every threshold of a probability, and take the one that fits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari.layers import Image, Labels
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from napari_mpseg.errors import MpsegError
from napari_mpseg.gui.evaluate_fields import ParticleValue, min_size_field
from napari_mpseg.gui.evaluate_input import (
    check_same_shape,
    may_be_mask,
    may_be_probability,
    plane_in_view,
    plane_index,
    stored_probability,
    with_particle_value,
)
from napari_mpseg.gui.layer_choice import LayerChoice
from napari_mpseg.gui.memory import Memory, preferences
from napari_mpseg.gui.particle_table import make_table_quick, show_table
from napari_mpseg.gui.run_panel import RunPanel, WorkingWidget
from napari_mpseg.gui.status_line import note
from napari_mpseg.gui.summary import summary
from napari_mpseg.gui.threshold_aims import AimChoice
from napari_mpseg.gui.threshold_plot import ThresholdPlot, in_words
from napari_mpseg.gui.threshold_preview import ThresholdPreview
from napari_mpseg.gui.threshold_store import ask_and_store
from napari_mpseg.gui.threshold_work import (
    HIGHEST,
    LOWEST,
    Curves,
    count_everywhere,
    how_it_was_made,
    labels_at,
    level_of,
    source_image,
    threshold_of,
)
from napari_mpseg.gui.worker import Job
from napari_mpseg.layers import add_labels, role_of

if TYPE_CHECKING:
    import napari

_USUAL = 0.5


class ThresholdWidget(WorkingWidget):
    """Chooses the threshold of a probability layer.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Given by napari.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self._memory = Memory("threshold")
        self.curves: Curves | None = None
        self._counted: Any = None
        self._counting: Any = None
        self._target: Any = None
        self._plane: tuple[int, ...] = ()
        self._own = _USUAL
        self._chosen: dict[str, Any] = {}
        self._build()
        self.probability.layer_changed.connect(self._on_probability)
        for emitter in (self.truth.layer_changed, self.particle.changed, self.min_size.valueChanged):
            emitter.connect(self._on_inputs)
        self._viewer.dims.events.current_step.connect(self._on_inputs)
        self._on_probability(self.probability.layer)

    # -- the form ------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        layers = self._viewer.layers
        self.hint = note(
            "<b>No probability yet.</b> Segment an image with a network: <i>Layers &gt; Segment &gt; Segment "
            "particles</i> adds one. Any image layer with values from 0 to 1, or 0 to 255 in bytes, will do too."
        )
        self.probability = LayerChoice(
            layers,
            lambda layer: isinstance(layer, Image) and may_be_probability(layer),
            preferred=lambda layer: role_of(layer) == "probability",
        )
        self.probability.setToolTip("The probability of a result. It is not changed.")
        self.truth = LayerChoice(
            layers,
            lambda layer: isinstance(layer, (Labels, Image)) and may_be_mask(layer),
            preferred=lambda layer: False,
            none="none: counts only",
        )
        self.truth.setToolTip("Labels or a mask of what really is particle, for precision, recall and the aims below")
        self.particle = ParticleValue(self._memory, "truth")
        self.min_size = min_size_field(self._memory)
        self.panel = RunPanel("Count", "Count the particles at every threshold; the slider then answers at once")
        self.panel.run_requested.connect(self.run)
        self.form_box = QWidget()
        self.form = QFormLayout(self.form_box)
        self.form.setContentsMargins(0, 0, 0, 0)
        self.form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for text, field in (
            ("Probability", self.probability),
            ("Truth", self.truth),
            ("Particle is", self.particle),
            ("Minimum size", self.min_size),
        ):
            self.form.addRow(text, field)
        self._build_choice()
        self.panel.busy_changed.connect(self.form_box.setDisabled)
        self.panel.busy_changed.connect(self._allow)
        self.lay_out(self.hint, self.form_box, self.panel, self.choice_box)

    def _build_choice(self) -> None:
        self.slider, self.number = QSlider(Qt.Orientation.Horizontal), QDoubleSpinBox()
        self.slider.setRange(LOWEST, HIGHEST)
        self.number.setRange(threshold_of(LOWEST), threshold_of(HIGHEST))
        self.number.setDecimals(3)
        self.number.setSingleStep(0.01)
        tip = "Probability above which a pixel is particle. Lower finds more."
        self.slider.setToolTip(tip)
        self.number.setToolTip(tip)
        self.said = note()
        self.plot = ThresholdPlot()
        self.aims = AimChoice(self._memory)
        self.preview_box = QCheckBox("Show the mask in view")
        self.preview_box.setToolTip("Show what is above the threshold, on a layer that goes when this is unticked")
        self.preview_box.setChecked(self._memory.get("preview", True))
        self.make_button, self.store_button = QPushButton("Make labels"), QPushButton("Store in model …")
        self.make_button.setToolTip(
            "Add a labels layer and its table, the same as segmenting again with this threshold would give"
        )
        self.store_button.setToolTip(
            "Write this threshold into the card of the model that made the probability, with how it was chosen. "
            "The weights are not changed; of the bundled model a copy is saved."
        )
        self.preview = ThresholdPreview(self._viewer, self, self._on_preview_gone)
        self.slider.valueChanged.connect(self._on_slider)
        self.number.valueChanged.connect(self._on_number)
        self.plot.picked.connect(self.slider.setValue)
        self.aims.wanted.connect(self.aim)
        self.preview_box.toggled.connect(self._on_preview)
        self.make_button.clicked.connect(self.make)
        self.store_button.clicked.connect(self.store)
        self.choice_box = QWidget()
        column = QVBoxLayout(self.choice_box)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(_row(self.slider, self.number, stretch=(1, 0)))
        for item in (self.said, self.plot, self.aims, self.preview_box):
            column.addWidget(item)
        column.addWidget(_row(self.make_button, self.store_button, stretch=(1, 1)))

    # -- what is looked at ---------------------------------------------------------------------------------------

    def _on_probability(self, layer: Any) -> None:
        ready = layer is not None
        self.hint.setVisible(not ready)
        self.form_box.setVisible(ready)
        self.choice_box.setVisible(ready)
        self.panel.allow(ready)
        if ready:
            mask = how_it_was_made(layer)[2]
            self._own = float(mask.get("threshold", _USUAL))
            self.slider.setValue(level_of(min(max(self._own, 0.0), 0.999)))
            if "min_size" in mask:
                self.min_size.setValue(max(1, int(mask["min_size"])))
            if not self.panel.busy:
                self.panel.status.say("")
        self._on_inputs()
        self._on_preview()

    def _key(self) -> Any:
        """Return what the counts depend on; another key means that they are old."""
        layer, truth = self.probability.layer, self.truth.layer
        if layer is None:
            return None
        planes = [
            None if one is None else (one, plane_index(self._viewer, one), id(one.data)) for one in (layer, truth)
        ]
        return (*planes, None if truth is None else self.particle.value, self.min_size.value())

    def _on_inputs(self, event: Any = None) -> None:
        self.form.setRowVisible(self.particle, self.truth.layer is not None)
        if self.curves is not None and self._counted != self._key():
            self.curves, self._counted = None, None
            self._chosen = {}
        self._show()

    def _show(self) -> None:
        curves, level = self.curves, self.slider.value()
        self.plot.setVisible(curves is not None)
        self.aims.setVisible(curves is not None and curves.case is not None)
        self.plot.show_curves(curves)
        self.plot.show_level(level)
        if curves is not None:
            own = f" The result was made with {self._own:g}." if role_of(self.probability.layer) else ""
            self.said.setText(in_words(curves, level) + own)
        elif not self.panel.busy:
            self.said.setText("Press <i>Count</i> to see how many particles there are at every threshold.")

    def _allow(self, busy: bool) -> None:
        for button in (self.make_button, self.store_button):
            button.setEnabled(not busy)

    # -- the threshold -------------------------------------------------------------------------------------------

    @property
    def threshold(self) -> float:
        """The chosen threshold."""
        return float(threshold_of(self.slider.value()))

    def _on_slider(self, level: int) -> None:
        self.number.blockSignals(True)
        self.number.setValue(threshold_of(level))
        self.number.blockSignals(False)
        self._chosen = {}
        self.preview.show_level(level)
        self._show()

    def _on_number(self, value: float) -> None:
        self.slider.setValue(level_of(value))

    def _on_preview(self, on: bool | None = None) -> None:
        layer = self.probability.layer
        if on is not None:
            self._memory.set(preview=on)
        self.preview.stop()
        if self.preview_box.isChecked() and layer is not None and self.isVisible():
            self.preview.start(layer, self.slider.value())

    def _on_preview_gone(self) -> None:
        """Untick the box for now: taking the layer away, or closing the window, is no choice to be remembered."""
        self.preview_box.blockSignals(True)
        self.preview_box.setChecked(False)
        self.preview_box.blockSignals(False)
        self.preview.stop()

    def showEvent(self, event: Any) -> None:
        """Begin to show the mask once the widget is seen."""
        super().showEvent(event)
        self._on_preview()

    # -- the work ------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Count the particles at every threshold."""
        layer, truth = self.probability.layer, self.truth.layer
        if layer is None or self.panel.busy:
            return
        try:
            probability = stored_probability(plane_in_view(self._viewer, layer), layer.name)
            known = None if truth is None else self._truth(probability)
        except MpsegError as error:
            self.panel.status.say(str(error), "error")
            return
        self._memory.set(min_size=self.min_size.value())
        self.particle.remember()
        self._counting = self._key()
        job = Job(
            count_everywhere,
            probability,
            known,
            min_size=self.min_size.value(),
            connectivity=self._connectivity,
            title=f"Counting on {layer.name}",
        )
        self.panel.start(job, self._take)

    def _truth(self, probability: Any) -> Any:
        layer, truth = self.probability.layer, self.truth.layer
        plane = plane_in_view(self._viewer, truth)
        check_same_shape(probability, plane, (layer.name, truth.name))
        return with_particle_value(plane, self.particle.value)

    @property
    def _connectivity(self) -> int:
        return int(how_it_was_made(self.probability.layer)[2].get("connectivity", 2))

    def _take(self, curves: Curves) -> None:
        if self._counting != self._key():
            self.panel.status.say("The layers were changed meanwhile. Press Count again.", "warning")
            return
        self.curves, self._counted = curves, self._counting
        self._show()

    def aim(self) -> None:
        """Move the slider to what the aim asks for."""
        if self.curves is None or self.curves.case is None:
            return
        try:
            point = self.aims.choose(self.curves.case)
        except MpsegError as error:
            self.panel.status.say(str(error), "error")
            return
        self.slider.setValue(point.level)
        self._chosen = {name: value for name, value in point.to_dict().items() if name != "images"}
        self.panel.status.say(self.aims.in_words(point), "done" if point.fulfilled else "warning")

    def make(self) -> None:
        """Make labels and their table at this threshold."""
        layer = self.probability.layer
        if layer is None or self.panel.busy:
            return
        from napari_mpseg.gui.layer_input import snapshot_stack
        from napari_mpseg.images.image import Image as Opened
        from napari_mpseg.images.layers import layer_calibration

        method, record, _ = how_it_was_made(layer)
        source = source_image(layer, self._viewer.layers)
        try:
            plane = stored_probability(plane_in_view(self._viewer, layer), layer.name)
            calibration = layer_calibration(layer)
            image = None
            if source is not None:
                stack = snapshot_stack(source)
                index = plane_index(self._viewer, source) if stack.plane_shape else None
                image = stack.image(index)
        except MpsegError as error:
            self.panel.status.say(str(error), "error")
            return
        import dask.array as da

        chunks = plane if hasattr(plane, "dask") else da.from_array(plane, chunks=(1024, 1024))
        self._target, self._plane = layer, plane_index(self._viewer, layer)
        job = Job(
            labels_at,
            Opened(chunks, layer.name, calibration),
            image,
            threshold=self.threshold,
            min_size=self.min_size.value(),
            connectivity=self._connectivity,
            calibration=calibration,
            method=method,
            record=record,
            cache=preferences().cache_folder or None,
            title=f"Labels of {layer.name}",
        )
        self.panel.start(job, self._add)

    def _add(self, outcome: tuple[Any, Any]) -> None:
        result, prepared = outcome
        layer = self._target if self._target in self._viewer.layers else None
        source = self._target.metadata.get("napari-mpseg", {}).get("source", self._target.name)
        make_table_quick(self._viewer)
        labels = add_labels(
            self._viewer,
            result,
            layer,
            plane=self._plane,
            prepared=prepared,
            name=f"{source} particles at {result.threshold:.3f}",
            source=source,
        )
        show_table(self._viewer, labels)
        self.panel.status.say(summary(result), "done")

    def store(self) -> None:
        """Ask for a model, and write this threshold into its card."""
        layer = self.probability.layer
        if layer is None:
            return
        try:
            done = ask_and_store(self, layer, self.threshold, self.record(), self._memory)
        except MpsegError as error:
            self.panel.status.say(str(error), "error")
            return
        if done is not None:
            self.panel.status.say(done, "done")

    def record(self) -> dict[str, Any]:
        """Return how the threshold was chosen, for the model's card."""
        layer, level = self.probability.layer, self.slider.value()
        record = {
            "aim": "by hand",
            **self._chosen,
            "threshold": self.threshold,
            "level": level,
            "chosen_on": [layer.metadata.get("napari-mpseg", {}).get("source", layer.name)],
            "images": 1,
            "min_size": self.min_size.value(),
            "connectivity": self._connectivity,
        }
        if self.curves is not None:
            record["particles"] = int(self.curves.counts[level])
            if self.curves.n_truth is not None:
                record["count_bias"] = record["particles"] - self.curves.n_truth
                for name in ("precision", "recall", "f1"):
                    record[name] = float(getattr(self.curves, name)[level])
        return record

    def release(self) -> None:
        """Let go of the viewer's layers."""
        self.preview.release()
        self._viewer.dims.events.current_step.disconnect(self._on_inputs)
        self.probability.disconnect_layers()
        self.truth.disconnect_layers()


def _row(left: QWidget, right: QWidget, stretch: tuple[int, int]) -> QWidget:
    box = QWidget()
    layout = QHBoxLayout(box)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(left, stretch[0])
    layout.addWidget(right, stretch[1])
    return box
