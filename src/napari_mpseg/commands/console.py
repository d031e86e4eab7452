"""Progress and interruption on a terminal."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from napari_mpseg.progress import CancelToken, Progress, ProgressCallback

_PAUSE = 5.0  # seconds between two lines where no line can be written over


def say(text: str = "") -> None:
    """Print a line for the user at once.

    If nobody reads any more (``| head``), what follows is not printed, and the work goes on.
    """
    try:
        print(text, flush=True)  # noqa: T201
    except BrokenPipeError:
        # another stdout, so that closing it at the end stays silent too
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class ProgressLine:
    """Shows progress as one line that is written over; on anything but a terminal, as a line every few seconds.

    Parameters
    ----------
    quiet : bool
        Show nothing.
    """

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet
        self._terminal = sys.stderr.isatty()
        self._stage = ""
        self._started = 0.0
        self._before = 0  # done before this stage began to be watched: by an earlier run
        self._shown: tuple[float, float] = 0.0, -1.0  # when, and which fraction
        self._lock = threading.Lock()

    def __call__(self, event: Progress) -> None:
        """Show a progress event."""
        if self._quiet or not event.total:
            return
        with self._lock:
            now = time.monotonic()
            if event.stage != self._stage:
                self._stage, self._started, self._shown = event.stage, now, (now, -1.0)
                self._before = event.done
            if not self._is_worth_it(event, now):
                return
            self._shown = now, event.fraction
            try:
                self._show(f"{event.stage}: {event.done} of {event.total} {event.unit}{self._left(event, now)}", event)
            except (OSError, ValueError):  # nobody listens any more
                self._quiet = True

    def _is_worth_it(self, event: Progress, now: float) -> bool:
        when, fraction = self._shown
        if event.fraction == fraction:
            return False
        if self._terminal:
            return event.fraction == 1 or event.fraction - fraction >= 0.005
        return event.fraction == 1 or now - when >= _PAUSE

    def _show(self, text: str, event: Progress) -> None:
        if self._terminal:
            end = "\n" if event.done == event.total else ""
            print(f"\r\x1b[K{text}", end=end, file=sys.stderr, flush=True)  # noqa: T201
        else:
            print(text, file=sys.stderr, flush=True)  # noqa: T201

    def _left(self, event: Progress, now: float) -> str:
        gone = now - self._started
        done = event.done - self._before
        if done <= 0 or event.done == event.total or gone < 1:
            return ""
        seconds = gone / done * (event.total - event.done)
        return f", about {seconds:.0f} s left" if seconds < 90 else f", about {seconds / 60:.0f} min left"


@contextmanager
def console_work(quiet: bool = False) -> Iterator[tuple[ProgressCallback, CancelToken]]:
    """Give progress and a cancel token that the first Ctrl-C (or a polite kill) sets; a second one ends at once."""
    cancel = CancelToken()

    def stop(number: int, frame: FrameType | None) -> None:
        if cancel.cancelled:
            raise KeyboardInterrupt
        cancel.cancel()

    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield ProgressLine(quiet), cancel
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
