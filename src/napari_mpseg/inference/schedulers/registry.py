"""The schedulers there are, by name."""

from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from napari_mpseg.errors import SettingsError
from napari_mpseg.inference.work import Work
from napari_mpseg.progress import CancelToken, ProgressCallback
from napari_mpseg.registry import Registry


class Scheduler(Protocol):
    """Does the items of some work, each once what it needs is there.

    One that starts processes is a context manager too: within the block they stay for the next :meth:`run`, without it
    every run starts its own. :func:`opened` takes care of that.
    """

    name: str

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
        """Do `items`, and give each result to `on_result` in this thread as it comes; it is not kept.

        Parameters
        ----------
        work : Work
        items : iterable of hashable
            What is asked for; what these need is done too, its results are not given.
        stage, unit : str
            For the progress events, one per finished item.
        done : int
            Items that were done in an earlier run and count as finished.
        on_result : callable
            Takes item and result.
        on_progress : callable
        cancel : CancelToken
        workers : int, optional
            Items in flight in each process; default what the scheduler finds right.

        Raises
        ------
        Cancelled
            Within one item of the token being set; nothing runs any more then.
        SettingsError
            If the work cannot be brought to another process, or the cluster cannot be used.
        Exception
            What an item raised; items in flight have ended then.
        """
        ...


@dataclass(frozen=True)
class SchedulerEntry:
    """One choice in the list of schedulers.

    Attributes
    ----------
    title, summary : str
        What menus, tooltips and the command line show.
    build : callable
        Takes what follows the name and a colon in ``"processes:4"`` (may be empty), returns a :class:`Scheduler`.
    example : str
        As it may be written.
    """

    title: str
    summary: str
    build: Callable[[str], Scheduler]
    example: str = ""


SCHEDULERS: Registry[SchedulerEntry] = Registry("scheduler")


def find_scheduler(chosen: Any) -> Scheduler:
    """Return the scheduler of a name such as ``"threads"``, ``"processes:4"`` or ``"tcp://host:8786"``.

    Parameters
    ----------
    chosen : str, Scheduler, distributed.Client or None
        None is ``"threads"``; a client stands for its cluster; a scheduler is returned as it is.

    Raises
    ------
    UnknownNameError
        If there is none of that name.
    SettingsError
        If what follows the name makes no sense, or dask.distributed is not installed.
    """
    if chosen is None:
        chosen = "threads"
    if isinstance(chosen, str):
        name, _, rest = chosen.partition(":")
        return SCHEDULERS[name].build(rest)
    if hasattr(chosen, "scheduler_info"):
        from napari_mpseg.inference.schedulers.cluster import ClientScheduler

        return ClientScheduler(chosen)
    found: Scheduler = chosen
    return found


@contextmanager
def opened(chosen: Any) -> Iterator[Scheduler]:
    """Give the scheduler, whose processes stay for the whole block; see :func:`find_scheduler` for the choices."""
    with ExitStack() as stack:
        scheduler = find_scheduler(chosen)
        if isinstance(scheduler, AbstractContextManager):
            stack.enter_context(scheduler)
        yield scheduler


def parse_count(name: str, rest: str) -> int | None:
    """Return the number in ``"processes:4"``, None where there is none.

    Raises
    ------
    SettingsError
        If it is not a whole number of 1 or more.
    """
    if not rest:
        return None
    if not rest.isdecimal() or int(rest) < 1:
        raise SettingsError(f"The scheduler {name}:{rest} makes no sense: give a number of 1 or more, as in {name}:2.")
    return int(rest)
