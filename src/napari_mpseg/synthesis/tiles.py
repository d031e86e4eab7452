"""The tiles of a lazy image one after the other, rendered ahead by threads, a few at a time."""

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.progress import CancelToken, Progress, ProgressCallback

SIDE = 1024
"""Height and width of a written tile in pixels."""


@dataclass(frozen=True)
class Watch:
    """Who is told how far the work is, and who may stop it.

    Attributes
    ----------
    stage : str
        What is being done, in words.
    on_progress, cancel
        See :mod:`napari_mpseg.progress`.
    """

    stage: str
    on_progress: ProgressCallback
    cancel: CancelToken


def rendered_tiles(
    data: Any, watch: Watch, workers: int | None = None, side: int | None = None
) -> Iterator[tuple[int, int, NDArray[Any]]]:
    """Give first row, first column and pixels of every tile of a dask array ``(Y, X, ...)``, row by row.

    At most two tiles per worker are held. The tiles at the right and at the bottom are as small as they are. Tiles are
    as high and wide as written ones where no `side` in pixels is given.

    Raises
    ------
    Cancelled
        Within one tile of the token being set.
    """
    side = side or SIDE
    height, width = data.shape[:2]
    corners = [(y, x) for y in range(0, height, side) for x in range(0, width, side)]
    workers = workers or min(4, os.cpu_count() or 1)
    waiting: deque[tuple[int, int, Future[NDArray[Any]]]] = deque()
    pool = ThreadPoolExecutor(workers, "mpseg-tile")
    watch.on_progress(Progress(watch.stage, 0, len(corners), "tiles"))
    try:
        ahead = iter(corners)
        for done in range(1, len(corners) + 1):
            while len(waiting) < 2 * workers and (corner := next(ahead, None)) is not None:
                waiting.append((*corner, pool.submit(_rendered, data, *corner, side)))
            watch.cancel.check()
            y, x, tile = waiting.popleft()
            pixels = tile.result()
            watch.on_progress(Progress(watch.stage, done, len(corners), "tiles"))  # whoever has all asks no more
            yield y, x, pixels
    finally:
        pool.shutdown(cancel_futures=True)


def _rendered(data: Any, y: int, x: int, side: int) -> NDArray[Any]:
    return np.asarray(data[y : y + side, x : x + side].compute(scheduler="synchronous"))
