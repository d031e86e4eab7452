"""Progress events and cancelling, without any GUI.

Long work takes ``on_progress`` (called with :class:`Progress` events, possibly from a worker thread) and
``cancel`` (a :class:`CancelToken`). The work calls :meth:`CancelToken.check` at every tile or step, so it
stops within one of them by raising :class:`~napari_mpseg.errors.Cancelled`.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from napari_mpseg.errors import Cancelled


@dataclass(frozen=True)
class Progress:
    """How far a piece of long work has come.

    Attributes
    ----------
    stage : str
        What is being done, in words for the user: ``"Segmenting"``.
    done, total : int
        Finished and all units of this stage; ``total`` 0 means unknown.
    unit : str
        What the units are: ``"tiles"``.
    """

    stage: str
    done: int
    total: int
    unit: str = "tiles"

    @property
    def fraction(self) -> float:
        """Finished share, 0 to 1 (0 where the total is unknown)."""
        return self.done / self.total if self.total else 0.0


ProgressCallback = Callable[[Progress], None]


def silent(event: Progress) -> None:
    """Take a progress event and do nothing."""


class CancelToken:
    """A flag that one thread sets and the work in another reads."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        """Ask the work to stop."""
        self._event.set()

    @property
    def cancelled(self) -> bool:
        """Whether the work was asked to stop."""
        return self._event.is_set()

    def check(self) -> None:
        """Raise :class:`~napari_mpseg.errors.Cancelled` if the work was asked to stop."""
        if self._event.is_set():
            raise Cancelled("cancelled by the user")
