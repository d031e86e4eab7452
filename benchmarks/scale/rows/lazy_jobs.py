"""The whole job on an image of any size that is made when it is read, in a process that has segmented before."""

import shutil
import time
from pathlib import Path

from scale import inputs
from scale.machine import peak_mib
from scale.registry import PARTS, Figures
from scale.settings import Settings


@PARTS.register("lazy job")
def lazy_job(settings: Settings, side: int, network: bool) -> Figures:
    import napari_mpseg as mp

    method = settings.method if network else settings.cheap
    choices = {"tile_size": settings.tile, **({"runtime": settings.runtime} if network else {})}
    out = Path(settings.work) / "lazy-job"
    mp.segment(inputs.lazy_image(settings, 256), method, out=out, **choices)
    shutil.rmtree(out)
    image = inputs.lazy_image(settings, side)  # reads the patches that it is made of
    start, worked = time.perf_counter(), time.process_time()
    result = mp.segment(image, method, out=out, **choices)
    seconds, worked = time.perf_counter() - start, time.process_time() - worked
    shutil.rmtree(out)
    return {
        "seconds": seconds,
        "ns_per_px": seconds / side**2 * 1e9,
        "cpu_ns_per_px": worked / side**2 * 1e9,
        "peak_mib": peak_mib(),
        "particles": result.count,
    }


def named(settings: Settings, network: bool) -> str:
    """Return what the method is called in the table."""
    return f"{settings.method}, {settings.runtime}" if network else settings.cheap
