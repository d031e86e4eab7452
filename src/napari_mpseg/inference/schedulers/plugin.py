"""The work of a run on the workers of a dask cluster: brought to each once. Needs dask.distributed."""

import asyncio
import sys
from collections.abc import Hashable
from importlib import metadata
from typing import Any

from distributed import Worker, WorkerPlugin, get_worker

from napari_mpseg.errors import MpsegError, SettingsError
from napari_mpseg.inference.schedulers.packing import fit_to_travel
from napari_mpseg.inference.schedulers.workplace import Workplace

_COMPARED = ("napari-mpseg", "torch", "numpy", "zarr", "dask", "distributed")
_POLL = 0.02


def versions() -> dict[str, str]:
    """Return the versions that client and workers must share for the same result, or for any."""
    found = {"python": f"{sys.version_info.major}.{sys.version_info.minor}"}
    for name in _COMPARED:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "none"
    return found


class WorkPlugin(WorkerPlugin):  # type: ignore[misc]
    """Holds a :class:`~napari_mpseg.inference.schedulers.workplace.Workplace` on every worker.

    Parameters
    ----------
    name : str
        Different for every run.
    content : bytes
        The packed work.
    at_once : int, optional
        Items that a worker may do at a time; default its threads.
    """

    def __init__(self, name: str, content: bytes, at_once: int | None) -> None:
        self.name = name
        self.content = content
        self.at_once = at_once
        self.versions = versions()
        self.place: Workplace | None = None

    async def setup(self, worker: Worker) -> None:
        """Stand ready; the work is unpacked by the first task, which may take its time."""
        number = await _number_on_its_machine(worker)
        self.place = Workplace(self._checked_content, number, worker.state.nthreads, self.at_once)

    def teardown(self, worker: Worker) -> None:
        """Let go of the work."""
        if self.place is not None:
            self.place.close()
            if not self.place.active:
                self.place.clear()

    def _checked_content(self) -> bytes:
        here = versions()
        other = {name: (theirs, here[name]) for name, theirs in self.versions.items() if here[name] != theirs}
        if other:
            listed = "; ".join(f"{name} {theirs} here, {there} there" for name, (theirs, there) in other.items())
            raise SettingsError(
                f"The cluster's workers have other versions than this program: {listed}. Results would differ. "
                "Start the workers in the same environment."
            )
        return self.content


def do(name: str, item: Hashable, *given: Any) -> Any:
    """Do one item of the run `name`: the task of the cluster."""
    return _told(name, lambda place: place.do(item, *given))


def be_ready(name: str) -> None:
    """Unpack the work and let it check that it can be done on this worker."""
    _told(name, Workplace.ready)


async def leave(name: str, dask_worker: Worker) -> None:
    """Let no item begin any more, and return when those at work have ended."""
    place = _place(dask_worker, name)
    if place is not None:
        place.close()
        while place.active:
            await asyncio.sleep(_POLL)


def _told(name: str, use: Any) -> Any:
    worker = get_worker()
    place = _place(worker, name)
    if place is None:
        raise MpsegError(f"Worker {worker.address} does not know this run any more: it has ended.")
    try:
        return use(place)
    except Exception as error:
        travelling = fit_to_travel(error, f"worker {worker.address}")
        if travelling is error:
            raise
        raise travelling from None


def _place(worker: Worker, name: str) -> Workplace | None:
    plugin = worker.plugins.get(name)
    return None if plugin is None else plugin.place


async def _number_on_its_machine(worker: Worker) -> int:
    """Return which of the workers of its machine this is, the same after a restart."""
    if "dask_cuda" in sys.modules:  # which shows every worker its own GPU as the first
        return 0
    there = await worker.scheduler.identity()
    host = worker.address.rpartition(":")[0]
    names = [(str(other["name"]), address) for address, other in there["workers"].items()]
    same = sorted((name, address) for name, address in names if address.rpartition(":")[0] == host)
    mine = (str(worker.name), worker.address)
    return same.index(mine) if mine in same else len(same)
