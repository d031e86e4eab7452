"""The widget *Train from painted labels*: paint some particles, press Train, watch, correct, train on, save."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_mpseg.errors import MpsegError
from napari_mpseg.gui.curve import Curves
from napari_mpseg.gui.live_preview import LivePreview
from napari_mpseg.gui.memory import Memory, preferences
from napari_mpseg.gui.painted_how import PaintedHow
from napari_mpseg.gui.painting import StrokeBar
from napari_mpseg.gui.run_panel import WorkingWidget
from napari_mpseg.gui.status_line import note
from napari_mpseg.gui.train_inputs import (
    QUICK_PIXELS,
    Snapshots,
    look_through,
    painted_pixels,
    painting_problem,
    snapshot_pairs,
)
from napari_mpseg.gui.train_pairs import PairList
from napari_mpseg.gui.train_panel import TrainingJob, TrainPanel
from napari_mpseg.gui.train_recipe import Recipe
from napari_mpseg.gui.train_run import Learnt, Outcome, TrainRequest, TrainRun
from napari_mpseg.gui.train_words import ending
from napari_mpseg.gui.trained_model import TrainedModel

if TYPE_CHECKING:
    import napari

_WIDTH = 376  # from the start, since a dock that was made narrower does not widen by itself


class TrainWidget(WorkingWidget):
    """Trains a network on what is painted on image layers.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Given by napari.
    """

    _begun = Signal(object)
    _happened = Signal(object)

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self.setMinimumWidth(_WIDTH)
        self._viewer = napari_viewer
        self._memory = Memory("train")
        self._snapshots = Snapshots()
        self._took = False
        self._build()
        self._begun.connect(self._on_begun)
        self._happened.connect(self._on_event)
        self.pairs.changed.connect(self._look)
        self.pairs.labels_made.connect(self._on_labels_made)
        self.how.changed.connect(self._look)
        self.how.explain(self.recipe.instances)
        self.recipe.changed.connect(self._on_recipe)
        self._viewer.layers.selection.events.active.connect(self._show_strokes)
        self._look()

    # -- the form ------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.hint = note()
        self.pairs = PairList(self._viewer)
        self.strokes = StrokeBar(self._viewer, lambda: self.pairs.painted)
        self.how = PaintedHow(self._memory)
        self.recipe = Recipe(self._memory)
        self.findings = note()
        self.preview = LivePreview(self._viewer, self._snapshots, self._memory.get("preview", True))
        self.panel = TrainPanel()
        self.panel.run_requested.connect(self.run)
        self.panel.busy_changed.connect(self._on_busy)
        self.trained = TrainedModel(self._viewer, self._memory, self.panel.status.say)
        self.trained.saved.connect(lambda path: self.recipe.start.refresh())
        self.form_box = QWidget()
        column = QVBoxLayout(self.form_box)
        column.setContentsMargins(0, 0, 0, 0)
        for part in (QLabel("Images, and what is painted on them"), self.pairs, self.how, self.strokes, self.recipe):
            column.addWidget(part)
        self.lay_out(self.hint, self.form_box, self.preview, self.findings, self.panel, self.trained)

    def _remember(self) -> None:
        self.how.remember()
        self.recipe.remember()
        self._memory.set(preview=self.preview.box.isChecked())

    def _on_labels_made(self, layer: Any) -> None:
        if self.recipe.instances:  # scribbles do not say where a particle ends
            self.how.choose("dense")
        elif not self.how.kind:
            self.how.choose("scribbles")
        self._show_strokes()
        self.strokes.paint("particle")

    def _look(self) -> None:
        """Say what is missing or wrong before anything can be learnt."""
        ready = self.pairs.rows[0].pair[0] is not None
        self.hint.setText(
            ""
            if ready
            else "<b>No image yet.</b> Open an image with <i>File &gt; Open File(s) …</i>, or try <i>File &gt; Open "
            "Sample &gt; napari-mpseg</i>. Then press <i>New labels to paint</i>, paint some particles and some "
            "background, and press <i>Train</i>."
        )
        self.hint.setVisible(not ready)
        for part in (self.form_box, self.preview):
            part.setVisible(ready)
        self._show_strokes()
        problem, notes = self._findings() if ready else ("", [])
        shown = [problem] if problem and not self.pairs.misfits else notes  # a misfit is said beside the pair itself
        self.findings.setText("\n".join(shown))
        self.findings.setVisible(bool(self.findings.text()))
        self.panel.allow(ready and not problem)

    def _findings(self) -> tuple[str, list[str]]:
        """Return what makes training impossible, and what only looks wrong."""
        if self.pairs.problems:
            return "\n".join(self.pairs.problems), []
        if not self.how.kind:
            return "Say how it was painted: as a dense mask, or as scribbles.", []
        problem = self.recipe.problem or painting_problem(self.how.kind, self.recipe.instances)
        if problem:
            return problem, []
        sizes = [painted_pixels(labels) for _, labels in self.pairs.pairs]
        if any(size is None or size > QUICK_PIXELS for size in sizes):
            return "", []  # looked through when training starts
        try:
            pairs = snapshot_pairs(self.pairs.pairs, Snapshots(pixels=False))
            return "", look_through(pairs, self.how.kind, self.how.background.value(), self.recipe.instances)
        except MpsegError as error:
            return str(error), []

    def _show_strokes(self, event: Any = None) -> None:
        self.strokes.show_for(self.how.kind, self.how.background.value(), self.recipe.instances)

    def _on_recipe(self) -> None:
        self.how.explain(self.recipe.instances)
        self._look()
        self.panel.run_button.setText("Train on" if self.recipe.start.learnt is not None else "Train")

    def _on_busy(self, busy: bool) -> None:
        for part in (self.pairs, self.how, self.recipe, self.trained):
            part.setDisabled(busy)

    # -- the work ------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Start training with what the form says."""
        if self.panel.busy:
            return
        problem, _ = self._findings()
        if problem:
            self.panel.status.say(problem, "error")
            return
        self._remember()
        self._snapshots.forget()
        try:
            request = self._request()
        except MpsegError as error:
            self.panel.status.say(str(error), "error")
            return
        run = TrainRun(request, self.preview.maker, lambda *begun: self._begun.emit(begun), self._happened.emit)
        job = TrainingJob(run, f"Training {request.name}")
        job.ended.connect(lambda: self._on_ended(run))
        self._took = False
        self.panel.curve.show_curves(Curves(keeps_best=request.preset.settings.keep.startswith("best")))
        self.preview.training_begins()
        self.panel.start(job, self._on_success)

    def _request(self) -> TrainRequest:
        """Fix everything, in the GUI thread: nothing live is read later."""
        preferred = preferences()
        image = self.pairs.pairs[0][0]
        return TrainRequest(
            tuple(snapshot_pairs(self.pairs.pairs, self._snapshots)),
            self.recipe.preset,
            self.how.kind,
            self.how.background.value(),
            self.recipe.start.start,
            f"{re.sub(r'[^A-Za-z0-9._-]+', '-', image.name).strip('-.') or 'image'}-model",
            preferred.device,
            preferred.cache_folder,
            self.recipe.minutes.value(),
        )

    def _on_begun(self, begun: tuple[int, Sequence[Any], Sequence[str]]) -> None:
        resumed, history, notes = begun
        for record in history:
            self.panel.curve.curves.take_epoch(record)
        if resumed:
            self.panel.status.say(f"Went on after epoch {resumed}, where an earlier run was cut short.", "info")
        new = [note for note in notes if note not in self.findings.text()]
        if new:
            self.panel.status.say(" ".join(new), "warning")

    def _on_event(self, event: Any) -> None:
        if self.panel.busy:
            self.panel.take(event)

    def _on_success(self, outcome: Outcome) -> None:
        if outcome.model is not None:
            self._take(outcome.model)
        self.panel.status.say(*ending(outcome))

    def _on_ended(self, run: TrainRun) -> None:
        """After an error, keep what was learnt before it."""
        if run.learnt is not None:
            self._take(run.learnt)
        if not self._took:
            self.preview.training_ends(self.recipe.start.learnt)

    def _take(self, learnt: Learnt) -> None:
        self._took = True
        self.trained.take(learnt)
        self.recipe.start.continue_from(learnt.model)
        self.preview.training_ends(learnt.model)

    def release(self) -> None:
        """Remember the choices, and let go of the viewer's layers."""
        self._remember()
        self.preview.release()
        self.trained.release()
        self.pairs.release()
        self._viewer.layers.selection.events.active.disconnect(self._show_strokes)
