"""The pixel forest beside scikit-image's features and scikit-learn's trees, on the same pixels, in the same run.

    python benchmarks/forest_speed.py DATA [--side 1500] [--runs 3] [--json OUT.json]

DATA holds `mpnet/` (real Nile-red patches, 0 = particle in `labels`). Both see intensity, gradient magnitude and the
two curvatures at scales of 1 to 16 px in three channels: 60 features. The trees are the same 100 trees, so what differs
is who computes the features and who asks the trees. Ours is timed before and after the other, so that a machine that
changes speed shows. Memory is the highest resident size while a process predicts, less that before; ours works tile by
tile, the other on the whole image at once, as its users do. It is read from /proc, so on Linux only.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
from skimage.feature import multiscale_basic_features
from sklearn.ensemble import RandomForestClassifier

from napari_mpseg.images.image import Image
from napari_mpseg.images.scaling import Scaling
from napari_mpseg.inference.tiled import tiled_probability
from napari_mpseg.methods.forest.features import compute_features
from napari_mpseg.methods.forest.forest import Forest, ForestCard
from napari_mpseg.methods.forest.predictor import ForestPredictor
from napari_mpseg.methods.forest.settings import ForestSettings
from napari_mpseg.methods.forest.trees import trees_of
from napari_mpseg.training.data.pairs import load_folder

SETTINGS = ForestSettings()
SCALING = Scaling("dtype", 0.0, 255.0)


def patches(data: Path) -> list[Any]:
    folders = sorted((data / "mpnet").glob("fold_*"))
    return [pair for folder in folders for pair in load_folder(folder, 0)]


def mosaic(pairs: list[Any], side: int) -> np.ndarray:
    across = -(-side // 256)
    rows = [
        np.concatenate([np.asarray(pairs[(r * across + c) % len(pairs)].image) for c in range(across)], 1)
        for r in range(across)
    ]
    return np.ascontiguousarray(np.concatenate(rows)[:side, :side])


def grown(pairs: list[Any]) -> RandomForestClassifier:
    """Grow trees on some pixels of every patch: as deep as forests become."""
    rng = np.random.default_rng(0)
    values, classes = [], []
    for pair in pairs:
        planes = compute_features(np.asarray(pair.image, np.float32) / 255, SETTINGS).reshape(60, -1)
        mask = pair.mask.ravel()
        chosen = np.concatenate([np.flatnonzero(mask), rng.choice(mask.size, 400, replace=False)])
        values.append(planes[:, chosen].T)
        classes.append(mask[chosen])
    forest = RandomForestClassifier(SETTINGS.trees, max_depth=SETTINGS.max_depth, random_state=0)
    return forest.fit(np.concatenate(values), np.concatenate(classes).astype(np.int8))


def ours(forest: RandomForestClassifier, image: np.ndarray) -> np.ndarray:
    predictor = ForestPredictor(Forest(trees_of(forest), ForestCard("benchmark", SETTINGS)), SCALING)
    lazy = tiled_probability(Image(da.from_array(image, chunks=512)), predictor)
    return lazy.compute(scheduler="synchronous")


def theirs(forest: RandomForestClassifier, image: np.ndarray) -> np.ndarray:
    values = basic_features(image)
    return forest.predict_proba(values.reshape(-1, values.shape[-1]))[:, 1].reshape(image.shape[:2])


def basic_features(image: np.ndarray) -> np.ndarray:
    found = multiscale_basic_features(image, sigma_min=1, sigma_max=16, channel_axis=-1, workers=1)
    return found.astype(np.float32, copy=False)


def seconds(work: Callable[[], Any], runs: int) -> list[float]:
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return times


def compared(name: str, mine: Callable[[], Any], other: Callable[[], Any], runs: int) -> dict[str, Any]:
    mine()  # compiles
    before, between, after = seconds(mine, runs), seconds(other, runs), seconds(mine, runs)
    own, their = statistics.median(before + after), statistics.median(between)
    return {
        "what": name,
        "ours_s": round(own, 3),
        "theirs_s": round(their, 3),
        "times_faster": round(their / own, 2),
        "ours_before_and_after_s": [round(statistics.median(part), 3) for part in (before, after)],
    }


def memory(data: Path, side: int, part: str) -> float:
    """Return how many MiB a process of its own takes for predicting, beside what it takes to be there."""
    command = [sys.executable, __file__, str(data), "--side", str(side), "--memory", part]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout.strip().splitlines()[-1])


def measure_memory(data: Path, side: int, part: str) -> None:
    pairs = patches(data)
    forest = grown(pairs)
    work = {"ours": ours, "theirs": theirs}[part]
    work(forest, mosaic(pairs, 64))
    image = mosaic(pairs, side)
    before, highest, done = resident(), 0.0, threading.Event()

    def watch() -> None:
        nonlocal highest
        while not done.wait(0.01):
            highest = max(highest, resident())

    watcher = threading.Thread(target=watch)
    watcher.start()
    work(forest, image)
    done.set()
    watcher.join()
    print(highest - before)


def resident() -> float:
    """Return the resident size of this process in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--side", type=int, default=1500)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--memory", choices=("ours", "theirs"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory:
        measure_memory(options.data, options.side, options.memory)
        return
    pairs = patches(options.data)
    forest = grown(pairs)
    trees, image = trees_of(forest), mosaic(pairs, options.side)
    patch = np.asarray(pairs[0].image, np.float32) / 255
    some = mosaic(pairs, 512)
    planes = compute_features(some.astype(np.float32) / 255, SETTINGS)
    rows = np.ascontiguousarray(planes.reshape(60, -1).T)
    apart = float(np.abs(trees.probability(planes).ravel() - forest.predict_proba(rows)[:, 1]).max())
    table = [
        compared(
            "features, 256 x 256",
            lambda: compute_features(patch, SETTINGS),
            lambda: basic_features(np.asarray(pairs[0].image)),
            options.runs,
        ),
        compared(
            "trees, 512 x 512", lambda: trees.probability(planes), lambda: forest.predict_proba(rows), options.runs
        ),
        compared(
            f"all, {options.side} x {options.side}", lambda: ours(forest, image), lambda: theirs(forest, image), 1
        ),
    ]
    used = {part: round(memory(options.data, options.side, part)) for part in ("ours", "theirs")}
    for row in table:
        print(json.dumps(row))
    print(f"{len(trees.left)} nodes; probabilities differ by up to {apart:.1e}; memory in MiB: {json.dumps(used)}")
    if options.json:
        found = {"times": table, "memory_mib": used, "largest_difference": apart, "nodes": len(trees.left)}
        options.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
