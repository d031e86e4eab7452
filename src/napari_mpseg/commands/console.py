"""Progress and interruption on a terminal."""

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from napari_mpseg.progress import CancelToken, Progress, ProgressCallback


def say(text: str = "") -> None:
    """Print a line for the user."""
    print(text)  # noqa: T201


class ProgressLine:
    """Shows progress as one line that is written over; on anything but a terminal, as a line per tenth."""

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet
        self._terminal = sys.stderr.isatty()
        self._stage = ""
        self._started = 0.0
        self._shown = -1
        self._lock = threading.Lock()

    def __call__(self, event: Progress) -> None:
        """Show a progress event."""
        if self._quiet:
            return
        with self._lock:
            if event.stage != self._stage:
                self._stage, self._started, self._shown = event.stage, time.monotonic(), -1
            tenth = int(event.fraction * (200 if self._terminal else 10))
            if tenth == self._shown:
                return
            self._shown = tenth
            text = f"{event.stage}: {event.done} of {event.total} {event.unit}{self._left(event)}"
            if self._terminal:
                end = "\n" if event.done == event.total else ""
                print(f"\r\x1b[K{text}", end=end, file=sys.stderr, flush=True)  # noqa: T201
            else:
                print(text, file=sys.stderr, flush=True)  # noqa: T201

    def _left(self, event: Progress) -> str:
        gone = time.monotonic() - self._started
        if not event.done or event.done == event.total or gone < 1:
            return ""
        seconds = gone / event.done * (event.total - event.done)
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
