"""Calling one function for every item, for steps that are short and stay in this process."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any

from napari_mpseg.inference.schedulers.threads import ThreadScheduler
from napari_mpseg.progress import CancelToken, ProgressCallback


class Each:
    """Work of items that need nothing.

    Parameters
    ----------
    function : callable
        Takes an item.
    """

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function

    def needs(self, item: Hashable) -> Sequence[Hashable]:
        """Return nothing."""
        return ()

    def do(self, item: Hashable, *given: Any) -> Any:
        """Call the function."""
        return self.function(item)


def for_each(
    function: Callable[[Any], Any],
    items: Iterable[Hashable],
    *,
    stage: str,
    unit: str = "tiles",
    on_result: Callable[[Any, Any], None] = lambda item, result: None,
    on_progress: ProgressCallback,
    cancel: CancelToken,
    workers: int | None = None,
) -> None:
    """Call `function` with every item, on threads of this process.

    Parameters
    ----------
    stage, unit, on_result, on_progress, cancel, workers
        See :class:`~napari_mpseg.inference.schedulers.registry.Scheduler`.

    Raises
    ------
    Cancelled
        Within one item of the token being set; nothing runs any more then.
    Exception
        What the function raised; items in flight have ended then.
    """
    ThreadScheduler().run(
        Each(function),
        items,
        stage=stage,
        unit=unit,
        on_result=on_result,
        on_progress=on_progress,
        cancel=cancel,
        workers=workers,
    )
