"""Items done by threads of this process."""

import os
import threading
from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from napari_mpseg.errors import Cancelled
from napari_mpseg.inference.schedulers.on_this_machine import run_graph
from napari_mpseg.inference.schedulers.registry import SCHEDULERS, SchedulerEntry, parse_count
from napari_mpseg.inference.schedulers.tally import Tally
from napari_mpseg.inference.work import Work
from napari_mpseg.progress import CancelToken, ProgressCallback

WORKERS = max(1, min(4, os.cpu_count() or 1))
"""Threads, where neither the method nor the user says how many."""


class ThreadScheduler:
    """Dask's scheduler for one machine, with threads.

    Parameters
    ----------
    workers : int, optional
        Threads; a method that says how many windows it can take at once has the last word.
    """

    name = "threads"

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers

    def run(
        self,
        work: Work,
        items: Iterable[Hashable],
        *,
        stage: str,
        unit: str = "tiles",
        done: int = 0,
        on_result: Callable[[Any, Any], None],
        on_progress: ProgressCallback,
        cancel: CancelToken,
        workers: int | None = None,
    ) -> None:
        """Do `items`; see :class:`~napari_mpseg.inference.schedulers.registry.Scheduler`."""
        tally = Tally(items, stage, unit, done, on_result, on_progress)
        stopped = threading.Event()

        def do(item: Hashable, *given: Any) -> Any:
            if stopped.is_set():
                raise Cancelled("another item failed")
            cancel.check()
            return work.do(item, *given)

        threads = workers or self.workers or WORKERS
        # threads of its own: they start, and take their memory, under the allocator settings of this run
        with ThreadPoolExecutor(threads, "napari-mpseg") as pool:
            try:
                run_graph(work, do, tally, cancel, submit=pool.submit, at_once=threads + 1)
            finally:
                stopped.set()
        cancel.check()


SCHEDULERS.add(
    "threads",
    SchedulerEntry(
        "Threads",
        "Threads of this process: nothing is started, nothing has to be copied. Right for one machine.",
        lambda rest: ThreadScheduler(parse_count("threads", rest)),
        "threads:4",
    ),
)
