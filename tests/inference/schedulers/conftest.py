"""Work that writes files, so that it can be seen what was done, where and how often; one small cluster for all."""

import logging
import os
import signal
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import cloudpickle
import pytest

from napari_mpseg.errors import ImageError, StoreError

# The processes that the tests start cannot import this file: its classes travel with their code.
cloudpickle.register_pickle_by_value(sys.modules[__name__])


class Squares:
    """Item n gives n * n; noted in a folder, with the process that did it."""

    def __init__(self, folder, slow=0.0):
        self.folder, self.slow, self.unpacked = Path(folder), slow, 0

    def __setstate__(self, state):
        self.__dict__.update(state)
        self.unpacked += 1
        note(self.folder, "unpacked")

    def needs(self, item):
        return ()

    def do(self, item, *given):
        time.sleep(self.slow)
        note(self.folder, f"did-{item}")
        return item * item


class Sums:
    """Item ("sum", n) adds what windows n-1, n and n+1 give; a window is as odd a key as may be."""

    def __init__(self, folder, count):
        self.folder, self.count = Path(folder), count

    def needs(self, item):
        kind, number = item
        if kind == "window":
            return []
        return [("window", near) for near in (number - 1, number, number + 1) if 0 <= near < self.count]

    def do(self, item, *given):
        kind, number = item
        note(self.folder, f"{kind}-{number}")
        return [number, [number]] if kind == "window" else sum(value for value, _ in given)


class Failing(Squares):
    def do(self, item, *given):
        if item == 3:
            raise ImageError("picture 3 is torn")
        return super().do(item)


class Deadly(Squares):
    """Kills its process at item 3: always, or the first time only."""

    def __init__(self, folder, always=False, slow=0.0):
        super().__init__(folder, slow)
        self.always, self.home = always, os.getpid()

    def do(self, item, *given):
        if item == 3 and os.getpid() != self.home and (self.always or not notes(self.folder, "killed")):
            note(self.folder, "killed")
            os.kill(os.getpid(), signal.SIGKILL)
        return super().do(item)


class Elsewhere(Squares):
    """Cannot be done where a folder is not there."""

    def check(self):
        if os.getpid() != int((self.folder / "home").read_text()):
            raise StoreError("the folder of the results is not there")


class FarSeeing:
    """A predictor whose windows are blended, and differ where they overlap."""

    halo, stride, exact = 32, 4, False

    def predict(self, window, margins=(0, 0, 0, 0)):
        top, bottom, left, right = margins
        values = window / 255 * (0.8 + 0.2 * (window.mean() % 1))
        return values[top : window.shape[0] - bottom, left : window.shape[1] - right].astype("float32")


def note(folder, text):
    (folder / f"{text}-{os.getpid()}-{time.monotonic_ns()}").touch()


def notes(folder, text):
    return sorted(path.name for path in folder.glob(f"{text}-*"))


def plugins(dask_worker):
    return list(dask_worker.plugins)


@pytest.fixture
def works():
    """Return the kinds of work above, and what reads their notes."""
    return SimpleNamespace(
        Squares=Squares,
        Sums=Sums,
        Failing=Failing,
        Deadly=Deadly,
        Elsewhere=Elsewhere,
        notes=notes,
        plugins=plugins,
    )


@pytest.fixture
def far_seeing():
    return FarSeeing()


@pytest.fixture
def run():
    """Run work to its end; return the results by item and the progress events."""
    from napari_mpseg.progress import CancelToken

    def run(scheduler, work, items, cancel=None, on_result=None, **options):
        results, events = {}, []

        def take(item, result):
            assert item not in results
            results[item] = result
            if on_result is not None:
                on_result(item, result)

        scheduler.run(
            work,
            items,
            stage="Testing",
            on_result=take,
            on_progress=events.append,
            cancel=cancel or CancelToken(),
            **options,
        )
        return results, events

    return run


@pytest.fixture(scope="session")
def client():
    """Return the client of a cluster of two processes."""
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            2, threads_per_worker=1, dashboard_address=None, memory_limit=None, silence_logs=logging.CRITICAL
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        yield client


@pytest.fixture(scope="session")
def pool():
    """Return a scheduler of two processes that stay."""
    from napari_mpseg.inference.schedulers.processes import ProcessScheduler

    with ProcessScheduler(2) as scheduler:
        yield scheduler


@pytest.fixture(params=["threads", "processes", "distributed"])
def scheduler(request):
    """Return a scheduler of each kind."""
    from napari_mpseg.inference.schedulers import find_scheduler

    if request.param == "threads":
        return find_scheduler("threads:2")
    if request.param == "processes":
        return request.getfixturevalue("pool")
    return find_scheduler(request.getfixturevalue("client"))
