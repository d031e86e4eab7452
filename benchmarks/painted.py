"""Learning from scribbles: a network beside a random forest on filter features, same scribbles, same run.

    python benchmarks/painted.py DATA [--seconds 150] [--json OUT.json]

DATA holds `painted/` (blobs with its own strokes and ImageJ's objects) and `mira/` (micrographs of polystyrene beads).

*blobs*: both learn from the strokes that come with the picture, and are scored on its 63 objects.
*mira*: a hand that paints like a person (strokes in a few beads, around them and elsewhere; seeded) scribbles on
five images, one of each look; both are scored on all others.

Score: F1 of objects at an intersection over union of 0.5, after the same connected components and minimum size. The
forest is what ilastik users expect: intensity, edges and texture at five scales (scikit-image), 100 trees
(scikit-learn), all cores. Times are wall times of training and of predicting all test images.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image as Pictures
from skimage.draw import line
from skimage.feature import multiscale_basic_features
from skimage.measure import label
from skimage.morphology import dilation, disk, remove_small_objects
from sklearn.ensemble import RandomForestClassifier

PAINTED = (  # one of each look: two sizes of beads, bright and dark field, brown, black, yellow and grey
    "1_5umPS_0_1umPCTE-30sAu_X100_brightfield_map1",
    "1_5umPS_0_4umPCTE-30sAu_X100_darkfield_map1",
    "1_5umPS_0_4umPCTE_X100_darkfield_map1",
    "8umPS_0_4umPCTE_X100_532nmLaser_AlfoilBelow_darkField_1",
    "8umPS_0_4umPCTE_X100_532nmLaser_AlfoilBelow_map1_brightField",
)
LEAST = {"blobs": 20, "mira": 200}  # pixels; the smallest bead has some 500
PRESET = {"blobs": "painted-from-scratch", "mira": "painted-large"}


def scribbles(truth: np.ndarray, rng: np.random.Generator, beads: int = 6, strokes: int = 8) -> np.ndarray:
    """Paint like a person in a hurry: 1 is background, 2 is bead, 0 is left unpainted."""
    painted = np.zeros(truth.shape, np.uint8)
    away = ~dilation(truth > 0, disk(4))
    numbers = np.unique(truth[truth > 0])
    for number in rng.permutation(numbers)[:beads]:
        bead = truth == number
        around = dilation(bead, disk(10)) & ~dilation(bead, disk(6)) & away
        painted[around & (rng.random() < 1)] = 1
        pixels = np.argwhere(bead)
        centre, half = pixels.mean(0), 0.35 * np.ptp(pixels, 0)
        _stroke(painted, centre - half, centre + half, bead, 2)
        _stroke(painted, centre - half * (1, -1), centre + half * (1, -1), bead, 2)
    for _ in range(strokes):
        start = rng.integers(0, truth.shape)
        _stroke(painted, start, start + rng.integers(-150, 151, 2), away, 1)
    return painted


def _stroke(painted: np.ndarray, start: np.ndarray, stop: np.ndarray, where: np.ndarray, value: int) -> None:
    height, width = painted.shape
    ys, xs = line(*np.round([*start, *stop]).astype(int))
    inside = (ys >= 0) & (ys < height) & (xs >= 0) & (xs < width)
    drawn = np.zeros(painted.shape, bool)
    drawn[ys[inside], xs[inside]] = True
    painted[dilation(drawn, disk(2)) & where] = value


def score(found: list[np.ndarray], truth: list[np.ndarray], least: int) -> dict[str, float]:
    """Return precision, recall and F1 of objects at an intersection over union above 0.5."""
    hits = predicted = real = 0
    for mask, labels in zip(found, truth, strict=True):
        objects = label(remove_small_objects(mask, max_size=least - 1), connectivity=2)
        inside = np.bincount(objects.ravel())
        areas = np.bincount(labels.ravel())
        both = objects.astype(np.int64) * len(areas) + labels
        pairs, counts = np.unique(both[(objects > 0) & (labels > 0)], return_counts=True)
        union = inside[pairs // len(areas)] + areas[pairs % len(areas)] - counts
        hits += int((counts / union > 0.5).sum())
        predicted += int((inside[1:] > 0).sum())
        real += int((areas[1:] > 0).sum())
    return {
        "f1": 2 * hits / max(1, predicted + real),
        "precision": hits / max(1, predicted),
        "recall": hits / max(1, real),
        "objects": real,
    }


def forest(images, painted, tests):
    def features(image):
        colour = image.ndim == 3
        return multiscale_basic_features(
            image, sigma_min=1, sigma_max=16, channel_axis=-1 if colour else None, workers=2
        ).astype(np.float32)

    start = time.perf_counter()
    rows = [
        (features(image)[strokes > 0], strokes[strokes > 0]) for image, strokes in zip(images, painted, strict=True)
    ]
    trees = RandomForestClassifier(100, max_depth=20, max_samples=0.5, n_jobs=-1, random_state=0)
    trees.fit(np.concatenate([x for x, _ in rows]), np.concatenate([y for _, y in rows]))
    trained = time.perf_counter()
    found = []
    for image in tests:
        values = features(image)
        likely = trees.predict_proba(values.reshape(-1, values.shape[-1]))[:, 1]
        found.append((likely > 0.5).reshape(image.shape[:2]))
    return found, trained - start, time.perf_counter() - trained


def network(images, painted, tests, preset, seconds):
    import torch.nn  # noqa: F401 - loading libraries is not part of either method's time

    import napari_mpseg as mp
    from napari_mpseg.progress import CancelToken

    began = time.perf_counter()
    enough = CancelToken()

    def watch(event) -> None:
        if time.perf_counter() - began > seconds:
            enough.cancel()

    recipe = mp.PRESETS[preset].changed(epochs=10_000, validation=0.0)
    pairs = list(zip(images, painted, strict=True))
    model = mp.train(pairs, recipe, painted="scribbles", on_event=watch, control=enough)
    trained = time.perf_counter()
    found = []
    for image in tests:
        result = mp.segment(image, mp.NetworkMethod(model), threshold=0.5, min_size=0, measure=False)
        found.append(np.asarray(result.labels[...]) > 0)
    return found, trained - began, time.perf_counter() - trained


def blobs(data: Path, options: argparse.Namespace):
    folder = data / "painted"
    image = tifffile.imread(folder / "blobs.tif")
    truth = tifffile.imread(folder / "blobs_labels_imagej.tif")
    strokes = tifffile.imread(folder / "blobs_annotations.tif")
    return [image], [strokes.astype(np.uint8)], [image], [truth]


def mira(data: Path, options: argparse.Namespace):
    rng = np.random.default_rng(options.seed)
    folder = data / "mira"
    images, painted, tests, truth = [], [], [], []
    for path in sorted((folder / "images").iterdir()):
        pixels = np.asarray(Pictures.open(path).convert("RGB"))
        labels = tifffile.imread(folder / "labels" / f"{path.stem}.tif")
        if path.stem in PAINTED:
            images.append(pixels)
            painted.append(scribbles(labels, rng))
        else:
            tests.append(pixels)
            truth.append(labels)
    return images, painted, tests, truth


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", nargs="+", default=["blobs", "mira"], choices=["blobs", "mira"])
    parser.add_argument("--share", type=float, default=0.9, help="training time as a share of the forest's whole time")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    table = []
    for name in options.sets:
        images, painted, tests, truth = {"blobs": blobs, "mira": mira}[name](options.data, options)
        found, training, predicting = forest(images, painted, tests)
        table.append({"data": name, "method": "random forest", **score(found, truth, LEAST[name])})
        table[-1] |= {"training_s": training, "predicting_s": predicting}
        print(json.dumps(table[-1]), flush=True)
        # what predicting will take is taken off the forest's time, so that the network's whole time is no longer
        pixels = sum(image.shape[0] * image.shape[1] for image in tests) / 1e6
        seconds = max(10.0, options.share * (training + predicting) - (0.5 * pixels if name == "mira" else 1.0))
        found, training, predicting = network(images, painted, tests, PRESET[name], seconds)
        table.append({"data": name, "method": PRESET[name], **score(found, truth, LEAST[name])})
        table[-1] |= {"training_s": training, "predicting_s": predicting}
        print(json.dumps(table[-1]), flush=True)
    if options.json:
        options.json.write_text(json.dumps(table, indent=2) + "\n")


if __name__ == "__main__":
    main()
