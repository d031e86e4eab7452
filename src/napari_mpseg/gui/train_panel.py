"""The foot of *Train from painted labels*: train, pause, cancel, the curves, and what came of it."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QPushButton, QWidget

from napari_mpseg.gui.curve import CurvePlot
from napari_mpseg.gui.run_panel import RunPanel
from napari_mpseg.gui.train_run import TrainRun
from napari_mpseg.gui.worker import Job, TimeLeft
from napari_mpseg.progress import Progress


class TrainingJob(Job):
    """A job whose cancel is an early end: what was learnt is its result."""

    def __init__(self, run: TrainRun, title: str) -> None:
        super().__init__(run, title=title)
        self.run = run

    def cancel(self) -> None:
        """Ask for an end after the current step."""
        self.run.control.cancel()

    def abandon(self) -> None:
        """Stop because the widget goes away; the checkpoint stays."""
        self._token.cancel()  # first, so that the run knows why it ends
        self.run.control.cancel()
        super().abandon()


class TrainPanel(RunPanel):
    """A run panel that can also pause, and that shows the curves."""

    def __init__(self, parent: QWidget | None = None) -> None:
        self.pause_button = QPushButton("Pause")
        self.curve = CurvePlot()
        super().__init__("Train", "Learn from what is painted. Your layers are not changed.", parent)
        self.pause_button.setToolTip("Hold the training; what was learnt so far stays, and you can go on any time")
        self.pause_button.setCheckable(True)
        self.pause_button.toggled.connect(self._pause)
        self.buttons.insertWidget(1, self.pause_button, 1)
        self.cancel_button.setToolTip(
            "Stop after the current step and keep what was learnt so far: it can be saved, used and trained on"
        )
        self.layout().insertWidget(self.layout().indexOf(self.status), self.curve)
        self.curve.hide()

    def cancel(self) -> None:
        """Ask the training to end."""
        super().cancel()
        if self.job is not None:
            self.pause_button.setEnabled(False)
            self.progress_text.setText("Stopping after the current step, and keeping what was learnt …")

    def _pause(self, paused: bool) -> None:
        self.pause_button.setText("Go on" if paused else "Pause")
        if not isinstance(self.job, TrainingJob):
            return
        if paused:
            self.job.run.control.pause()
            self.progress_text.setText("Paused. Your painting is not read until the next training.")
        else:
            self.job.run.control.resume()
            self._time_left = TimeLeft()  # the pause says nothing about the pace

    def _progress(self, event: Progress) -> None:
        if not self.pause_button.isChecked():
            super()._progress(event)

    def _show_busy(self, busy: bool) -> None:
        self.pause_button.setChecked(False)
        self.pause_button.setEnabled(busy)
        super()._show_busy(busy)

    def take(self, event: Any) -> None:
        """Show a training event."""
        self.curve.show()
        self.curve.take(event)
