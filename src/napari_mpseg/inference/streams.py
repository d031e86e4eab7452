"""How many forward passes go through networks at a time in this process, and with how many threads each.

One pass on all cores leaves them waiting for each other at every layer, and idle while a tile is read, labelled or
written. Two passes side by side, each with half the cores, keep them busy. That pays only for tiles done one after the
other for minutes; elsewhere one pass at a time takes less memory.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Passes:
    """Lets so many threads in at a time."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._active = 0
        self.limit = 1

    def __enter__(self) -> None:
        with self._condition:
            self._condition.wait_for(lambda: self._active < self.limit)
            self._active += 1

    def __exit__(self, *_: object) -> None:
        with self._condition:
            self._active -= 1
            self._condition.notify_all()

    def let_in(self, limit: int) -> None:
        """Change how many are let in from now on."""
        with self._condition:
            self.limit = limit
            self._condition.notify_all()


PASSES = Passes()
_changing = threading.Lock()


@contextmanager
def streams(count: int) -> Iterator[None]:
    """While the block runs, let `count` passes go side by side, each with its share of PyTorch's threads.

    If another block is at it already, in another thread, nothing is changed.
    """
    if count <= 1 or not _changing.acquire(blocking=False):
        yield
        return
    import torch

    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(max(1, threads // count))
        PASSES.let_in(count)
        yield
    finally:
        PASSES.let_in(1)
        torch.set_num_threads(threads)
        _changing.release()
