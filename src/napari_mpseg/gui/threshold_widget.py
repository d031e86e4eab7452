"""The widget *Choose a threshold*: see the count at every threshold of a probability, and take the one that fits."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_mpseg.errors import MpsegError
from napari_mpseg.gui.evaluate_input import inverted_note
from napari_mpseg.gui.memory import Memory
from napari_mpseg.gui.run_panel import RunPanel, WorkingWidget
from napari_mpseg.gui.status_line import note
from napari_mpseg.gui.summary import summary
from napari_mpseg.gui.threshold_form import ThresholdForm
from napari_mpseg.gui.threshold_labels import LabelsWork, labels_work
from napari_mpseg.gui.threshold_picker import ThresholdPicker
from napari_mpseg.gui.threshold_preview import ThresholdPreview
from napari_mpseg.gui.threshold_store import ask_and_store, image_in_card, list_models_anew
from napari_mpseg.gui.threshold_work import Curves, below_note, count_everywhere, how_it_was_made, is_told_apart
from napari_mpseg.gui.worker import Job
from napari_mpseg.layers import is_graded, role_of

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
        self._labels: LabelsWork | None = None
        self._own = _USUAL
        self._build()
        self.form.probability.layer_changed.connect(self._on_probability)
        self.form.listed.connect(self._on_layers)
        self.form.changed.connect(self._on_inputs)
        self._viewer.dims.events.current_step.connect(self._on_inputs)
        self._on_probability(self.form.probability.layer)

    # -- the form ------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.hint = note()
        self.form = ThresholdForm(self._viewer, self._memory)
        self.panel = RunPanel("Count", "Count the particles at every threshold; the slider then answers at once")
        self.panel.run_requested.connect(self.run)
        self._build_choice()
        self.panel.busy_changed.connect(self.form.setDisabled)
        self.panel.busy_changed.connect(self._allow)
        self.lay_out(self.hint, self.form, self.panel, self.choice_box)

    def _build_choice(self) -> None:
        self.picker = ThresholdPicker(self._memory)
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
        self.picker.moved.connect(self.preview.show_level)
        self.picker.told.connect(self.panel.status.say)
        self.preview_box.toggled.connect(self._on_preview)
        self.make_button.clicked.connect(self.make)
        self.store_button.clicked.connect(self.store)
        self.choice_box = QWidget()
        column = QVBoxLayout(self.choice_box)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.picker)
        column.addWidget(self.preview_box)
        row = QHBoxLayout()
        row.addWidget(self.make_button, 1)
        row.addWidget(self.store_button, 1)
        column.addLayout(row)

    # -- what is looked at ---------------------------------------------------------------------------------------

    def _on_layers(self) -> None:
        """Say what is missing."""
        missing = self.form.missing
        self.hint.setText(missing)
        self.hint.setVisible(bool(missing))
        self.form.setVisible(self.form.some)
        self.choice_box.setVisible(not missing)
        self.panel.allow(not missing)

    def _on_probability(self, layer: Any) -> None:
        if layer is not None:
            mask = how_it_was_made(layer)[2]
            self._own = float(mask.get("threshold", _USUAL))
            self.picker.choose(self._own)
            if "min_size" in mask:
                self.form.min_size.setValue(max(1, int(mask["min_size"])))
            if not self.panel.busy:
                self.panel.status.say("")
        self._on_layers()
        self._on_inputs()
        self._on_preview()

    def _on_inputs(self, event: Any = None) -> None:
        if self.curves is not None and self._counted != self.form.key:
            self.curves, self._counted = None, None
        self._show()

    def _show(self) -> None:
        layer = self.form.probability.layer
        self.picker.show_curves(self.curves, self._about(), layer is not None and is_told_apart(layer))

    def _about(self) -> str:
        """Return a sentence on how the probability was made; empty for a picture of the user's own."""
        layer = self.form.probability.layer
        if layer is None or not role_of(layer):
            return ""
        if is_told_apart(layer):
            return (
                f"The result was made with {self._own:g}, by a method that <b>tells touching particles apart</b>; here "
                "what touches is one particle, so the numbers of particles are not its own."
                + below_note(layer, self._own)
            )
        if is_graded(layer):
            return f"The result was made with {self._own:g}."
        method = escape(how_it_was_made(layer)[0])
        return f"<b>{method} says yes or no only</b>: every threshold gives the same particles."

    def _allow(self, busy: bool) -> None:
        for button in (self.make_button, self.store_button):
            button.setEnabled(not busy)

    # -- the threshold -------------------------------------------------------------------------------------------

    @property
    def threshold(self) -> float:
        """The chosen threshold."""
        return self.picker.threshold

    def _on_preview(self, on: bool | None = None) -> None:
        layer = self.form.probability.layer
        if on is not None:
            self._memory.set(preview=on)
        self.preview.stop()
        if self.preview_box.isChecked() and layer is not None and self.isVisible():
            self.preview.start(layer, self.picker.level)

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
        layer = self.form.probability.layer
        if layer is None or self.panel.busy:
            return
        try:
            probability, truth = self.form.planes()
        except MpsegError as error:
            self.panel.status.say(str(error), "error")
            return
        self.form.remember()
        self._counting = self.form.key
        job = Job(
            count_everywhere,
            probability,
            truth,
            min_size=self.form.min_size.value(),
            connectivity=self._connectivity,
            title=f"Counting on {layer.name}",
        )
        self.panel.start(job, self._take)

    @property
    def _connectivity(self) -> int:
        return int(how_it_was_made(self.form.probability.layer)[2].get("connectivity", 2))

    def _take(self, curves: Curves) -> None:
        if self._counting != self.form.key:
            self.panel.status.say("The layers were changed meanwhile. Press Count again.", "warning")
            return
        self.curves, self._counted = curves, self._counting
        self._show()
        if curves.case is not None:
            background, particle = curves.case.levels.sum(1)
            odd = inverted_note(float(particle / max(1, background + particle)), self.form.particle.value)
            self.panel.status.say(odd, "warning")

    def make(self) -> None:
        """Make labels and their table at this threshold."""
        layer = self.form.probability.layer
        if layer is None or self.panel.busy:
            return
        try:
            self._labels = labels_work(
                self._viewer,
                layer,
                threshold=self.threshold,
                min_size=self.form.min_size.value(),
                connectivity=self._connectivity,
            )
        except MpsegError as error:
            self.panel.status.say(str(error), "error")
            return
        self.panel.start(self._labels.job, self._add)

    def _add(self, outcome: tuple[Any, Any]) -> None:
        if self._labels is not None:
            self.panel.status.say(summary(self._labels.add(self._viewer, outcome)), "done")

    def store(self) -> None:
        """Ask for a model, and write this threshold into its card."""
        layer = self.form.probability.layer
        if layer is None:
            return
        self.panel.status.say("")
        try:
            done = ask_and_store(self, layer, self.threshold, self.record(), self._memory)
        except MpsegError as error:
            self.panel.status.say(str(error), "error")
            return
        if done is not None:
            list_models_anew(self._viewer)
            self.panel.status.say(done, "done")

    def record(self) -> dict[str, Any]:
        """Return how the threshold was chosen, for the model's card."""
        return {
            **self.picker.record(),
            "chosen_on": [image_in_card(self._viewer, self.form.probability.layer)],
            "images": 1,
            "min_size": self.form.min_size.value(),
            "connectivity": self._connectivity,
        }

    def release(self) -> None:
        """Let go of the viewer's layers."""
        self.preview.release()
        self._viewer.dims.events.current_step.disconnect(self._on_inputs)
        self.form.release()
