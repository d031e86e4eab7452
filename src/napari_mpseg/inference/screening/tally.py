"""Counts of what was skipped, across threads."""

import threading
from typing import Any


class Skipped:
    """Counts pixels that were answered for, and those of them that were not computed.

    Safe to use from several threads. A copy in another process starts at zero and counts for itself.

    Attributes
    ----------
    total, skipped : int
        Pixels.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._own = threading.local()
        self.total = self.skipped = 0

    def add(self, total: int, skipped: int) -> None:
        """Count the pixels of one window."""
        with self._lock:
            self.total += total
            self.skipped += skipped
        before = getattr(self._own, "counts", (0, 0))
        self._own.counts = (before[0] + total, before[1] + skipped)

    def take_own(self) -> tuple[int, int]:
        """Return what this thread counted, total and skipped, since it asked last."""
        found: tuple[int, int] = getattr(self._own, "counts", (0, 0))
        self._own.counts = (0, 0)
        return found

    @property
    def share(self) -> float:
        """Skipped share of what was answered for, 0 to 1 (0 before anything was)."""
        with self._lock:
            return self.skipped / self.total if self.total else 0.0

    def __getstate__(self) -> dict[str, Any]:
        return {}

    def __setstate__(self, state: dict[str, Any]) -> None:
        Skipped.__init__(self)
