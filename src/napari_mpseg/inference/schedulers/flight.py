"""Items of one run on their way through a dask cluster."""

import queue
import uuid
from collections.abc import Callable, Hashable
from functools import partial
from typing import Any

from napari_mpseg.errors import MpsegError, StoreError
from napari_mpseg.inference.schedulers import plugin
from napari_mpseg.inference.work import Work
from napari_mpseg.progress import CancelToken

_POLL = 0.1


class Flight:
    """Brings items to a cluster, a limited number at a time, and their results back.

    What items need stays on the workers; a worker's death costs what it was doing and what it held, which the
    cluster does again.

    Parameters
    ----------
    client : distributed.Client
    work : Work
    name : str
        The run's.
    cancel : CancelToken
    """

    def __init__(self, client: Any, work: Work, name: str, cancel: CancelToken) -> None:
        self._client, self._work, self._name, self._cancel = client, work, name, cancel
        self._ended: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._flying: dict[str, tuple[Hashable, Any]] = {}
        self._needed: dict[Hashable, Any] = {}
        self._items: dict[str, Hashable] = {}
        self._users: dict[Hashable, int] = {}

    def expect(self, items: list[Hashable]) -> None:
        """Count how often everything is needed, so that it can be let go after the last time."""
        left = list(items)
        seen = set(items)
        while left:
            for need in self._work.needs(left.pop()):
                self._users[need] = self._users.get(need, 0) + 1
                if need not in seen:
                    seen.add(need)
                    left.append(need)

    def bring(self, items: list[Hashable], limit: Callable[[], int], take: Callable[[Any, Any], None]) -> None:
        """Do `items` and hand their results to `take`.

        Parameters
        ----------
        limit : callable
            Returns how many may be in flight.
        """
        self.expect(items)
        left = list(reversed(items))
        while left or self._flying:
            while left and len(self._flying) < limit():
                item = left.pop()
                self.send(item, self._submitted(item))
            for item, result in self.arrived():
                take(item, result)
                self._let_go(item)

    def send(self, item: Hashable, future: Any) -> None:
        """Wait for a future under the name of `item`."""
        self._flying[future.key] = (item, future)
        future.add_done_callback(self._ended.put)

    @property
    def waits(self) -> bool:
        """Whether anything is in flight."""
        return bool(self._flying)

    def arrived(self) -> list[tuple[Hashable, Any]]:
        """Wait for the next results and return them with their items.

        Raises
        ------
        Cancelled
            If the token was set.
        Exception
            What an item raised.
        """
        ended = [self._next()]
        while not self._ended.empty():
            ended.append(self._ended.get())
        items = [self._flying.pop(future.key)[0] for future in ended]
        for item, future in zip(items, ended, strict=True):
            if future.status == "error":
                self._raise(item, future)
            if future.status != "finished":
                raise StoreError(_LOST)
            self._items.pop(future.key, None)
        results = self._client.gather(ended)
        return list(zip(items, results, strict=True))

    def _next(self) -> Any:
        while True:
            self._cancel.check()
            if self._client.status not in ("running", "connecting"):
                raise StoreError(_LOST)
            try:
                return self._ended.get(timeout=_POLL)
            except queue.Empty:
                continue

    def _submitted(self, item: Hashable) -> Any:
        given = []
        for need in self._work.needs(item):
            if need not in self._needed:
                self._needed[need] = self._submitted(need)
            given.append(self._needed[need])
        key = f"{self._name}-{uuid.uuid4().hex}"
        self._items[key] = item
        # bound into the function, an item is out of reach for dask, which looks for keys among the arguments
        return self._client.submit(partial(plugin.do, self._name, item), *given, key=key, pure=False)

    def _let_go(self, item: Hashable) -> None:
        for need in self._work.needs(item):
            self._users[need] -= 1
            if not self._users[need]:
                future = self._needed.pop(need, None)
                if future is not None:
                    self._items.pop(future.key, None)
                    self._let_go(need)

    def _raise(self, item: Hashable, future: Any) -> None:
        from distributed.scheduler import KilledWorker

        error = future.exception()
        if isinstance(error, KilledWorker):
            culprit = self._items.get(str(error.task), item)
            raise MpsegError(
                f"Workers that do {culprit} die every time: killed for want of memory, most likely, or by a defect of "
                "a library. Choose smaller tiles, or give workers more memory. Their logs say more."
            ) from error
        raise error

    def cancel(self) -> None:
        """Take back what no worker has begun; results that are on their way are not waited for."""
        futures = [future for _, future in self._flying.values()] + list(self._needed.values())
        if futures and self._client.status == "running":
            self._client.cancel(futures, force=True)
        self._flying.clear()
        self._needed.clear()


_LOST = (
    "The connection to the cluster's scheduler was lost, or it was restarted. What is finished is kept: see that the "
    "cluster runs, and start the same again."
)
