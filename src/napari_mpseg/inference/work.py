"""Long work cut into items that can be done anywhere: in a thread, another process, or on another machine."""

from collections.abc import Hashable, Sequence
from typing import Any, Protocol


class Work(Protocol):
    """What a scheduler is given: picklable, and the same wherever it is unpickled.

    A scheduler brings it to every worker once, not once per item. What is costly to build there (a network on its
    device, an open store) is left out of the pickle and made at first use.
    """

    def needs(self, item: Hashable) -> Sequence[Hashable]:
        """Return the items whose results :meth:`do` takes for this one; usually none."""
        ...

    def do(self, item: Hashable, *given: Any) -> Any:
        """Do one item and return a small, picklable result: large ones go to a store.

        Doing an item twice, or again after a worker died half-way, must give the same.

        Parameters
        ----------
        item : hashable
            One of those the scheduler was given, or that another one needs.
        *given
            Results of what :meth:`needs` named, in that order.
        """
        ...
