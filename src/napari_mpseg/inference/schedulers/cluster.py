"""Items done by the workers of a dask cluster: one of this machine, or any by its address or client."""

import logging
import time
import uuid
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from napari_mpseg.errors import SettingsError
from napari_mpseg.inference.schedulers.extra import distributed
from napari_mpseg.inference.schedulers.packing import packed
from napari_mpseg.inference.schedulers.registry import SCHEDULERS, SchedulerEntry, parse_count
from napari_mpseg.inference.schedulers.tally import Tally
from napari_mpseg.inference.schedulers.workplace import cores
from napari_mpseg.inference.work import Work
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback

_IN_FLIGHT_PER_THREAD = 20
_COUNT_AGAIN = 5.0  # seconds after which workers are counted again
_CONNECTING = 20  # seconds
_POLL = 0.2


class ClientScheduler:
    """The cluster of a ``distributed.Client``, which stays open.

    Parameters
    ----------
    client : distributed.Client
        Not an asynchronous one.

    Raises
    ------
    SettingsError
        If the client is asynchronous.
    """

    name = "distributed"

    def __init__(self, client: Any) -> None:
        if getattr(client, "asynchronous", False):
            raise SettingsError("The client is asynchronous. Make one that is not: distributed.Client(address).")
        self.client = client

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

        Raises
        ------
        SettingsError
            If client and workers have other versions.
        StoreError
            If the connection was lost, or a worker does not see the folder of the results.
        MpsegError
            If workers die again and again at the same item.
        """
        run_on(self.client, work, Tally(items, stage, unit, done, on_result, on_progress), on_progress, cancel, workers)


class AddressScheduler:
    """The cluster at an address.

    Parameters
    ----------
    address : str
        ``"tcp://host:8786"`` or ``"tls://host:8786"``; how to prove who one is stands in dask's configuration then.
    """

    name = "distributed"

    def __init__(self, address: str) -> None:
        distributed()
        self.address = address

    def run(self, work: Work, items: Iterable[Hashable], **how: Any) -> None:
        """Do `items`; see :class:`ClientScheduler`."""
        with self._client() as client:
            ClientScheduler(client).run(work, items, **how)

    @contextmanager
    def _client(self) -> Iterator[Any]:
        try:
            client = distributed().Client(self.address, timeout=_CONNECTING, set_as_default=False)
        except (OSError, ValueError, ImportError) as error:
            raise SettingsError(
                f"No dask scheduler answers at {self.address} ({error}). Start one with: dask scheduler, and give the "
                "address that it prints."
            ) from error
        with client:
            yield client


class LocalClusterScheduler:
    """A dask cluster on this machine, started for the purpose.

    Parameters
    ----------
    workers : int, optional
        Processes; default one per core, four at most. Each has its share of the cores.
    """

    name = "distributed"

    def __init__(self, workers: int | None = None) -> None:
        distributed()
        self.workers = workers or min(4, cores())
        self._cluster: Any = None
        self._client: Any = None
        self._kept = 0

    def __enter__(self) -> "LocalClusterScheduler":
        self._kept += 1
        return self

    def __exit__(self, *_: object) -> None:
        self._kept -= 1
        if not self._kept and self._cluster is not None:
            with suppress(TimeoutError):
                self._client.close()
                self._cluster.close()
            self._cluster = self._client = None

    def run(self, work: Work, items: Iterable[Hashable], **how: Any) -> None:
        """Do `items`; see :class:`ClientScheduler`."""
        with self:
            ClientScheduler(self._started()).run(work, items, **how)

    def _started(self) -> Any:
        if self._cluster is None:
            try:
                self._cluster = self._local_cluster()
            except RuntimeError as error:
                raise SettingsError(
                    f"No cluster could be started on this machine ({error}). In a script, what starts processes must "
                    "stand under if __name__ == '__main__':, as each of them reads the script again."
                ) from error
            self._client = distributed().Client(self._cluster, set_as_default=False)
        return self._client

    def _local_cluster(self) -> Any:
        return distributed().LocalCluster(
            n_workers=self.workers,
            threads_per_worker=max(1, cores() // self.workers),
            processes=True,
            dashboard_address=None,
            # nothing large is kept that could be moved to the disk, and a paused worker waits for ever
            memory_limit=None,
            silence_logs=logging.CRITICAL,
        )


def run_on(
    client: Any, work: Work, tally: Tally, on_progress: ProgressCallback, cancel: CancelToken, at_once: int | None
) -> None:
    """Do what is left in `tally` on a client's cluster; nothing of it runs any more when this returns."""
    from napari_mpseg.inference.schedulers import plugin
    from napari_mpseg.inference.schedulers.flight import Flight

    if not tally.left:
        return
    content = packed(work)
    _wait_for_workers(client, on_progress, cancel)
    check_environment(client)
    name = f"napari-mpseg-{uuid.uuid4().hex}"
    flight = Flight(client, work, name, cancel)
    client.register_plugin(plugin.WorkPlugin(name, content, at_once), name=name)
    try:
        for address in client.nthreads():
            ready = {"key": f"{name}-ready-{uuid.uuid4().hex}", "pure": False}
            # should this worker be gone by then, any other will do
            where = {"workers": [address], "allow_other_workers": True}
            flight.send("what all tiles need", client.submit(plugin.be_ready, name, **ready, **where))
        while flight.waits:
            flight.arrived()
        flight.bring(list(tally.left), _Limit(client), tally.take)
    finally:
        flight.cancel()
        if client.status == "running":
            client.run(plugin.leave, name, on_error="ignore")
            client.unregister_worker_plugin(name)
    cancel.check()


