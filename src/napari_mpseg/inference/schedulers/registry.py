"""The schedulers there are, by name."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from napari_mpseg.inference.work import Work
from napari_mpseg.progress import CancelToken, ProgressCallback
from napari_mpseg.registry import Registry


class Scheduler(Protocol):
    """Does the items of some work, each once what it needs is there."""

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
            Items in flight on this machine; default what the scheduler finds right.

        Raises
        ------
        Cancelled
            Within one item of the token being set; nothing runs any more then.
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
    """

    title: str
    summary: str
    build: Callable[[str], Scheduler]


SCHEDULERS: Registry[SchedulerEntry] = Registry("scheduler")


def find_scheduler(chosen: "str | Scheduler | None") -> Scheduler:
    """Return the scheduler of a name such as ``"threads"``, ``"processes:4"``, or the one given.

    Raises
    ------
    UnknownNameError
        If there is none of that name.
    """
    from napari_mpseg.inference.schedulers import threads  # noqa: F401 - registers itself

    if chosen is not None and not isinstance(chosen, str):
        return chosen
    name, _, rest = (chosen or "threads").partition(":")
    return SCHEDULERS[name].build(rest)
