"""One step of a run done by a thread of its own while another is under way."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from napari_mpseg.progress import CancelToken, Progress, ProgressCallback


class Step(Protocol):
    """A step of a run."""

    def __call__(self, *, on_progress: ProgressCallback, cancel: CancelToken) -> Any:
        """Do it; what it returns is not kept."""
        ...


@contextmanager
def alongside(step: Step, on_progress: ProgressCallback, cancel: CancelToken) -> Iterator[None]:
    """Do `step` while the block runs, and go on when both are done.

    A user sees one step at a time: that of the block, and when it is done, what is left of the other. If the block
    fails, the other is stopped; if the other fails, the block is finished, and the error is raised after it.

    Parameters
    ----------
    step : callable
        Takes ``on_progress`` and ``cancel``.
    on_progress, cancel
        See :mod:`napari_mpseg.progress`.

    Raises
    ------
    Exception
        Whatever the block raises, else whatever `step` raises.
    """
    stop, told = _Either(cancel), _Later(on_progress)
    problem: list[BaseException] = []
    thread = threading.Thread(
        target=_keeping_error, args=(step, told, stop, problem), name="napari-mpseg-alongside", daemon=True
    )
    thread.start()
    try:
        yield
        told.let_through()
    except BaseException:
        stop.cancel()
        raise
    finally:
        thread.join()
    if problem:
        raise problem[0]


def _keeping_error(step: Step, told: "_Later", stop: CancelToken, problem: list[BaseException]) -> None:
    try:
        step(on_progress=told, cancel=stop)
    except BaseException as error:  # raised again by the thread that waits
        problem.append(error)


class _Either(CancelToken):
    """Set by itself, or by another."""

    def __init__(self, other: CancelToken) -> None:
        super().__init__()
        self._other = other

    @property
    def cancelled(self) -> bool:
        return super().cancelled or self._other.cancelled

    def check(self) -> None:
        self._other.check()
        super().check()


class _Later:
    """Keeps progress to itself until it is let through."""

    def __init__(self, on_progress: Callable[[Progress], None]) -> None:
        self._on_progress, self._open = on_progress, False

    def __call__(self, event: Progress) -> None:
        if self._open:
            self._on_progress(event)

    def let_through(self) -> None:
        self._open = True
