"""Items done by threads of this process."""

import threading
from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from napari_mpseg.inference.schedule import WORKERS, RunningTasks
from napari_mpseg.inference.schedulers.registry import SCHEDULERS, SchedulerEntry
from napari_mpseg.inference.work import Work
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback


class ThreadScheduler:
    """Dask's threaded scheduler."""

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
        from dask.threaded import get

        asked = list(items)
        running, lock = RunningTasks(), threading.Lock()
        finished = done

        def do(item: Hashable, *given: Any) -> Any:
            with running:
                cancel.check()
                return work.do(item, *given)

        def take(item: Hashable, result: Any) -> None:
            nonlocal finished
            with lock:
                on_result(item, result)
                finished += 1
                on_progress(Progress(stage, finished, done + len(asked), unit))

        graph: dict[Any, Any] = {}
        keys: dict[Hashable, str] = {}

        def key_of(item: Hashable) -> str:
            if item not in keys:
                keys[item] = f"item-{len(keys)}"
                graph[keys[item]] = (do, item, *(key_of(need) for need in work.needs(item)))
            return keys[item]

        for number, item in enumerate(asked):
            graph[f"taken-{number}"] = (take, item, key_of(item))
        on_progress(Progress(stage, done, done + len(asked), unit))
        try:
            with ThreadPoolExecutor(workers or self.workers or WORKERS, "napari-mpseg") as pool:
                get(graph, [f"taken-{number}" for number in range(len(asked))], pool=pool)
        finally:
            running.wait()
            cancel.check()


def _build(rest: str) -> ThreadScheduler:
    return ThreadScheduler(int(rest) if rest else None)


SCHEDULERS.add("threads", SchedulerEntry("Threads", "Threads of this process.", _build))
