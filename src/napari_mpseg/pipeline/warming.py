"""Load what the end of a run needs while its first tiles are computed."""

import threading
from contextlib import suppress

import numpy as np


def warm_up() -> threading.Thread:
    """Start loading compiled kernels and libraries in a thread of its own, and return it.

    They take a second of one core the first time in a process: beside the network that costs nearly nothing, after it
    a second of everybody's time. What fails here fails again, with its message, where it is needed.
    """
    thread = threading.Thread(target=_load, name="napari-mpseg-warm-up", daemon=True)
    thread.start()
    return thread


def _load() -> None:
    with suppress(Exception):
        from napari_mpseg.particles.reviewable import measure_for_review

        labels = np.zeros((4, 4), np.int32)
        labels[1:3, 1:3] = 1
        measure_for_review(labels, np.zeros((4, 4, 3), np.uint8), probability=np.zeros((4, 4), np.uint8))
        import PIL.PngImagePlugin  # noqa: F401
        import pyarrow.parquet  # noqa: F401
