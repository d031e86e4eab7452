"""Our prediction beside that of the papers: patches of 256 px, one after the other, torch in fp32, stitched.

Their way is taken at its kindest: patches side by side without overlap (the image mirrored up to whole patches), no
gradients, the network loaded and its first patch computed before the clock starts. Ours is the fastest runtime here,
and the same with empty space skipped, on a filter most of which holds no particle, as real ones are.
"""

import time

import numpy as np

from scale import inputs, networks
from scale.bench import Bench, fastest
from scale.registry import PARTS, ROWS, Figures, Row
from scale.settings import Settings
from scale.verdict import Verdict

BAR, BAR_SKIPPING = 3.0, 10.0
PATCH = 256


@PARTS.register("patches")
def patches(settings: Settings, kind: str) -> Figures:
    import torch

    pixels = _pixels(settings, kind)[0]
    network = networks.as_trained(settings)
    height, width = pixels.shape[:2]
    with torch.no_grad():
        network(networks.as_input(pixels[:PATCH, :PATCH]))
        start = time.perf_counter()
        padded = np.pad(pixels, ((0, -height % PATCH), (0, -width % PATCH), (0, 0)), mode="symmetric")
        stitched = np.empty(padded.shape[:2], np.float32)
        for y in range(0, padded.shape[0], PATCH):
            for x in range(0, padded.shape[1], PATCH):
                batch = networks.as_input(padded[y : y + PATCH, x : x + PATCH])
                stitched[y : y + PATCH, x : x + PATCH] = torch.sigmoid(network(batch))[0, 0].numpy()
        seconds = time.perf_counter() - start
    return {"seconds": seconds, "megapixels": height * width / 1e6}


@PARTS.register("tiles")
def tiles(settings: Settings, kind: str, skip: str | None = None) -> Figures:
    from napari_mpseg.inference.screening import screened

    pixels, _ = _pixels(settings, kind)
    ready = networks.prepared(settings, pixels)
    networks.warmed(ready, settings)
    screen = screened(ready, skip) if skip else ready
    _, seconds = networks.in_tiles(screen, settings)
    return {"seconds": seconds, **({"skipped": screen.predictor.tally.share} if skip else {})}


@PARTS.register("what skipping loses")
def lost(settings: Settings, kind: str, skip: str) -> Figures:
    """Count particles of more than 3 px that are found without skipping, and of which nothing is found with it."""
    from screening import compared

    from napari_mpseg.inference.screening import screened

    pixels, truth = _pixels(settings, kind)
    ready = networks.prepared(settings, pixels)
    everything, _ = networks.in_tiles(ready, settings)
    less, _ = networks.in_tiles(screened(ready, skip), settings)
    row = compared(everything, less, networks.method(settings).default_threshold, truth)
    return {"lost": row["lost above 3 px"], "particles": row["particles"]}


def _pixels(settings: Settings, kind: str) -> tuple[np.ndarray, np.ndarray]:
    if kind == "sparse":
        return inputs.sparse_filter(settings)
    pixels = inputs.filter_pixels(settings)
    return pixels, np.zeros(pixels.shape[:2], bool)


def measure(bench: Bench) -> list[Verdict]:
    settings, skip = bench.settings, bench.settings.skip_empty
    found = bench.in_turns(
        {
            "patches": ("patches", {"kind": "sparse"}),
            "tiles": ("tiles", {"kind": "sparse"}),
            "skipping": ("tiles", {"kind": "sparse", "skip": skip}),
            "skipping, dense": ("tiles", {"kind": "dense", "skip": skip}),
        }
    )
    seconds = {name: fastest(runs) for name, runs in found.items()}
    loss = bench.run("what skipping loses", kind="sparse", skip=skip)
    told = f"{settings.size[0]} x {settings.size[1]} px, {settings.runtime}"
    share = 100 * found["skipping"][0]["skipped"]
    dense = 100 * found["skipping, dense"][0]["skipped"]
    note = (
        f"{share:.1f} % skipped; on the filter with particles in every patch {dense:.1f} %, "
        f"{seconds['patches'] / seconds['skipping, dense']:.1f} times; "
        f"{loss['lost']} of {loss['particles']} particles above 3 px lost"
    )
    theirs = f"patches {seconds['patches']:.1f} s, "
    return [
        Verdict(
            f"times faster than patches of {PATCH} px in torch fp32, {told}",
            seconds["patches"] / seconds["tiles"],
            BAR,
            least=True,
            unit=" times",
            note=f"{theirs}ours {seconds['tiles']:.1f} s",
        ),
        Verdict(
            f"the same, empty space skipped by {skip!r}",
            seconds["patches"] / seconds["skipping"],
            BAR_SKIPPING,
            least=True,
            unit=" times",
            note=f"{theirs}ours {seconds['skipping']:.1f} s; {note}",
        ),
    ]


ROWS.add("papers", Row("papers", "Our prediction beside patches of 256 px", measure))
