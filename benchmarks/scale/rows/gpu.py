"""The U-Net of the papers, with ResNet-101, on a filter of 38.7 megapixels: where there is a graphics card.

Its weights are random: time does not depend on them. From 8-bit pixels in memory to probabilities in memory.
"""

from scale import inputs, networks
from scale.bench import Bench, fastest
from scale.registry import PARTS, ROWS, Figures, Row
from scale.settings import Settings
from scale.verdict import Verdict

BAR = 2.0
NETWORK, ENCODER = "smp-unet", "resnet101"


@PARTS.register("large network")
def large_network(settings: Settings, device: str, encoder: str = ENCODER) -> Figures:
    import torch

    ready = networks.untrained(settings, inputs.filter_pixels(settings), NETWORK, {"encoder": encoder}, device)
    networks.warmed(ready, settings)
    _, seconds = networks.in_tiles(ready, settings)
    figures: Figures = {"seconds": seconds, "tile": networks.tile_side(ready, settings)}
    if device == "cuda":
        figures |= {"card": torch.cuda.get_device_name(), "peak_gib": torch.cuda.max_memory_allocated() / 2**30}
    return figures


def measure(bench: Bench) -> list[Verdict]:
    runs = bench.in_turns({"card": ("large network", {"device": "cuda"})})["card"]
    height, width = bench.settings.size
    note = f"{runs[0]['card']}, tiles of {runs[0]['tile']} px, {runs[0]['peak_gib']:.1f} GiB of its memory"
    what = f"U-Net with ResNet-101 on {height} x {width} px"
    return [Verdict(what, fastest(runs), BAR, unit=" s", note=note)]


def missing(settings: Settings) -> str:
    import torch

    return "" if torch.cuda.is_available() else "torch sees no CUDA graphics card here"


ROWS.add("gpu", Row("gpu", "U-Net with ResNet-101 on a graphics card", measure, missing, network=False))
