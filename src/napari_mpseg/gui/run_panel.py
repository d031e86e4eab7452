"""The foot of every widget that works: a button to start, one to cancel, progress, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QEvent, QObject, QSize, Qt, Signal
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QPushButton, QScrollArea, QVBoxLayout, QWidget

from napari_mpseg.gui.status_line import StatusLine
from napari_mpseg.gui.worker import Job, TimeLeft
from napari_mpseg.progress import Progress

_LEAST_WIDTH = 340  # of a widget in its dock


class RunPanel(QWidget):
    """Runs one job at a time and shows how it goes.

    Parameters
    ----------
    label : str
        Text of the start button.
    tooltip : str
        What the start button does.

    Signals
    -------
    run_requested()
        The start button was clicked.
    busy_changed(bool)
        A job began or ended.
    """

    run_requested = Signal()
    busy_changed = Signal(bool)

    def __init__(self, label: str, tooltip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.job: Job | None = None
        self._allowed = True
        self._time_left = TimeLeft()
        self.run_button = QPushButton(label)
        self.run_button.setToolTip(tooltip)
        self.run_button.clicked.connect(self.run_requested)
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.setToolTip("Stop within one tile. Nothing is added to the viewer.")
        self.cancel_button.clicked.connect(self.cancel)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.progress_text = QLabel()
        self.progress_text.setWordWrap(True)
        self.status = StatusLine()
        self.buttons = QHBoxLayout()
        self.buttons.addWidget(self.run_button, 3)
        self.buttons.addWidget(self.cancel_button, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(self.buttons)
        layout.addWidget(self.bar)
        layout.addWidget(self.progress_text)
        layout.addWidget(self.status)
        self._show_busy(False)

    @property
    def busy(self) -> bool:
        """Whether a job is running."""
        return self.job is not None

    def allow(self, allowed: bool) -> None:
        """Say whether there is anything to start on."""
        self._allowed = allowed
        self.run_button.setEnabled(allowed and not self.busy)

    def start(self, job: Job, on_success: Callable[[Any], None]) -> None:
        """Start a job; `on_success` gets its result in the GUI thread."""
        self.job = job
        self._time_left = TimeLeft()
        self._show_busy(True)
        self.status.say("")
        self.progress_text.setText("Starting, which takes longer the first time …")
        job.progressed.connect(self._progress)
        job.succeeded.connect(on_success)
        job.failed.connect(lambda text: self.status.say(text, "error"))
        job.cancelled.connect(lambda: self.status.say("Cancelled. Nothing was added or changed.", "warning"))
        job.ended.connect(self._end)
        job.start()

    def cancel(self) -> None:
        """Ask the running job to stop."""
        if self.job is not None:
            self.job.cancel()
            self.cancel_button.setEnabled(False)
            self.progress_text.setText("Cancelling, after the current tile …")

    def abandon(self) -> None:
        """Stop the running job because the widget goes away, and wait for it."""
        job, self.job = self.job, None
        if job is not None:
            job.abandon()

    def _progress(self, event: Progress) -> None:
        if self.job is None or not self.cancel_button.isEnabled():
            return
        self.bar.setRange(0, event.total)
        self.bar.setValue(event.done)
        self.progress_text.setText(self._time_left.text(event))

    def _end(self) -> None:
        self.job = None
        self._show_busy(False)

    def _show_busy(self, busy: bool) -> None:
        self.run_button.setEnabled(self._allowed and not busy)
        self.cancel_button.setEnabled(busy)
        self.bar.setRange(0, 0 if busy else 1)
        self.bar.setVisible(busy)
        self.progress_text.setVisible(busy)
        self.busy_changed.emit(busy)


class _Column(QScrollArea):
    """Scrolls downwards only, and is never narrower than what it holds."""

    def __init__(self, body: QWidget) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidget(body)

    def minimumSizeHint(self) -> QSize:
        """Return the width of what it holds with the scroll bar, and little height."""
        width = self.widget().minimumSizeHint().width() + self.verticalScrollBar().sizeHint().width()
        return QSize(width, 80)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Tell the dock when what it holds has become wider."""
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)


class WorkingWidget(QWidget):
    """A widget with a :class:`RunPanel`, whose job ends with it: closed, or taken out of its dock."""

    panel: RunPanel

    def minimumSizeHint(self) -> QSize:
        """Return the width at which no title, unit or button is cut off."""
        return super().minimumSizeHint().expandedTo(QSize(_LEAST_WIDTH, 0))

    def lay_out(self, *items: QWidget) -> None:
        """Put `items` one under the other, to be scrolled where several widgets share a side of the window."""
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(4, 4, 4, 4)
        for item in items:
            column.addWidget(item)
        column.addStretch(1)
        scroll = _Column(body)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scroll)

    def event(self, event: QEvent) -> bool:
        """Stop the job when the widget is closed or loses its dock."""
        gone = event.type() == QEvent.Type.Close or (event.type() == QEvent.Type.ParentChange and self.parent() is None)
        panel = getattr(self, "panel", None)
        if gone and panel is not None:
            panel.abandon()
            self.release()
        return super().event(event)

    def release(self) -> None:
        """Let go of the viewer; called once the widget is closed for good."""
