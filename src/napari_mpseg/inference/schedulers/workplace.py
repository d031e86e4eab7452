"""What stands in every process that does items for another one: the work, unpacked once, and its surroundings."""

import os
import sys
import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from typing import Any

from napari_mpseg.errors import Cancelled
from napari_mpseg.images.reading import reading_alone
from napari_mpseg.inference.memory import reused_memory
from napari_mpseg.inference.schedulers.packing import unpacked
from napari_mpseg.inference.work import Work

_number: ContextVar[int | None] = ContextVar("napari_mpseg_worker", default=None)


def worker_number() -> int | None:
    """Return which of the workers on this machine does the item at hand, counted from 0; None outside workers.

    For what is to be shared out among them: of several GPUs each worker takes its own.
    """
    return _number.get()


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return max(1, os.cpu_count() or 1)


class Workplace:
    """Does items of one work in this process.

    Parameters
    ----------
    content : callable
        Returns the packed work; called once, at the first item.
    number : int
        Which worker of this machine this is.
    threads : int
        How many cores it may use.
    at_once : int, optional
        Items that may be done at a time; default as many as come.
    """

    def __init__(self, content: Callable[[], bytes], number: int, threads: int, at_once: int | None = None) -> None:
        self._content, self._number, self._threads = content, number, threads
        self._lock = threading.Lock()
        self._hands = threading.BoundedSemaphore(at_once) if at_once else None
        self._work: Work | None = None
        self._around = ExitStack()
        self._counting = threading.Lock()
        self.active = 0
        self.closed = False

    def do(self, item: Hashable, *given: Any) -> Any:
        """Do one item.

        Raises
        ------
        Cancelled
            If the workplace was closed.
        """
        with self._counted(), self._one_of_its_hands(), reading_alone():
            if self.closed:
                raise Cancelled("the run has ended")
            return self.ready().do(item, *given)

    def ready(self) -> Work:
        """Unpack the work if that was not done yet, and let it check that it can be done here."""
        with self._lock:
            if self._work is None:
                _limit_new_libraries(self._threads)
                work: Work = unpacked(self._content())
                _limit_loaded_libraries(self._threads)
                self._around.enter_context(reused_memory())
                check = getattr(work, "check", None)
                if check is not None:
                    check()
                self._work = work
            return self._work

    def close(self) -> None:
        """Let no further item begin; those at work go on, and are counted in `active`."""
        self.closed = True

    def clear(self) -> None:
        """Give back what was taken; for when nothing is at work any more."""
        with self._lock:
            self._work = None
            self._around.close()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        token = _number.set(self._number)
        with self._counting:
            self.active += 1
        try:
            yield
        finally:
            with self._counting:
                self.active -= 1
            _number.reset(token)

    @contextmanager
    def _one_of_its_hands(self) -> Iterator[None]:
        if self._hands is None:
            yield
            return
        with self._hands:
            yield


def _limit_new_libraries(threads: int) -> None:
    """Say how many threads to start to the libraries that read it when they are loaded."""
    for library, variable in (("torch", "OMP_NUM_THREADS"), ("numba", "NUMBA_NUM_THREADS")):
        if library not in sys.modules:
            os.environ[variable] = str(threads)


def _limit_loaded_libraries(threads: int) -> None:
    torch = sys.modules.get("torch")
    if torch is not None and torch.get_num_threads() != threads:
        torch.set_num_threads(threads)
