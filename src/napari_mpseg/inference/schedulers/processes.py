"""Items done by other processes of this machine."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from napari_mpseg.errors import MpsegError
from napari_mpseg.inference.schedulers.on_this_machine import run_graph
from napari_mpseg.inference.schedulers.packing import fit_to_travel, packed, to_bytes, unpacked
from napari_mpseg.inference.schedulers.registry import SCHEDULERS, SchedulerEntry, parse_count
from napari_mpseg.inference.schedulers.tally import Tally
from napari_mpseg.inference.schedulers.workplace import Workplace, cores
from napari_mpseg.inference.temporary import temporary_folder
from napari_mpseg.inference.work import Work
from napari_mpseg.leftovers import remove
from napari_mpseg.progress import CancelToken, ProgressCallback

_DEATHS_ALLOWED = 3


class ProcessScheduler:
    """Dask's scheduler for one machine, with processes.

    Every process gets its share of the cores, and unpacks the work once. A process that dies takes what was in flight
    with it, which is then done again.

    Parameters
    ----------
    workers : int, optional
        Processes; default one per core, four at most, because each holds a copy of the network.
    """

    name = "processes"

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or min(4, cores())
        self._pool: ProcessPoolExecutor | None = None
        self._kept = 0

    def __enter__(self) -> "ProcessScheduler":
        self._kept += 1
        return self

    def __exit__(self, *_: object) -> None:
        self._kept -= 1
        if not self._kept:
            self._end_pool()

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
        """Do `items`; see :class:`~napari_mpseg.inference.schedulers.registry.Scheduler`.

        `workers` makes no difference: every process does one item at a time.

        Raises
        ------
        MpsegError
            If processes die again and again at the same item.
        """
        tally = Tally(items, stage, unit, done, on_result, on_progress)
        if not tally.left:
            return
        folder = temporary_folder()
        try:
            path = folder / "work"
            path.write_bytes(packed(work))
            with self:
                self._until_done(work, partial(_do, path), tally, cancel)
        finally:
            remove(folder)
        cancel.check()

    def _until_done(self, work: Work, do: Callable[..., Any], tally: Tally, cancel: CancelToken) -> None:
        deaths: dict[Hashable, int] = {}
        while True:
            flying: set[Hashable] = set()
            futures: set[Any] = set()
            try:
                run_graph(
                    work,
                    do,
                    tally,
                    cancel,
                    submit=partial(_submit, self._pool_there(), futures),
                    at_once=self.workers if deaths else self.workers + 1,
                    flying=flying,
                    dumps=to_bytes,
                    loads=unpacked,
                    pack_exception=_pack_exception,
                    raise_exception=_raise,
                )
            except BrokenProcessPool as error:
                self._end_pool()
                cancel.check()
                _count_deaths(deaths, flying, error)
            except BaseException:
                for future in list(futures):
                    future.cancel()
                wait(list(futures))
                raise
            else:
                return

    def _pool_there(self) -> ProcessPoolExecutor:
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            settle = (context.Value("i", 0), max(1, cores() // self.workers))
            self._pool = ProcessPoolExecutor(self.workers, context, _settle, settle)
        return self._pool

    def _end_pool(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=True, cancel_futures=True)


def _submit(pool: ProcessPoolExecutor, futures: set[Any], function: Callable[..., Any], *tasks: Any) -> Any:
    future = pool.submit(function, *tasks)
    futures.add(future)
    future.add_done_callback(futures.discard)
    return future


def _count_deaths(deaths: dict[Hashable, int], flying: Iterable[Hashable], error: BaseException) -> None:
    """Note what was in flight when a process died, and give up on what was so too often."""
    for item in flying:
        deaths[item] = deaths.get(item, 0) + 1
    worst = max(deaths.values(), default=_DEATHS_ALLOWED)
    if worst < _DEATHS_ALLOWED:
        return
    named = " or ".join(str(item) for item, count in deaths.items() if count == worst)
    raise MpsegError(
        f"Processes that work on {named or 'this'} die every time: killed for want of memory, most likely, or by a "
        "defect of a library. Choose smaller tiles or fewer processes. If nothing at all was done and this is a "
        "script, put what it does under: if __name__ == '__main__'."
    ) from error


def _raise(error: BaseException, _traceback: Any) -> None:
    raise error


# What follows runs in the other processes ----------------------------------------------------------------------------


@dataclass
class _Settled:
    """The number of this process, its share of the cores, and the work it has unpacked last."""

    number: int = 0
    threads: int = 1
    path: Path | None = None
    place: Workplace | None = None


_here = _Settled()


def _settle(count: Any, threads: int) -> None:
    """Give this process its number, and end it when the one that started it was killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches all processes; the one that started this one answers
    with count.get_lock():
        _here.number = int(count.value)
        count.value += 1
    _here.threads = threads
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: Any) -> None:
    parent.join()
    os._exit(1)  # a pool's process would wait for tasks for ever, or go on writing


def _do(path: Path, item: Hashable, *given: Any) -> Any:
    if _here.path != path or _here.place is None:
        if _here.place is not None:
            _here.place.clear()
        _here.path, _here.place = path, Workplace(path.read_bytes, _here.number, _here.threads)
    return _here.place.do(item, *given)


def _pack_exception(error: BaseException, dumps: Callable[[Any], bytes]) -> bytes:
    return dumps((fit_to_travel(error, f"process {os.getpid()}"), None))


SCHEDULERS.add(
    "processes",
    SchedulerEntry(
        "Processes",
        "Other processes of this machine, each with its share of the cores and its own copy of the network. Faster "
        "than threads for methods written in Python, and a crash costs only the tiles in flight.",
        lambda rest: ProcessScheduler(parse_count("processes", rest)),
        "processes:4",
    ),
)
