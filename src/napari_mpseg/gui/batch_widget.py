"""The widget *Segment a folder*: many images with one method, one table over all, each result a double click away."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox

from napari_mpseg.errors import MpsegError
from napari_mpseg.gui.batch_form import BatchForm
from napari_mpseg.gui.batch_inputs import BatchInputs, Rows, in_line
from napari_mpseg.gui.batch_look import LookUp
from napari_mpseg.gui.batch_method import BatchMemory
from napari_mpseg.gui.batch_open import ResultsInView
from napari_mpseg.gui.batch_panel import BatchPanel
from napari_mpseg.gui.batch_table import BatchTable
from napari_mpseg.gui.batch_words import OVERWRITE, with_name, without_folders, without_pixel_size
from napari_mpseg.gui.batch_work import (
    FAILED,
    HALF_DONE,
    SHARE,
    UNKNOWN,
    Looked,
    Request,
    Running,
    do_batch,
    in_words,
    state_of,
    store_of,
    sum_up,
)
from napari_mpseg.gui.memory import Memory
from napari_mpseg.gui.run_panel import WorkingWidget
from napari_mpseg.gui.status_line import note
from napari_mpseg.gui.worker import Job
from napari_mpseg.progress import Progress

if TYPE_CHECKING:
    import napari

_NO_IMAGES = (
    "<b>No images yet.</b> Choose a folder or files, or drag them onto the field below. Each image gets results of its "
    "own in another folder, and a table and a report tell of all."
)
_MOST_NOTES = 4
_KINDS = {False: "done", True: "warning"}
_REPORT = "batch_report.html"


class BatchWidget(WorkingWidget):
    """Segments all images of a folder, and goes on where it was stopped.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Given by napari.
    """

    _image_ended = Signal(object)  # comes from the thread at work

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._memory = BatchMemory("batch", Memory("segment"))
        self._looked = Looked()
        self._running: Running | None = None
        self._problem = ""  # what a look has put into the status line
        self._changed = False  # the form, since something was started
        self.look = LookUp(self)
        self._build()
        self.results = ResultsInView(napari_viewer, self.panel.status.say)
        self._connect()
        self._ask()

    # -- the form ------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.hint = note(_NO_IMAGES)
        self.inputs = BatchInputs(self._memory)
        self.found_note = note()
        self.table = BatchTable()
        self.size_note = note()
        self.settings_form = BatchForm(self._memory)
        self.overwrite = QCheckBox(OVERWRITE)
        self.overwrite.setToolTip(
            "Do those images again whose results were made with other settings, from another file, or by another way.\n"
            "What was decided on their particles is lost then. Without it such results are never touched."
        )
        self.panel = BatchPanel()
        last = Rows()
        last.form.addRow("Results", self.inputs.out)
        last.form.addRow("", self.overwrite)
        boxes = (self.inputs.names, self.settings_form, last)
        for box in (self.inputs.first, *boxes):
            self.panel.busy_changed.connect(box.setDisabled)
        self._forms = (self.inputs.first.form, self.inputs.names.form, self.settings_form.form, last.form)
        self._later = (self.table, *boxes)  # shown once there are images
        self.lay_out(
            self.hint,
            self.inputs.first,
            self.found_note,
            self.table,
            self.size_note,
            self.inputs.names,
            self.settings_form,
            last,
        )
        self.panel.layout().setContentsMargins(4, 4, 4, 4)
        self.layout().addWidget(self.panel)  # below what is scrolled, so that it is always seen

    def _connect(self) -> None:
        inputs = self.inputs
        for signal in (
            inputs.images.changed,
            inputs.out.changed,
            inputs.sheet.changed,
            inputs.pattern.textChanged,
            self.settings_form.changed,
            self.overwrite.toggled,
        ):
            signal.connect(lambda *_: self._on_change())
        self.look.found.connect(self._show)
        self.look.looking.connect(self._show_looking)
        self.table.opened.connect(self.open_result)
        self._image_ended.connect(self._on_image)
        self.panel.run_requested.connect(self.run)
        self.panel.sum_requested.connect(self.sum_up)
        self.panel.busy_changed.connect(self._on_busy)

    @property
    def request(self) -> Request:
        """What the form says.

        Raises
        ------
        MpsegError
            If a field makes no sense.
        """
        inputs = self.inputs
        if not inputs.out.path:
            raise MpsegError("Choose a folder for the results.")
        return Request(
            tuple(inputs.images.paths),
            inputs.out.path,
            self.settings_form.settings,
            inputs.pattern.text().strip() or None,
            inputs.sheet.path or None,
            self.overwrite.isChecked(),
        )

    # -- what there is to do -------------------------------------------------------------------------------------

    def _on_change(self) -> None:
        self._changed = True
        self._ask()

    def _ask(self) -> None:
        """Look at what the form stands for, in a moment."""
        if self.panel.busy:
            return
        self.panel.allow(False)  # until it is known what there is
        if not self.inputs.images.paths:
            self.look.stop()
            self._show(Looked())
            return
        try:
            self.look.ask(self.request)
        except MpsegError as error:
            self.look.stop()
            self._tell_problem(str(error))

    def _show(self, looked: Looked) -> None:
        self._looked = looked
        self.table.fill(looked.rows)
        self.hint.setVisible(not looked.rows)
        for box in self._later:
            box.setVisible(bool(looked.rows))
        in_line(*self._forms)
        self._show_notes()
        failed = [row for row in looked.rows if row.state == FAILED]
        nothing = f"None of the images can be segmented. {with_name(failed[0].path, failed[0].tip)}" if failed else ""
        problem = looked.problem or (nothing if len(failed) == len(looked.rows) else "")
        self._tell_problem(problem)
        begun = any(row.has_result or row.state == HALF_DONE for row in looked.rows)
        self.panel.run_button.setText("Go on" if begun else "Start")
        self.panel.allow(bool(looked.rows) and not problem)
        out = Path(self.inputs.out.path)
        report = {"report": out / _REPORT} if looked.rows else {}
        self.panel.offer(out, report, done=any(row.has_result for row in looked.rows))

    def _show_notes(self) -> None:
        rows = self._looked.rows
        unknown = without_pixel_size(sum(row.size == UNKNOWN for row in rows))
        self.size_note.setText(unknown)
        self.size_note.setVisible(bool(unknown))
        notes = [without_folders(text, self.inputs.images.paths) for text in self._looked.notes]
        lines = [f"<b>{len(rows):,} image{'' if len(rows) == 1 else 's'}</b>"] if rows else []
        lines += [escape(text) for text in notes[:_MOST_NOTES]]
        lines += [f"and {len(notes) - _MOST_NOTES} more notes"] if len(notes) > _MOST_NOTES else []
        self.found_note.setText("<br>".join(lines))
        self.found_note.setToolTip("".join(f"<p>{escape(text)}</p>" for text in notes[:50]))
        self.found_note.setVisible(bool(lines))

    def _show_looking(self, text: str) -> None:
        if text:
            self.found_note.setText(text)
            self.found_note.show()
        else:
            self._show_notes()

    @property
    def _stale(self) -> bool:
        """Whether the status line says what was wrong with the form as it was."""
        status = self.panel.status
        return bool(self._problem and status.text() == self._problem) or (self._changed and status.kind == "error")

    def _tell_problem(self, problem: str) -> None:
        """Say what is wrong with the form, and no longer what was wrong before."""
        if problem:
            self.panel.status.say(problem, "error")
        elif self._stale:
            self.panel.status.say("")
        self._problem = problem

    # -- the work ------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Segment what is not done yet."""
        if self.panel.busy or not self.panel.run_button.isEnabled():
            return
        try:
            request = self.request
        except MpsegError as error:
            self._tell_problem(str(error))
            return
        self.inputs.remember()
        self.settings_form.remember()
        self._running = Running(self._looked.rows, self._looked.parallel)
        self._changed = False
        self.panel.begin(self._running.ended, self._running.total, self._running.at_once)
        job = Job(do_batch, request, self._image_ended.emit, title="Segmenting a folder")
        job.progressed.connect(self._on_progress)
        self.panel.start(job, lambda outcome: self._finished(Path(request.out), outcome))
        job.cancelled.connect(self._on_cancelled)

    def sum_up(self) -> None:
        """Make tables and report of what is done."""
        if self.panel.busy:
            return
        try:
            request = self.request
        except MpsegError as error:
            self._tell_problem(str(error))
            return
        self._changed = False
        self.panel.begin_to_sum()
        job = Job(sum_up, request, title="Summing up a folder")
        self.panel.start(job, lambda outcome: self._finished(Path(request.out), outcome))

    def _on_progress(self, event: Progress) -> None:
        if event.unit == SHARE:
            self._show_running(event)

    def _show_running(self, event: Progress | None = None) -> None:
        states = self._running.states(event) if self._running is not None else {}
        for path, text in states.items():
            self.table.show_state(path, text)

    def _on_image(self, outcome: Any) -> None:
        if self._running is not None:
            self.table.show_state(outcome.path, *state_of(outcome))
            self._running.end(outcome.path)
            self._show_running()
            self.panel.images = (self._running.ended, self._running.total)

    def _finished(self, out: Path, outcome: Any) -> None:
        self._running = None
        new = [text for text in outcome.notes if text not in self._looked.notes]  # the others are told above
        lines = [without_folders(text, self.inputs.images.paths) for text in (*in_words(outcome), *new[:_MOST_NOTES])]
        self.panel.status.say("".join(f"<div>{escape(line)}</div>" for line in lines), _KINDS[bool(outcome.failures)])
        self.panel.run_button.setText("Go on")
        self.panel.offer(out, outcome.paths, done=any(one.status == "done" for one in outcome.images))

    def _on_cancelled(self) -> None:
        ended, images = self.panel.images
        text = f"Stopped after {ended} of {images} images. What is done stays, and Go on continues there."
        text += " Sum up makes tables and report of what is done." if ended else ""
        self.panel.status.say(text, "warning")

    def _on_busy(self, busy: bool) -> None:
        if not busy and self._running is not None:  # it was stopped, or could not go on
            self._running = None
            self._ask()  # what is half done now

    # -- looking at results --------------------------------------------------------------------------------------

    def open_result(self, image: Path) -> None:
        """Show an image that is done with its particles, if it is not shown yet."""
        row = next(one for one in self.table.rows if one.path == image)
        store = store_of(self.inputs.out.path, row.name)
        if store.is_dir():
            self.results.open(image, store)
            return
        reason = self.table.reason(image) if self.table.state(image) == FAILED else "It is not done yet."
        self.panel.status.say(f"{image.name} has no result to look at. {reason}", "warning")

    def release(self) -> None:
        """Stop looking and opening."""
        self.look.abandon()
        self.results.abandon()
