"""The widget *Correct a region*: part of any labels, large ones on disk too, painted on with napari's tools."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

from napari.layers import Labels, Shapes
from napari.utils.notifications import show_warning
from qtpy.QtWidgets import QCheckBox, QComboBox, QFormLayout, QHBoxLayout, QPushButton, QWidget

from napari_mpseg.errors import MpsegError
from napari_mpseg.gui.correct_left import Left, leave, take_up
from napari_mpseg.gui.correct_region import (
    ROLE,
    Region,
    add_editor,
    on_disk,
    painted_in,
    region_in_view,
    region_of_shapes,
    why_not,
)
from napari_mpseg.gui.correct_work import (
    Planned,
    Step,
    Taken,
    correct_in_memory,
    correct_on_disk,
    plan_in_memory,
    show_correction,
    take,
    undo_in_memory,
    undo_on_disk,
)
from napari_mpseg.gui.layer_choice import LayerChoice, keeping_active
from napari_mpseg.gui.memory import Memory
from napari_mpseg.gui.review_step import listed
from napari_mpseg.gui.run_panel import RunPanel, WorkingWidget
from napari_mpseg.gui.status_line import note
from napari_mpseg.gui.worker import Job
from napari_mpseg.layers import role_of
from napari_mpseg.results.corrections.correct import LARGEST_SIDE, Correction, last_correction

if TYPE_CHECKING:
    import napari

_VIEW, _SHAPES = "view", "shapes"


class CorrectWidget(WorkingWidget):
    """Takes a region of a labels layer out to be painted on, and writes it back.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Given by napari.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self._memory = Memory("correct")
        self.region: Region | None = None
        self.editor: Any = None
        self._frame: Any = None
        self._taken: Taken | None = None
        self._hidden: list[Any] = []
        self._last: Step | None = None
        self._show_written: Callable[[], None] | None = None
        self._build()
        self.labels.layer_changed.connect(self._on_labels)
        self.where.currentIndexChanged.connect(self._show_state)
        self.panel.busy_changed.connect(self._show_state)
        napari_viewer.layers.events.removed.connect(self._on_removed)
        self._on_labels(self.labels.layer)
        self._take_up()

    # -- the form ------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        layers = self._viewer.layers
        self.hint = note(
            "<b>No labels yet.</b> Find particles with <i>Layers &gt; Segment &gt; Segment particles</i>, or drop a "
            "result (NAME.ome.zarr) on napari."
        )
        self.labels = LayerChoice(layers, lambda layer: isinstance(layer, Labels) and role_of(layer) != ROLE)
        self.labels.setToolTip("The particles to be corrected")
        self.about = note()
        self.where = QComboBox()
        self.where.addItem("What is in view", _VIEW)
        self.where.addItem("A shape that I have drawn", _SHAPES)
        self.where.setToolTip(f"Which part is taken out, at most {LARGEST_SIDE} x {LARGEST_SIDE} px")
        self.where.setCurrentIndex(max(0, self.where.findData(self._memory.get("where", _VIEW))))
        self.shapes = LayerChoice(layers, lambda layer: isinstance(layer, Shapes) and role_of(layer) != ROLE)
        self.shapes.setToolTip("The rectangle around its selected shapes, or around all of them, is taken")
        self.separate = QCheckBox("Unconnected pieces become particles of their own")
        self.separate.setChecked(self._memory.get("separate", True))
        self.separate.setToolTip(
            "The largest piece keeps the number; others get new ones. Without, what has one number stays one particle."
        )
        self.panel = RunPanel("Take region", "Put this part into a layer that can be painted on")
        self.panel.run_requested.connect(self.take)
        self.new_button = QPushButton("New particle")
        self.new_button.setToolTip("Paint with a number that no particle has")
        self.new_button.clicked.connect(self.new_particle)
        self.apply_button = QPushButton("Apply")
        self.apply_button.setToolTip("Write the changed pixels back, and measure the particles that they touch anew")
        self.apply_button.clicked.connect(self.apply)
        self.discard_button = QPushButton("Discard")
        self.discard_button.setToolTip("Leave the labels as they are")
        self.discard_button.clicked.connect(self.discard)
        self.undo_button = QPushButton("Undo last correction")
        self.undo_button.setToolTip("Give the region that was applied last the pixels it had before")
        self.undo_button.clicked.connect(self.undo)
        self.painting = note(
            "Paint, erase, fill and pick with napari's own tools; Ctrl+Z undoes a stroke. The labels are hidden "
            "meanwhile, and nothing outside of the frame is changed."
        )
        self._lay_out_form()

    def _lay_out_form(self) -> None:
        self.form_box = QWidget()
        self._form = QFormLayout(self.form_box)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for name, field in (
            ("Labels", self.labels),
            ("", self.about),
            ("Region", self.where),
            ("Shapes", self.shapes),
        ):
            self._form.addRow(name, field)
        self.edit_box = QWidget()
        column = QFormLayout(self.edit_box)
        column.setContentsMargins(0, 0, 0, 0)
        column.addRow(self.painting)
        column.addRow(self.separate)
        column.addRow(_row(self.new_button))
        column.addRow(_row(self.apply_button, self.discard_button))
        self.lay_out(self.hint, self.form_box, self.edit_box, self.panel, self.undo_button)

    def _on_labels(self, layer: Any) -> None:
        self.hint.setVisible(layer is None)
        self.form_box.setVisible(layer is not None)
        if layer is not None:
            reason = why_not(layer)
            place = on_disk(layer)
            kept = f"Corrections are written into {escape(place.store.name)}." if place is not None else ""
            self.about.setText(reason or kept or "Corrections change this layer. Save it to keep them.")
        self._show_state()

    def _show_state(self, *_: Any) -> None:
        layer, open_, busy = self.labels.layer, self.editor is not None, self.panel.busy
        self._form.setRowVisible(self.shapes, self.where.currentData() == _SHAPES)
        self.form_box.setEnabled(not open_ and not busy)
        self.edit_box.setVisible(open_)
        self.edit_box.setEnabled(not busy)
        self.panel.allow(layer is not None and not open_ and not why_not(layer))
        self.panel.run_button.setVisible(not open_)
        self.panel.cancel_button.setVisible(busy)
        self.undo_button.setEnabled(layer is not None and not open_ and not busy and self._can_undo(layer))
        self.undo_button.setVisible(layer is not None)

    def _can_undo(self, layer: Any) -> bool:
        if self._last is not None and self._last.layer is layer:
            return True
        place = on_disk(layer)
        try:
            return place is not None and last_correction(place) is not None
        except MpsegError:  # it says so when it is tried
            return True

    # -- taking a region -----------------------------------------------------------------------------------------

    def take(self) -> None:
        """Take the region that the form asks for."""
        layer = self.labels.layer
        if layer is None or self.panel.busy or self.editor is not None:
            return
        try:
            if self.where.currentData() == _VIEW:
                region = region_in_view(self._viewer, layer)
            elif self.shapes.layer is None:
                raise MpsegError("There is no Shapes layer. Add one, and draw a rectangle.")
            else:
                region = region_of_shapes(self._viewer, layer, self.shapes.layer)
        except MpsegError as error:
            self.panel.status.say(str(error), "error")
            return
        self._memory.set(where=self.where.currentData())
        self.region = region
        self.panel.start(Job(take, region, title=f"Reading a region of {layer.name}"), self._open)

    def _open(self, taken: Taken) -> None:
        region = self.region
        if region is None or region.layer not in self._viewer.layers:
            self.panel.status.say("The labels are gone. Choose others.", "error")
            return
        self._taken = taken
        self._hide(region.layer)  # what is erased must not show through
        if self.where.currentData() == _SHAPES:
            self._hide(self.shapes.layer)
        self.editor, self._frame = add_editor(self._viewer, region, taken.pixels, taken.unused)
        y0, x0, y1, x1 = region.box
        self.panel.status.say(f"{x1 - x0} x {y1 - y0} px taken. Painting makes particle {taken.unused}.", "info")
        self._show_state()

    def _take_up(self) -> None:
        """Go on with a region that was being painted on when this widget was closed."""
        found = take_up(self._viewer)
        if found is None:
            return
        self.editor, left = found
        self.region, self._taken, self._frame = left.region, left.taken, left.frame
        self.labels.choose(left.region.layer)
        for layer in left.hidden:
            self._hide(layer)
        self._viewer.layers.selection.active = self.editor
        self.panel.status.say(
            f"Going on with the region of {escape(left.region.layer.name)} that was left open.", "info"
        )
        self._show_state()

    def _hide(self, layer: Any) -> None:
        if layer is not None and layer.visible:
            layer.visible = False
            self._hidden.append(layer)

    def _show_hidden(self) -> None:
        hidden, self._hidden = self._hidden, []
        for layer in hidden:
            if layer in self._viewer.layers:
                layer.visible = True

    def new_particle(self) -> None:
        """Paint with the next number that no particle has."""
        if self.editor is None or self._taken is None:
            return
        unused = max(self._taken.unused - 1, int(self.editor.data.max(initial=0))) + 1
        self.editor.selected_label = unused
        self.editor.mode = "paint"
        self._viewer.layers.selection.active = self.editor
        self.panel.status.say(f"Painting makes particle {unused}.", "info")

    # -- writing it back -----------------------------------------------------------------------------------------

    def apply(self) -> None:
        """Write the region back."""
        region, taken = self.region, self._taken
        if region is None or taken is None or self.editor is None or self.panel.busy:
            return
        painted, separate = painted_in(self.editor, region), self.separate.isChecked()
        self._memory.set(separate=separate)
        if region.place is not None:
            features = region.layer.features if len(region.layer.features.columns) > 1 else None
            work = partial(
                correct_on_disk,
                region,
                painted,
                taken.pixels,
                None if features is None else features.copy(),
                separate=separate,
            )
            self._start_writing(work, f"Correcting {region.layer.name}", self._applied)
            return
        job = Job(plan_in_memory, region, painted, separate=separate, title=f"Correcting {region.layer.name}")
        self.panel.start(job, self._write)

    def _write(self, planned: Planned) -> None:
        """Write what was planned into labels in memory."""
        region = self.region
        if region is None:
            return
        try:
            self._last = correct_in_memory(self._viewer, region, planned)
        except MpsegError as error:
            self.panel.status.say(str(error), "error")
            return
        self._close()
        settled = planned.settled
        self._say(settled.touched, settled.created, settled.gone, settled.notes())

    def _start_writing(
        self, work: Callable[..., Correction], title: str, on_written: Callable[[Correction], None]
    ) -> None:
        """Write to disk in a thread. What was written when Cancel came too late is shown like any other."""
        written: list[Correction] = []

        def write(**given: Any) -> Correction:
            written.append(work(**given))
            return written[0]

        def show() -> None:
            self._show_written = None
            if written:
                on_written(written[0])

        self._show_written = show
        job = Job(write, title=title)
        self.panel.start(job, lambda _: show())
        job.cancelled.connect(show)

    def _applied(self, done: Correction) -> None:
        region = self.region
        if region is not None:
            show_correction(self._viewer, region.layer, done)
        self._close()
        self._say(done.touched, done.created, done.gone, done.notes)

    def _say(self, touched: Any, created: Any, gone: Any, notes: Any) -> None:
        changed = [label for label in touched if label not in created and label not in gone]
        parts = [
            f"{name} {listed(labels)}"
            for name, labels in (("changed", changed), ("new", created), ("gone", gone))
            if labels
        ]
        lines = [f"Applied: {'; '.join(parts)}.", *map(escape, notes)]
        self.panel.status.say("".join(f"<div>{line}</div>" for line in lines), "warning" if notes else "done")

    def undo(self) -> None:
        """Take the last correction of these labels back."""
        layer = self.labels.layer
        if layer is None or self.panel.busy or self.editor is not None:
            return
        place = on_disk(layer)
        if place is not None:
            title = f"Taking back a correction of {layer.name}"
            self._start_writing(partial(undo_on_disk, place), title, lambda done: self._undone(layer, done))
            return
        step, self._last = self._last, None
        try:
            if step is not None and step.layer is layer:
                undo_in_memory(self._viewer, step)
                self.panel.status.say(f"Taken back: particles {listed(step.edit.affected)} are as before.", "done")
        except MpsegError as error:
            self.panel.status.say(str(error), "error")
        self._show_state()

    def _undone(self, layer: Any, done: Correction) -> None:
        show_correction(self._viewer, layer, done, undone=True)
        self.panel.status.say(f"Taken back: particles {listed(done.touched)} are as before.", "done")

    def discard(self) -> None:
        """Leave the labels as they are."""
        if self.editor is None or self.panel.busy:
            return
        self._close()
        self.panel.status.say("Discarded. The labels are as they were.", "info")

    # -- leaving -------------------------------------------------------------------------------------------------

    def _close(self) -> None:
        """Take the layers for painting away, and show the labels again."""
        editor, frame, region = self.editor, self._frame, self.region
        self.editor = self._frame = self.region = self._taken = None
        layers = self._viewer.layers
        with keeping_active(self._viewer):
            for layer in (editor, frame):
                if layer is not None and layer in layers:
                    layers.remove(layer)
        self._show_hidden()
        if region is not None and region.layer in layers:
            layers.selection.active = region.layer
        self._show_state()

    def _on_removed(self, event: Any) -> None:
        gone = event.value
        if self.editor is not None and gone in (self.editor, getattr(self.region, "layer", None)):
            self._close()
            self.panel.status.say("The region was discarded, since its layer was removed.", "warning")
        if self._last is not None and gone is self._last.layer:
            self._last = None

    def _leave_open(self) -> None:
        """Keep a region that is being painted on for when this widget is opened again."""
        editor, region, taken = self.editor, self.region, self._taken
        self.editor = None
        if editor is None or region is None or taken is None or editor not in self._viewer.layers:
            return
        leave(editor, Left(region, taken, self._frame, tuple(self._hidden)))
        show_warning(
            f"What you painted in {editor.name} is not applied yet. Open Layers > Annotate > Correct a region again to "
            "apply or discard it."
        )

    def release(self) -> None:
        """Let go of the viewer's layers; what is being painted stays in the viewer."""
        if self._show_written is not None:
            self._show_written()  # closed in the middle of writing, which was finished first
        self._viewer.layers.events.removed.disconnect(self._on_removed)
        self._leave_open()
        self._show_hidden()
        self.labels.disconnect_layers()
        self.shapes.disconnect_layers()


def _row(*buttons: QPushButton) -> QWidget:
    box = QWidget()
    row = QHBoxLayout(box)
    row.setContentsMargins(0, 0, 0, 0)
    for button in buttons:
        row.addWidget(button)
    return box
