"""Our tiles beside MONAI's ``SlidingWindowInferer``: same network, same windows, same runtime, same pixels.

Both start from 8-bit pixels in memory and end with the probability of all pixels in memory. MONAI is given the
network with folded normalisation in channels-last order, as this package computes it. Its windows are as large as our
tiles. At overlap 0 it reads fewest pixels and is wrong along the borders of its windows; ours have the halo that makes
them exact. What "equal" means is judged against the whole image going through the network in one piece.
"""

import importlib.util
import time
from contextlib import nullcontext

import numpy as np

from scale import inputs, networks
from scale.bench import Bench, fastest
from scale.registry import PARTS, ROWS, Figures, Row
from scale.settings import Settings
from scale.verdict import Verdict

BAR = 1.4
OVERLAPS = (0.0, 0.25)

#: Largest difference from the whole image in one piece, in fp32: rounding of sums in another order; of bfloat16.
EQUAL = {"torch-fp32": 1e-4, "torch-bf16": 0.05}


def runtimes() -> list[str]:
    """Return which of them this package can be asked for."""
    return [name for name in EQUAL if networks.has_runtime(name)]


@PARTS.register("our windows")
def ours(settings: Settings, runtime: str, small: bool = False) -> Figures:
    pixels = inputs.filter_pixels(settings, settings.whole_size if small else settings.monai_size)
    ready = networks.prepared(settings, pixels, runtime)
    networks.warmed(ready, settings)
    probability, seconds = networks.in_tiles(ready, settings)
    return {"seconds": seconds, **_compared(settings, pixels, probability, small)}


@PARTS.register("MONAI's windows")
def theirs(settings: Settings, runtime: str, overlap: float, small: bool = False, kept: bool = False) -> Figures:
    """`kept`: with this package's memory settings, which MONAI does not have."""
    import torch
    from monai.inferers import SlidingWindowInferer

    from napari_mpseg.inference.memory import reused_memory

    pixels = inputs.filter_pixels(settings, settings.whole_size if small else settings.monai_size)
    number = torch.bfloat16 if runtime.endswith("bf16") else torch.float32
    network = networks.folded(settings).to(number, memory_format=torch.channels_last)
    side = networks.tile_side(networks.prepared(settings, pixels, runtime), settings)
    inferer = SlidingWindowInferer(roi_size=(side, side), sw_batch_size=1, overlap=overlap)

    def predict(batch: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(network(batch.to(number, memory_format=torch.channels_last)).float())

    with torch.inference_mode(), reused_memory() if kept else nullcontext():
        predict(networks.as_input(pixels[: min(side, 256), : min(side, 256)]))
        start = time.perf_counter()
        probability = inferer(networks.as_input(pixels), predict)[0, 0].numpy()
        seconds = time.perf_counter() - start
    return {"seconds": seconds, **_compared(settings, pixels, probability, small)}


def _compared(settings: Settings, pixels: np.ndarray, probability: np.ndarray, small: bool) -> Figures:
    return {"apart": networks.apart(probability, networks.whole(settings, pixels))} if small else {}


def measure(bench: Bench) -> list[Verdict]:
    verdicts = []
    for runtime in runtimes():
        sides = {"ours": ("our windows", {"runtime": runtime})}
        for overlap in OVERLAPS:
            sides[f"at {overlap}"] = ("MONAI's windows", {"runtime": runtime, "overlap": overlap})
        found = {name: fastest(runs) for name, runs in bench.in_turns(sides).items()}
        kept = bench.run("MONAI's windows", runtime=runtime, overlap=0.0, kept=True)["seconds"]
        apart = bench.run("our windows", runtime=runtime, small=True)["apart"]
        height, width = bench.settings.monai_size or bench.settings.size
        told = f"{height} x {width} px, {runtime}"
        for overlap in OVERLAPS:
            theirs = bench.run("MONAI's windows", runtime=runtime, overlap=overlap, small=True)["apart"]
            note = (
                f"MONAI {found[f'at {overlap}']:.1f} s, ours {found['ours']:.1f} s; MONAI's result differs by up to "
                f"{theirs:.2g} from the whole image in one piece"
            )
            if not overlap:
                note += f"; with our memory settings MONAI takes {kept:.1f} s"
            times = found[f"at {overlap}"] / found["ours"]
            what = f"times faster than MONAI at overlap {overlap:g}, {told}"
            verdicts.append(Verdict(what, times, BAR, least=True, unit=" times", note=note))
        what = f"largest difference of ours from the whole image in one piece in fp32, {runtime}"
        verdicts.append(Verdict(what, apart, EQUAL[runtime]))
    return verdicts


def missing(settings: Settings) -> str:
    return "" if importlib.util.find_spec("monai") else "MONAI is not installed (pip install monai)"


ROWS.add("monai", Row("monai", "Our tiles beside MONAI's sliding windows", measure, missing))
