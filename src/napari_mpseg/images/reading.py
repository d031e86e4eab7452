"""How windows are computed here: by threads, or in the calling thread where another scheduler already has the cores.

dask computes on whatever scheduler is the default at that moment. In a task of a cluster, or in a session with a
``distributed.Client``, that would send every window around the network, and a worker that waits for its own
cluster can wait for ever. So reading always says where.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_scheduler: ContextVar[str] = ContextVar("napari_mpseg_reading", default="threads")


def reading_scheduler() -> str:
    """Return the dask scheduler for windows, as ``compute(scheduler=...)`` takes it."""
    return _scheduler.get()


@contextmanager
def reading_alone() -> Iterator[None]:
    """While the block runs, windows are computed in the thread that asks for them."""
    token = _scheduler.set("synchronous")
    try:
        yield
    finally:
        _scheduler.reset(token)
