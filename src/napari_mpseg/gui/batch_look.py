"""Looks in a thread at what the form stands for, always at the latest."""

from __future__ import annotations

from qtpy.QtCore import QObject, QTimer, Signal

from napari_mpseg.gui.batch_work import Looked, Request, look_up
from napari_mpseg.gui.worker import Job
from napari_mpseg.progress import Progress

_SETTLED = 300  # milliseconds after the last change


class LookUp(QObject):
    """Asked as often as one likes, it answers the last question only.

    Signals
    -------
    found(Looked)
        What there is to do.
    looking(str)
        How far it is, where that takes long; empty at the end.
    """

    found = Signal(object)
    looking = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._job: Job | None = None
        self._request: Request | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SETTLED)
        self._timer.timeout.connect(self._begin)

    @property
    def pending(self) -> bool:
        """Whether an answer is still to come."""
        return self._request is not None or self._job is not None

    def ask(self, request: Request) -> None:
        """Ask; an answer to what was asked before does not come any more."""
        self._request = request
        if self._job is not None:
            self._job.cancel()
        self._timer.start()

    def stop(self) -> None:
        """Forget what was asked."""
        self._timer.stop()
        self._request = None
        if self._job is not None:
            self._job.cancel()

    def abandon(self) -> None:
        """Stop because the widget goes away, and wait for it."""
        self._timer.stop()
        self._request = None
        job, self._job = self._job, None
        if job is not None:
            job.abandon()

    def _begin(self) -> None:
        if self._job is not None or self._request is None:  # the end of the one before begins this one
            return
        request, self._request = self._request, None
        job = self._job = Job(look_up, request, title="Looking at the images", activity=False)
        job.progressed.connect(self._tell)
        job.succeeded.connect(self._answer)
        job.failed.connect(lambda text: self._answer(Looked(problem=text)))
        job.ended.connect(self._end)
        job.start()

    def _tell(self, event: Progress) -> None:
        self.looking.emit(f"{event.stage}: {event.done} of {event.total} …")

    def _answer(self, looked: Looked) -> None:
        if self._request is None:
            self.found.emit(looked)

    def _end(self) -> None:
        self._job = None
        self.looking.emit("")
        if self._request is not None and not self._timer.isActive():
            self._begin()
