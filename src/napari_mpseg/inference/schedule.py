"""Run dask tasks with progress, and stop within one task when asked."""

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from napari_mpseg.progress import CancelToken, Progress, ProgressCallback

R = TypeVar("R")
WORKERS = max(1, min(4, os.cpu_count() or 1))


class RunningTasks:
    """Counts tasks at work, so that nothing is cleaned up under one that still writes."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._active = 0

    def __enter__(self) -> None:
        with self._condition:
            self._active += 1

    def __exit__(self, *_: object) -> None:
        with self._condition:
            self._active -= 1
            self._condition.notify_all()

    def wait(self) -> None:
        """Return when no task is at work."""
        with self._condition:
            self._condition.wait_for(lambda: self._active == 0)


def run_tasks(
    tasks: Sequence[Any],
    *,
    stage: str,
    on_progress: ProgressCallback,
    cancel: CancelToken,
    running: RunningTasks,
    unit: str = "tiles",
    workers: int = WORKERS,
) -> list[Any]:
    """Compute dask `tasks` on threads and return their results in order.

    Parameters
    ----------
    tasks : sequence of dask.delayed.Delayed
        Each should do its work through :func:`guarded`.
    stage, unit : str
        For the progress events, one per finished task.
    workers : int
        Threads; so many tasks are in flight.

    Raises
    ------
    Cancelled
        Within one task of the token being set.
    """
    import dask

    done = 0
    lock = threading.Lock()

    def count(result: R) -> R:
        nonlocal done
        with lock:
            done += 1
            on_progress(Progress(stage, done, len(tasks), unit))
        return result

    on_progress(Progress(stage, 0, len(tasks), unit))
    counted = [dask.delayed(count, pure=False)(task) for task in tasks]
    try:
        # threads of its own: they start, and take their memory, under the allocator settings of this run
        with ThreadPoolExecutor(workers, "napari-mpseg") as pool:
            return list(dask.compute(*counted, scheduler="threads", pool=pool))
    finally:
        running.wait()
        cancel.check()


def guarded(function: Callable[..., R], running: RunningTasks, cancel: CancelToken) -> Callable[..., R]:
    """Return `function` that first looks at the cancel token, and is counted while it works."""

    def call(*args: Any) -> R:
        with running:
            cancel.check()
            return function(*args)

    return call