class _Limit:
    """How many items may be in flight: enough for the workers there are, few enough for the scheduler."""

    def __init__(self, client: Any) -> None:
        self._client, self._counted, self._limit = client, -_COUNT_AGAIN, 0

    def __call__(self) -> int:
        if time.monotonic() - self._counted > _COUNT_AGAIN:
            threads = sum(self._client.nthreads().values())
            self._limit = max(1, threads) * _IN_FLIGHT_PER_THREAD
            self._counted = time.monotonic()
        return self._limit


def _wait_for_workers(client: Any, on_progress: ProgressCallback, cancel: CancelToken) -> None:
    """Return when there is one worker at least; a batch system may let them wait for hours."""
    told = False
    while not client.nthreads():
        if not told:
            on_progress(Progress("Waiting for the cluster's workers", 0, 0, "workers"))
            told = True
        cancel.check()
        time.sleep(_POLL)


def check_environment(client: Any) -> None:
    """Fail where this package is missing, or Python another one: nothing that is sent could be read there.

    Raises
    ------
    SettingsError
    """
    there = client.get_versions(packages=["napari_mpseg"])
    here = _environment(there["client"])
    for place, found in {"the scheduler": there["scheduler"], **there["workers"]}.items():
        if not isinstance(found, dict):
            continue
        other = _environment(found)
        if other != here:
            name = place if place == "the scheduler" else f"the worker {place}"
            raise SettingsError(
                f"On {name} there is Python {other[0]} with napari-mpseg {other[1] or 'not installed'}, here Python "
                f"{here[0]} with {here[1]}. Start scheduler and workers in the same environment as this program."
            )


def _environment(versions: Any) -> tuple[str, str | None]:
    python = str(dict(versions["host"])["python"])
    return ".".join(python.split(".")[:2]), versions["packages"].get("napari_mpseg")


SCHEDULERS.add(
    "distributed",
    SchedulerEntry(
        "Dask cluster of this machine",
        "Started for the run, with so many workers; as with processes, but a worker that dies is replaced at once.",
        lambda rest: LocalClusterScheduler(parse_count("distributed", rest)),
        "distributed:4",
    ),
)
for _protocol in ("tcp", "tls"):
    SCHEDULERS.add(
        _protocol,
        SchedulerEntry(
            f"Dask cluster ({_protocol})",
            "The cluster whose scheduler is at this address; its workers must see the folder of the results.",
            lambda rest, protocol=_protocol: AddressScheduler(f"{protocol}:{rest}"),  # type: ignore[misc]
            f"{_protocol}://host:8786",
        ),
    )
