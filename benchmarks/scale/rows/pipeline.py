"""The whole job, from a file to files, beside the bare forward pass of the same network over the same pixels.

Bare is the predictor alone on the cores of the tiles, without halo, already scaled and in memory; as many at once as
the job takes. Nothing is read, written, labelled or measured. Loading the network and the runtime is part of neither
side's time. The job starts in a fresh process where nothing but torch is loaded; the same job in a process that has
segmented before is measured beside it.
"""

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from scale import inputs, networks
from scale.bench import Bench, fastest
from scale.machine import peak_mib
from scale.registry import PARTS, ROWS, Figures, Row
from scale.settings import Settings
from scale.verdict import Verdict

BAR = 1.10


@PARTS.register("bare")
def bare(settings: Settings) -> Figures:
    from napari_mpseg.inference.memory import reused_memory

    pixels = inputs.filter_pixels(settings)
    ready = networks.prepared(settings, pixels)
    side, predictor = networks.tile_side(ready, settings), ready.predictor
    stride = predictor.stride
    tiles = []
    for y in range(0, pixels.shape[0], side):
        for x in range(0, pixels.shape[1], side):
            tile = pixels[y : y + side, x : x + side]
            bottom, right = -tile.shape[0] % stride, -tile.shape[1] % stride
            tiles.append(predictor.scaled(np.pad(tile, ((0, bottom), (0, right), (0, 0)), mode="edge")))
    with reused_memory(), ThreadPoolExecutor(getattr(predictor, "workers", 1)) as pool:
        list(pool.map(predictor.predict_scaled, {tile.shape: tile for tile in tiles}.values()))  # shapes are compiled
        start = time.perf_counter()
        for _ in pool.map(predictor.predict_scaled, tiles):
            pass
        seconds = time.perf_counter() - start
    return {
        "seconds": seconds,
        "tile": side,
        "tiles": len(tiles),
        "megapixels": pixels.shape[0] * pixels.shape[1] / 1e6,
        "peak_mib": peak_mib(),
    }


@PARTS.register("job")
def job(settings: Settings, warm: bool) -> Figures:
    import torch  # noqa: F401 - loading torch is not part of the job, nor of the bare pass

    import napari_mpseg as mp

    path = inputs.filter_file(settings)
    out = Path(settings.work) / "job"
    choices = {"tile_size": settings.tile, "runtime": settings.runtime}
    if warm:
        mp.segment(
            inputs.filter_pixels(settings, (min(256, settings.size[0]),) * 2), settings.method, out=out, **choices
        )
        shutil.rmtree(out)
    start = time.perf_counter()
    result = mp.segment(path, settings.method, out=out, **choices)
    seconds = time.perf_counter() - start
    figures: Figures = {"seconds": seconds, "peak_mib": peak_mib(), "particles": result.count}
    truth = path.with_name(f"{path.stem}_mask.tif")
    if truth.exists():
        scores = mp.evaluate(result.labels, mp.open_image(truth).data)
        figures |= {name: getattr(scores, name) for name in ("f1", "particle_recall", "particle_precision")}
    shutil.rmtree(out)
    return figures


def measure(bench: Bench) -> list[Verdict]:
    sides = {"bare": ("bare", {}), "job": ("job", {"warm": False}), "warm": ("job", {"warm": True})}
    found = bench.in_turns(sides)
    seconds = {name: fastest(runs) for name, runs in found.items()}
    bare_run, job_run = found["bare"][0], found["job"][0]
    height, width = bench.settings.size
    note = (
        f"bare {seconds['bare']:.1f} s, job {seconds['job']:.1f} s in a fresh process, {seconds['warm']:.1f} s "
        f"({seconds['warm'] / seconds['bare']:.2f} times) in one that has segmented before; "
        f"tiles of {bare_run['tile']} px; {job_run['particles']} particles; "
        f"peak {job_run['peak_mib']:.0f} MiB" + (f"; pixel F1 {job_run['f1']:.3f}" if "f1" in job_run else "")
    )
    what = f"whole job / bare forward pass, {height} x {width} px, {bench.settings.runtime}"
    return [Verdict(what, seconds["job"] / seconds["bare"], BAR, note=note, unit=" times")]


ROWS.add("pipeline", Row("pipeline", "The whole job beside the bare forward pass", measure))
