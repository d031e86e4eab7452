"""The single bridge from core work to napari's threads, progress bars and messages.

Core functions take ``on_progress`` and ``cancel`` and know nothing of Qt. A :class:`Job` runs one of them in a
thread, brings its progress, result and errors to the GUI thread, and stops it when the user or a closing
window asks.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from napari.qt.threading import create_worker
from napari.utils import cancelable_progress
from napari.utils.notifications import notification_manager, show_error
from qtpy.QtCore import QObject, Signal
from superqt.utils import FunctionWorker

from napari_mpseg.errors import Cancelled, MpsegError
from napari_mpseg.gui.status_line import said_in_view
from napari_mpseg.progress import CancelToken, Progress

logger = logging.getLogger(__name__)

_SHORTEST_INTERVAL = 0.05  # seconds between two progress signals: more would only keep the GUI busy drawing
_LONGEST_WAIT = 30.0  # seconds a closing window waits for the current tile


class _StoppableWorker(FunctionWorker):
    """A worker whose ``quit`` reaches the core's cancel token.

    napari calls ``quit`` from a closing window, which then destroys what the thread's signals go to; so this
    one waits until the current tile is done.
    """

    stop: Callable[[], None] = staticmethod(lambda: None)

    def quit(self) -> None:
        """Cancel the work and wait for its end."""
        self.stop()


class _ActivityBar(cancelable_progress):
    """napari's activity bar with a Cancel button that acts at once instead of being polled."""

    def cancel(self) -> None:
        """Mark as cancelled and tell the job."""
        super().cancel()
        if self.cancel_callback is not None:
            self.cancel_callback()


