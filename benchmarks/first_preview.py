"""From the first scribbles on an image of 1024 x 1024 px to the first useful preview, without a window.

    python benchmarks/first_preview.py [--scene dark|bright] [--seconds 40] [--useful 0.7] [--json OUT.json]

A person has painted strokes in a few particles, and on the ground near them, in the upper left quarter of an image. The
training starts from the bundled network, as the widget does it, and makes the same previews between its steps. Each
preview is scored on the shapes outside the painted quarter, at a probability of 0.5. The clock starts before torch is
imported, as it does when Train is pressed for the first time.

*bright*: bright particles on a dark ground, which the bundled network knows. *dark*: dark particles on a bright ground,
which it does not, so that a useful preview has to be learnt.
"""

import argparse
import json
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from scipy import ndimage

SIDE = 1024
QUARTER = SIDE // 2


def scene(kind: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return an RGB image of bent, blurred ellipses on an uneven, noisy ground, and where they are."""
    truth = np.zeros((SIDE, SIDE), bool)
    for y, x in rng.uniform(20, SIDE - 20, (160, 2)):
        long, short, angle = rng.uniform(5, 16), rng.uniform(3, 8), rng.uniform(0, np.pi)
        span = slice(max(0, int(y) - 20), int(y) + 21), slice(max(0, int(x) - 20), int(x) + 21)
        ys, xs = np.mgrid[span]
        ys, xs = ys - y, xs - x
        along, across = ys * np.sin(angle) + xs * np.cos(angle), ys * np.cos(angle) - xs * np.sin(angle)
        truth[span] |= (along / long) ** 2 + ((across + 0.02 * along**2) / short) ** 2 < 1
    ground = ndimage.gaussian_filter(rng.normal(0, 1, truth.shape), 60)
    ground *= 12 / ground.std()
    light = ndimage.gaussian_filter(truth.astype(float), 1.0)
    grey = 45 + ground + 90 * light if kind == "bright" else 190 + ground - 75 * light
    tint = np.array([1.0, 0.85, 0.6])
    noise = rng.normal(0, 7, (*truth.shape, 3))
    return np.clip(grey[..., None] * tint + noise, 0, 255).astype(np.uint8), truth


def scribbles(truth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Paint ten particles less their edges, a ring around each, and six strokes across the ground."""
    painted = np.zeros(truth.shape, np.uint8)
    labels, _ = ndimage.label(truth)
    ends = [part[0].stop < QUARTER and part[1].stop < QUARTER for part in ndimage.find_objects(labels)]
    inside = 1 + np.flatnonzero(ends)
    chosen = np.isin(labels, rng.permutation(inside)[:10])
    ring = ndimage.binary_dilation(chosen, iterations=7) & ~ndimage.binary_dilation(truth, iterations=4)
    painted[ring] = 1
    for row in rng.integers(20, QUARTER - 20, 6):
        painted[row : row + 4, 20 : QUARTER - 20] = 1
    painted[ndimage.binary_dilation(truth, iterations=3)] = 0
    painted[ndimage.binary_erosion(chosen)] = 2
    return painted


def watch(options: argparse.Namespace) -> dict[str, object]:
    rng = np.random.default_rng(options.seed)
    pixels, truth = scene(options.scene, rng)
    painted = scribbles(truth, rng)
    held_out = np.ones(truth.shape, bool)
    held_out[:QUARTER, :QUARTER] = False
    clock = SimpleNamespace(start=time.perf_counter(), stages={}, previews=[], steps=0)

    def passed(stage: str) -> None:
        clock.stages[stage] = round(time.perf_counter() - clock.start, 2)
        print(f"{clock.stages[stage]:7.2f} s  {stage}", flush=True)

    import torch

    passed("torch is imported")
    torch.set_num_threads(options.threads)
    from napari_mpseg.gui.train_preview import PreviewMaker, Region
    from napari_mpseg.images.open import open_image
    from napari_mpseg.progress import CancelToken
    from napari_mpseg.training.presets import PRESETS
    from napari_mpseg.training.train import prepare_training

    image = open_image(pixels)
    session = prepare_training(
        [(image, painted)], PRESETS[options.preset], painted="scribbles", start="default", device="cpu"
    )
    passed("the run is prepared")
    enough = CancelToken()

    def show(prediction: object) -> None:
        y0, y1, x0, x1 = prediction.box
        where = held_out[y0:y1, x0:x1]
        found, real = (prediction.probability > 0.5) & where, truth[y0:y1, x0:x1] & where
        iou = float((found & real).sum() / max(1, (found | real).sum()))
        now = time.perf_counter() - clock.start
        entry = {"seconds": round(now, 2), "step": clock.steps, "iou": round(iou, 3), "side": y1 - y0}
        entry["took"] = round(time.perf_counter() - clock.asked, 2)
        clock.previews.append(entry)
        print(
            f"{now:7.2f} s  preview of {y1 - y0} x {x1 - x0} px in {entry['took']} s after step {clock.steps}: "
            f"IoU {iou:.3f}",
            flush=True,
        )

    maker = PreviewMaker(show, print)
    maker.region = Region(None, image, (0, SIDE, 0, SIDE))

    def on_event(event: object) -> None:
        clock.steps = event.step
        if event.step == 1 and not event.ended:
            passed("the first step is done")
        clock.asked = time.perf_counter()
        if maker.due():
            maker.make(session.model)
        if time.perf_counter() - clock.start > options.seconds:
            enough.cancel()

    session.run(on_event=on_event, control=enough)
    return {"scene": options.scene, "preset": options.preset, "stages": clock.stages, "previews": clock.previews}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scene", choices=("bright", "dark"), default="bright")
    parser.add_argument("--preset", default="painted")
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--useful", type=float, default=0.7, help="IoU from which a preview counts as useful")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    outcome = watch(options)
    first = outcome["previews"][0] if outcome["previews"] else None
    useful = next((one for one in outcome["previews"] if one["iou"] >= options.useful), None)
    print(f"First preview: {first}")
    print(f"First useful preview (IoU of {options.useful:g} or more): {useful}")
    if options.json:
        options.json.write_text(json.dumps(outcome, indent=2) + "\n")


if __name__ == "__main__":
    main()
