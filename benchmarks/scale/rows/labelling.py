"""Labelling a mask chunk by chunk beside dask-image: what ``benchmarks/labelling.py`` measures, in this table."""

import importlib.util
from pathlib import Path

from scale.bench import Bench
from scale.registry import PARTS, ROWS, Figures, Row
from scale.settings import Settings
from scale.verdict import Verdict

BAR, BAR_MIB = 30.0, 300.0
MASK = "large_7140x5424.png"


@PARTS.register("labelling")
def speed(settings: Settings) -> Figures:
    from labelling import compared

    return {"rows": compared(_mask(settings), settings.chunk, settings.repeat)}


@PARTS.register("labelling, memory")
def memory(settings: Settings) -> Figures:
    from labelling import memory

    return {"rows": memory([min(4096, settings.labelling_side), settings.labelling_side], settings.chunk)}


def _mask(settings: Settings) -> Path:
    if settings.reference is not None:
        return Path(settings.reference) / "imagej" / "masks" / MASK
    import numpy as np
    from skimage.io import imsave

    path = Path(settings.work) / "mask.png"
    mask = np.random.default_rng(0).random(settings.size) > 0.6
    imsave(path, mask.astype(np.uint8) * 255, check_contrast=False)
    return path


def measure(bench: Bench) -> list[Verdict]:
    ours, theirs, reference = bench.run("labelling")["rows"]
    same = theirs["same components"] and reference["same components"]
    small, large = bench.run("labelling, memory")["rows"]
    times = theirs["seconds"] / ours["seconds"]
    mask, chunk = ours["mask"], bench.settings.chunk
    note = (
        f"ours {ours['seconds']:.3f} s, dask-image {theirs['seconds']:.2f} s, scikit-image on the whole array "
        f"{reference['seconds']:.3f} s; {ours['particles']} particles"
    )
    grown = large["peak in MiB"] - small["peak in MiB"]
    sides = f"{small['side in px']}^2 and {large['side in px']}^2 px"
    return [
        Verdict(f"times faster than dask-image, {mask} in chunks of {chunk} px", times, BAR, True, " times", note),
        Verdict("masks with other components than dask-image's and scikit-image's", float(not same), 0.0),
        Verdict(f"peak memory, {sides}", grown, BAR_MIB, unit=" MiB more", note=f"{large['peak in MiB']} MiB at most"),
    ]


def missing(settings: Settings) -> str:
    if not importlib.util.find_spec("dask_image"):
        return "dask-image is not installed (pip install dask-image)"
    return (
        ""
        if _mask_known(settings)
        else f"no reference masks (set MPSEG_REFERENCE to the folder with imagej/masks/{MASK})"
    )


def _mask_known(settings: Settings) -> bool:
    return settings.reference is None or _mask(settings).exists()


ROWS.add("labelling", Row("labelling", "Labelling by chunks beside dask-image", measure, missing, network=False))