class Job(QObject):
    """One core function running in a thread.

    Parameters
    ----------
    function : callable
        Core function; called as ``function(*args, on_progress=..., cancel=..., **kwargs)``.
    title : str
        What is being done, for napari's activity bar: ``"Segmenting filter"``.
    activity : bool
        Show napari's activity bar too (needs a viewer with a window).

    Signals
    -------
    All are delivered in the GUI thread.

    progressed(Progress), succeeded(object), failed(str), cancelled(), ended()
        Exactly one of `succeeded`, `failed` and `cancelled` comes, then `ended`. None comes after
        :meth:`abandon`.
    """

    progressed = Signal(object)
    succeeded = Signal(object)
    failed = Signal(str)
    cancelled = Signal()
    ended = Signal()
    _reported = Signal(object)  # from any thread

    def __init__(
        self, function: Callable[..., Any], *args: Any, title: str, activity: bool = True, **kwargs: Any
    ) -> None:
        super().__init__()
        self.title = title
        self._token = CancelToken()
        self._call = (function, args, kwargs)
        self._running = threading.Event()
        self._idle = threading.Event()
        self._last = (0.0, "")
        self._abandoned = False
        self._bar: _ActivityBar | None = None
        self._activity = activity
        self._worker: Any = None

    def start(self) -> None:
        """Start the thread; returns at once."""
        self._reported.connect(self._show)
        self._worker = create_worker(
            self._work, _worker_class=_StoppableWorker, _start_thread=False, _ignore_errors=True
        )
        self._worker.stop = self.abandon
        self._worker.returned.connect(self._finish)
        self._worker.errored.connect(self._crash)
        self._worker.warned.connect(lambda args: logger.info("%s: %s", self.title, args[0]))
        if self._activity:
            self._bar = _ActivityBar(desc=self.title, total=0, cancel_callback=self.cancel)
        self._worker.start()

    def cancel(self) -> None:
        """Ask the work to stop; `cancelled` comes within one tile."""
        self._token.cancel()

    def abandon(self) -> None:
        """Stop the work because whoever wanted its result is going away, and wait until it has ended."""
        if self._abandoned:
            return
        self._abandoned = True
        self._token.cancel()
        self._close_bar()
        if self._running.is_set() and not self._idle.wait(_LONGEST_WAIT):
            logger.warning("%s did not stop within %.0f s", self.title, _LONGEST_WAIT)

    @property
    def active(self) -> bool:
        """Whether a result, an error or a cancel is still to come."""
        return self._worker is not None and not self._abandoned

    def _work(self) -> tuple[str, Any]:
        """Run in the thread. Expected outcomes are returned; anything raised is a defect."""
        self._running.set()
        function, args, kwargs = self._call
        try:
            self._token.check()  # a job that was cancelled in the queue does not begin
            return "succeeded", function(*args, on_progress=self._report, cancel=self._token, **kwargs)
        except Cancelled:
            return "cancelled", None
        except MpsegError as error:
            return "failed", str(error)
        finally:
            self._call = (function, (), {})  # let go of the inputs
            self._idle.set()

    def _report(self, event: Progress) -> None:
        now = time.monotonic()
        before, stage = self._last
        if now - before < _SHORTEST_INTERVAL and event.stage == stage and event.done != event.total:
            return
        self._last = (now, event.stage)
        if not self._abandoned:
            self._reported.emit(event)

    def _show(self, event: Progress) -> None:
        if self._worker is None or self._abandoned:
            return
        self.progressed.emit(event)
        bar = self._bar  # drawing runs Qt events, in which the job may end
        if bar is None:
            return
        description = f"{self.title}: {event.stage.lower()}"
        if bar.total != event.total:
            bar.reset(total=event.total)
        if bar.desc.rstrip(": ") != description:
            bar.set_description(description)
        if self._bar is bar and event.done > bar.n:
            bar.update(event.done - bar.n)

    def _finish(self, outcome: tuple[str, Any]) -> None:
        if not self.active:
            return
        kind, value = outcome
        if self._token.cancelled and kind == "succeeded":
            kind = "cancelled"  # the last tile was already done when Cancel came: the user's wish counts
        self._close()
        if kind == "succeeded":
            self.succeeded.emit(value)
        elif kind == "cancelled":
            self.cancelled.emit()
        else:
            self.failed.emit(value)
            if not said_in_view(value):  # as where another dock lies in front
                show_error(value)
        self.ended.emit()

    def _crash(self, error: Exception) -> None:
        if not self.active:
            return
        self._close()
        notification_manager.receive_error(type(error), error, error.__traceback__)
        self.failed.emit(
            f"This is a defect of napari-mpseg, not of your image: {type(error).__name__}: {error}. "
            "Please report it with the details from napari's error message."
        )
        self.ended.emit()

    def _close(self) -> None:
        self._worker = None
        self._close_bar()

    def _close_bar(self) -> None:
        bar, self._bar = self._bar, None
        if bar is not None:
            bar.close()


class TimeLeft:
    """Estimates the time left of each stage from its own pace.

    Examples
    --------
    >>> left = TimeLeft()
    >>> left.text(Progress("Segmenting", 0, 10))
    'Segmenting: 0 of 10 tiles'
    """

    def __init__(self) -> None:
        self._stage = ""
        self._start = (0.0, 0)

    def text(self, event: Progress, now: float | None = None) -> str:
        """Return ``"Segmenting: 12 of 64 tiles, about 20 s left"``."""
        now = time.monotonic() if now is None else now
        if event.stage != self._stage or event.done < self._start[1]:
            self._stage, self._start = event.stage, (now, event.done)
        if not event.total:
            return f"{event.stage} …"
        text = f"{event.stage}: {event.done} of {event.total} {event.unit}"
        elapsed, advanced = now - self._start[0], event.done - self._start[1]
        if advanced <= 0 or elapsed < 1 or event.done >= event.total:
            return text
        return f"{text}, about {duration(elapsed / advanced * (event.total - event.done))} left"


def duration(seconds: float) -> str:
    """Return a duration as a person would say it: ``"8 s"``, ``"3 min"``, ``"2 h 10 min"``."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
