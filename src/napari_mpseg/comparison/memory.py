"""How much memory a piece of work takes, as far as the process can tell."""

import os
import threading
from pathlib import Path
from types import TracebackType
from typing import Any

HOW_MEASURED = (
    "Memory is what the process held in RAM at most (resident set, looked at every 20 ms) above what it held when the "
    "image was begun. Memory that earlier work had freed but the process had kept is used again unseen, so the "
    "figure of a method's first image says most; the largest of all images is shown."
)

_EVERY = 0.02  # seconds
_STATM = Path("/proc/self/statm")


class PeakMemory:
    """Watches the process while a block runs.

    Attributes
    ----------
    peak : int or None
        Bytes above the start; None where the system does not tell and psutil is not installed.
    """

    def __init__(self) -> None:
        self.peak: int | None = None
        self._done = threading.Event()
        self._start = 0
        self._thread: threading.Thread | None = None

    def __enter__(self) -> "PeakMemory":
        start = resident()
        if start is not None:
            self._start, self.peak = start, 0
            self._thread = threading.Thread(target=self._watch, daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        if self._thread is not None:
            self._thread.join()
            self._look()

    def _watch(self) -> None:
        while not self._done.wait(_EVERY):
            self._look()

    def _look(self) -> None:
        self.peak = max(self.peak or 0, (resident() or 0) - self._start)


def resident() -> int | None:
    """Return the bytes the process holds in RAM, or None where that cannot be known."""
    try:
        return int(_STATM.read_text(encoding="ascii").split()[1]) * int(os.sysconf("SC_PAGE_SIZE"))
    except (OSError, ValueError, AttributeError, IndexError):
        return _by_psutil()


def _by_psutil() -> int | None:
    try:
        import psutil  # type: ignore[import-not-found, import-untyped, unused-ignore]
    except ImportError:
        return None
    process: Any = psutil.Process()
    return int(process.memory_info().rss)
