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
        self._futures: dict[Hashable, Any] = {}
        self._users: dict[Hashable, int] = {}
        self._suspected: list[Hashable] = []

    def _expect(self, items: list[Hashable]) -> None:
        """Count by how many everything is wanted, so that it can be let go after the last one."""
        left = list(items)
        self._users = dict.fromkeys(items, 1)
        while left:
            for need in self._work.needs(left.pop()):
                if need not in self._users:
                    left.append(need)
                self._users[need] = self._users.get(need, 0) + 1

    def bring(self, items: list[Hashable], limit: Callable[[], int], take: Callable[[Any, Any], None]) -> None:
        """Do `items` and hand their results to `take`.

        Parameters
        ----------
        limit : callable
            Returns how many may be in flight.
        """
        self._expect(items)
        left = list(reversed(items))
        looked_at = 0
        while left or self._flying or looked_at < len(self._suspected):
            if not left and not self._flying:
                # what was on workers when they died comes last and alone: then it is seen which of it kills
                left.append(self._suspected[looked_at])
                looked_at += 1
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
        """Wait for the next results and return them with their items; none if workers died of what came next.

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
        return [(item, result) for future in ended for item, result in self._landed(future)]

    def _landed(self, future: Any) -> list[tuple[Hashable, Any]]:
        """Return the result with its item; nothing if the item has to be waited for again."""
        item, _ = self._flying.pop(future.key)
        if future.status == "finished":
            try:
                return [(item, future.result())]
            except Exception:
                # The worker that held it has died and the next one failed at it, or it was lost for good.
                if future.status == "finished":
                    raise
        if future.status in ("lost", "pending"):
            self.send(item, future)
        elif future.status == "error":
            self._raise_or_suspect(item, future)
        else:
            raise StoreError(_LOST)
        return []

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
        if item not in self._futures:
            given = [self._submitted(need) for need in self._work.needs(item)]
            # bound into the function, an item is out of reach for dask, which looks for keys among the arguments
            do = partial(plugin.do, self._name, item)
            self._futures[item] = self._client.submit(do, *given, key=f"{self._name}-{uuid.uuid4().hex}", pure=False)
        return self._futures[item]

    def _let_go(self, item: Hashable) -> None:
        self._users[item] -= 1
        if not self._users[item]:
            self._futures.pop(item, None)
            for need in self._work.needs(item):
                self._let_go(need)

    def _raise_or_suspect(self, item: Hashable, future: Any) -> None:
        """Raise what an item raised; if workers died of it or beside it, the first time only take note of it."""
        from distributed.scheduler import KilledWorker

        error = future.exception()
        if not isinstance(error, KilledWorker):
            raise error
        if item in self._users and item not in self._suspected:
            self._suspected.append(item)
            self._forget(item)
            return
        keys = {future.key: item for item, future in self._futures.items()}
        raise MpsegError(
            f"Workers that do {keys.get(str(error.task), item)} die every time: killed for want of memory, most "
            "likely, or by a defect of a library. Choose smaller tiles, or give workers more memory; their logs say "
            "more."
        ) from error

    def _forget(self, item: Hashable) -> None:
        """Drop the failed futures of an item and all it needs, so that they are made again."""
        future = self._futures.get(item)
        if future is not None and future.status == "error":
            del self._futures[item]
            for need in self._work.needs(item):
                self._forget(need)

    def cancel(self) -> None:
        """Take back what no worker has begun; results that are on their way are not waited for."""
        futures = [*self._futures.values(), *(future for _, future in self._flying.values())]
        if futures and self._client.status == "running":
            self._client.cancel(futures, force=True)
        self._flying.clear()
        self._futures.clear()


_LOST = (
    "The connection to the cluster's scheduler was lost, or it was restarted. What is finished is kept: see that the "
    "cluster runs, and start the same again."
)
