"""What has come of the items asked for: each result handed on once, and counted."""

from collections.abc import Callable, Hashable, Iterable
from typing import Any

from napari_mpseg.progress import Progress, ProgressCallback


class Tally:
    """Hands results on and tells the progress; used by one thread only.

    Parameters
    ----------
    items : iterable of hashable
        What was asked for; an item named twice is done once.
    stage, unit, done, on_result, on_progress
        As a scheduler's ``run`` takes them.
    """

    def __init__(
        self,
        items: Iterable[Hashable],
        stage: str,
        unit: str,
        done: int,
        on_result: Callable[[Any, Any], None],
        on_progress: ProgressCallback,
    ) -> None:
        self.left: dict[Hashable, None] = dict.fromkeys(items)
        """The items whose results have not come, in order."""
        self._stage, self._unit, self._done = stage, unit, done
        self._total = done + len(self.left)
        self._on_result, self._on_progress = on_result, on_progress
        self._tell()

    def take(self, item: Hashable, result: Any) -> None:
        """Hand on the result of an item that was asked for, the first time it comes."""
        if item not in self.left:
            return
        self._on_result(item, result)
        del self.left[item]
        self._done += 1
        self._tell()

    def _tell(self) -> None:
        self._on_progress(Progress(self._stage, self._done, self._total, self._unit))
