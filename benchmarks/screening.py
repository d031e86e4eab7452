"""Skipping empty space: time, what is skipped and what is lost, beside the same network looking at everything.

    python benchmarks/screening.py DATA [--size 3000 4000] [--seeds 401 402] [--ways background both] [--out FOLDER]

Two kinds of filters are made of the real patches in DATA/mpnet by DATA/make_filter.py. "dense" takes all patches
alike: every 240 px there is a patch with particles, and a seam. "sparse" takes such a patch only for a small share of
places (--share); for the others it takes quarters of patches without an annotated particle, mirrored to the size of a
patch, as on a real filter most places hold none.

Every filter is segmented without and with screening in turns, --repeat times, and the fastest of each is taken; the
ratio of processor time, summed over all cores, is told too, as it hardly depends on what else a machine does.
"Particles" are those of the unscreened result, of 3 px and more; one is lost if the screened result has no pixel of
it. The looks at the background are also tried on the other annotated images in DATA, which had no part in choosing
their limits: how many objects, and how many of their pixels, would be skipped. The tables are printed as Markdown;
with --out they are written there, as Markdown and JSON. --picture FILE.png draws what was skipped on the first sparse
filter.
"""

import argparse
import importlib.util
import json
import os
import platform
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from skimage.io import imread
from skimage.measure import label

from napari_mpseg.images.open import open_image
from napari_mpseg.inference.predictor import Prepared
from napari_mpseg.inference.screening import SCREENS, ScreenedPredictor, ScreenSettings, find_screen, screened
from napari_mpseg.inference.screening.cells import CELL
from napari_mpseg.inference.tiled import predict_core, tile_grid
from napari_mpseg.methods.registry import resolve_method

SIZES = ((3, 3), (4, 5), (6, 10), (11, 30), (31, 10**9))
OTHERS = {"beads (mira)": "mira", "fibres (sem-fibres)": "sem-fibres/train", "nuclei": "nuclei"}
MIN_SIZE = 3
FOLDS = (2, 3, 4, 5)


def filter_maker(data: Path) -> Any:
    spec = importlib.util.spec_from_file_location("make_filter", data / "make_filter.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def empty_patches(pairs: list[Any]) -> list[Any]:
    """Return quarters of patches without an annotated particle, mirrored to the size of a patch.

    Quarters with part of the dark surround are left out: it stands around a real filter, not all over it.
    """
    empty = []
    for image, mask in pairs:
        half = image.shape[0] // 2
        for y in (0, half):
            for x in (0, half):
                part, known = image[y : y + half, x : x + half], mask[y : y + half, x : x + half]
                red = part[..., 0]
                if not known.any() and np.percentile(red, 2) > 0.4 * np.median(image[..., 0]):
                    rows = np.concatenate([part, part[::-1]])
                    whole = np.concatenate([rows, rows[:, ::-1]], 1)
                    empty.append((whole, np.zeros(whole.shape[:2], bool)))
    return empty


def patches_for(kind: str, pairs: list[Any], share: float) -> list[Any]:
    """Return patches to be drawn from with equal chances."""
    if kind == "dense":
        return pairs
    empty = empty_patches(pairs)
    wanted = round(len(pairs) * (1 - share) / share)
    return pairs + [empty[i % len(empty)] for i in range(wanted)]


def predicted(prepared: Prepared, way: str, tile_size: int | None) -> tuple[Prepared, np.ndarray, tuple[float, float]]:
    """Return what was made ready, the probability of the whole image, and the (processor) seconds of both."""
    start = time.perf_counter(), time.process_time()
    prepared = screened(prepared, way)
    grid = tile_grid(prepared.image, prepared.predictor, tile_size)
    probability = np.empty(grid.shape, np.float32)

    def fill(tile: Any) -> None:
        y0, y1, x0, x1 = tile.core
        probability[y0:y1, x0:x1] = predict_core(prepared.image, prepared.predictor, tile)

    with ThreadPoolExecutor(getattr(prepared.predictor, "workers", 1)) as pool:
        list(pool.map(fill, grid))
    return prepared, probability, (time.perf_counter() - start[0], time.process_time() - start[1])


def particles(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and areas (index 0 is background) of the particles of at least 3 px."""
    labels = label(mask, connectivity=2)
    areas = np.bincount(labels.ravel())
    small = areas < MIN_SIZE
    small[0] = False
    labels[small[labels]] = 0
    areas[small] = 0
    areas[0] = 0
    return labels, areas


def scores(labels: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Return how many annotated particles are touched, and the pixel F1."""
    mask = labels > 0
    known = label(truth, connectivity=2)
    count = int(known.max())
    hit = len(np.setdiff1d(np.unique(known[mask]), [0]))
    both = int((mask & truth).sum())
    return {
        "truth": count,
        "recall": hit / max(count, 1),
        "f1": 2 * both / max(int(mask.sum() + truth.sum()), 1),
    }


def compared(whole: np.ndarray, less: np.ndarray, threshold: float, truth: np.ndarray) -> dict[str, Any]:
    """Compare the probability with screening to that without."""
    labels, areas = particles(whole > threshold)
    after, _ = particles(less > threshold)
    kept = np.bincount(labels.ravel(), weights=(after > 0).ravel(), minlength=len(areas))
    row: dict[str, Any] = {"particles": int((areas > 0).sum())}
    for low, high in SIZES:
        of_size = (areas >= low) & (areas <= high)
        name = f"{low}" if low == high else f"{low}-{high}" if high < 10**9 else f">={low}"
        row[f"lost {name} px"] = f"{int((of_size & (kept == 0)).sum())} of {int(of_size.sum())}"
    row["lost above 3 px"] = int(((areas > MIN_SIZE) & (kept == 0)).sum())
    row["lost"] = int(((areas > 0) & (kept == 0)).sum())
    row["smaller"] = int(((kept > 0) & (kept < areas)).sum())
    row["pixels lost"] = int((areas - kept).sum())
    before, then = scores(labels, truth), scores(after, truth)
    row |= {
        "true particles": before["truth"],
        "recall before": round(before["recall"], 4),
        "recall after": round(then["recall"], 4),
        "f1 before": round(before["f1"], 4),
        "f1 after": round(then["f1"], 4),
    }
    return row


def one_filter(
    prepared: Prepared, truth: np.ndarray, threshold: float, options: argparse.Namespace, about: dict[str, Any]
) -> list[dict[str, Any]]:
    seconds: dict[str, list[tuple[float, float]]] = {}
    answers: dict[str, np.ndarray] = {}
    shares: dict[str, float] = {}
    for _ in range(options.repeat):
        for way in ("none", *options.ways):
            ready, answers[way], took = predicted(prepared, way, options.tile)
            seconds.setdefault(way, []).append(took)
            if way != "none":
                shares[way] = ready.predictor.tally.share  # type: ignore[attr-defined]
    wall, work = ({way: min(each) for way, each in _transposed(seconds, part).items()} for part in (0, 1))
    rows = []
    for way in options.ways:
        row = about | {
            "way": str(find_screen(way)),
            "seconds without": round(wall["none"], 2),
            "seconds with": round(wall[way], 2),
            "processor seconds without": round(work["none"], 2),
            "processor seconds with": round(work[way], 2),
            "times faster": round(wall["none"] / wall[way], 2),
            "times less work": round(work["none"] / work[way], 2),
            "skipped %": round(100 * shares[way], 2),
        }
        rows.append(row | compared(answers["none"], answers[way], threshold, truth))
        print(markdown([rows[-1]]).splitlines()[-1], flush=True)
    return rows


def _transposed(seconds: dict[str, list[tuple[float, float]]], part: int) -> dict[str, list[float]]:
    return {way: [each[part] for each in times] for way, times in seconds.items()}


def screen_speed(prepared: Prepared, ways: list[str], tile: int = 640) -> list[dict[str, Any]]:
    """Measure the looks alone, on one window of the middle of the image."""
    y, x = (size // 2 - tile // 2 for size in prepared.image.shape)
    window = np.ascontiguousarray(prepared.image.data[y : y + tile, x : x + tile])
    rows = []
    for way in ways:
        settings = find_screen(way)
        find = SCREENS[settings.way].find
        times = []
        for _ in range(6):
            start = time.process_time()
            find(window, prepared.predictor, settings)
            times.append(time.process_time() - start)
        rows.append(
            {
                "way": str(settings),
                "Mpx per processor second": round(window.shape[0] * window.shape[1] / 1e6 / min(times), 1),
            }
        )
    return rows


def other_images(data: Path, limits: tuple[float, ...] = (4, 6, 10, 20)) -> list[dict[str, Any]]:
    """Return what the look at the background would skip of annotated objects on images of other kinds."""
    rows = []
    for name, folder in OTHERS.items():
        counts = {limit: np.zeros(4) for limit in limits}  # objects skipped, their pixels skipped, pixels skipped, all
        objects = pixels = 0
        for truth_path in sorted((data / folder / "labels").glob("*.tif")):
            image_path = next((data / folder / "images").glob(f"{truth_path.stem}.*"))
            image, truth = imread(image_path), imread(truth_path)
            image = image[..., :3] if image.ndim == 3 else image
            sizes = np.bincount(truth.ravel())
            sizes[0] = 0
            objects, pixels = objects + int((sizes > 0).sum()), pixels + int(sizes.sum())
            for limit in limits:
                screen = ScreenedPredictor(Nothing(), ScreenSettings("background", limit))
                cells = screen.cells(image).repeat(CELL, 0).repeat(CELL, 1)[: truth.shape[0], : truth.shape[1]]
                kept = np.bincount(truth.ravel(), weights=cells.ravel(), minlength=len(sizes))
                lost = int(((sizes > 0) & (kept == 0)).sum())
                counts[limit] += (lost, (sizes - kept)[1:].sum(), (~cells).sum(), cells.size)
        rows += [
            {
                "images": name,
                "way": f"background:{limit:g}",
                "skipped": f"{100 * skipped / total:.1f} %",
                "objects lost": f"{int(lost)} of {objects}",
                "pixels of objects lost": f"{100 * lost_pixels / pixels:.2f} %",
            }
            for limit, (lost, lost_pixels, skipped, total) in counts.items()
        ]
    return rows


class Nothing:
    """Stands for a predictor that is not asked."""

    halo, stride, exact = 36, 4, True

    def predict(self, window: np.ndarray, margins: Any = (0, 0, 0, 0)) -> np.ndarray:
        """Is not called."""
        raise NotImplementedError


def summed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one row per kind and way over all seeds."""
    found = []
    for kind, way in dict.fromkeys((row["kind"], row["way"]) for row in rows):
        some = [row for row in rows if (row["kind"], row["way"]) == (kind, way)]

        def total(name: str, some: list[dict[str, Any]] = some) -> float:
            return sum(row[name] for row in some)

        def mean(name: str, some: list[dict[str, Any]] = some) -> float:
            weights = [row["true particles"] if "recall" in name else 1 for row in some]
            return round(float(np.average([row[name] for row in some], weights=weights)), 4)

        entry: dict[str, Any] = {
            "filters": kind,
            "way": way,
            "times faster": round(total("seconds without") / total("seconds with"), 1),
            "times less work": round(total("processor seconds without") / total("processor seconds with"), 1),
            "skipped": f"{mean('skipped %'):.1f} %",
        }
        for name in (
            name for name in some[0] if name.startswith("lost ") and name.endswith("px") and "above" not in name
        ):
            counts = np.array([[int(part) for part in row[name].split(" of ")] for row in some]).sum(0)
            entry[name] = f"{counts[0]} of {counts[1]}"
        entry |= {
            "particles smaller": f"{total('smaller')}",
            "recall": f"{mean('recall before'):.3f} to {mean('recall after'):.3f}",
            "pixel F1": f"{mean('f1 before'):.4f} to {mean('f1 after'):.4f}",
        }
        found.append(entry)
    return found


def picture(prepared: Prepared, way: str, path: Path, truth: np.ndarray) -> None:
    """Draw the image with what is skipped shaded blue, what is computed framed orange, particles circled green."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import Circle, Rectangle
    from skimage.measure import regionprops

    from napari_mpseg.inference.windows import read_window

    ready = screened(prepared, way)
    image = np.asarray(prepared.image.data)
    grid = tile_grid(ready.image, ready.predictor)
    boxes = []
    for tile in grid:
        found = ready.predictor.boxes(read_window(ready.image, tile.window), inner_of(tile))  # type: ignore[attr-defined]
        found = [inner_of(tile)] if found is None else found
        wy, _, wx, _ = tile.window
        boxes += [(y0 + wy, y1 + wy, x0 + wx, x1 + wx) for y0, y1, x0, x1 in found]
    computed = np.zeros(image.shape[:2], bool)
    for y0, y1, x0, x1 in boxes:
        computed[y0:y1, x0:x1] = True
    shown = np.clip(image.astype(np.float32) * 2, 0, 255)
    blue = np.array([0, 114, 178], np.float32)
    shown = np.where(computed[..., None], shown, 0.6 * shown + 0.4 * blue).astype(np.uint8)
    known = regionprops(label(truth, connectivity=2))
    figure = Figure(figsize=(11, 5), dpi=80, layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, width_ratios=(image.shape[1] / image.shape[0], 1))
    # the window with most particles, but not the densest corner of the surround
    side = min(600, *image.shape[:2])
    corner = max(
        ((y, x) for y in range(0, image.shape[0] - side + 1, 100) for x in range(0, image.shape[1] - side + 1, 100)),
        key=lambda at: sum(
            at[0] < r.centroid[0] < at[0] + side and at[1] < r.centroid[1] < at[1] + side for r in known
        ),
    )
    left.imshow(shown[::2, ::2], extent=(0, image.shape[1], image.shape[0], 0), interpolation="none")
    left.add_patch(Rectangle(corner[::-1], side, side, fill=False, color="white", lw=1))
    right.imshow(
        shown[corner[0] : corner[0] + side, corner[1] : corner[1] + side],
        extent=(corner[1], corner[1] + side, corner[0] + side, corner[0]),
        interpolation="none",
    )
    for y0, y1, x0, x1 in boxes:
        right.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, color="#E69F00", lw=1))
    for region in known:
        y, x = region.centroid
        right.add_patch(Circle((x, y), 14, fill=False, color="#009E73", lw=1.5))
        left.add_patch(Circle((x, y), 40, fill=False, color="#009E73", lw=1))
    right.set(xlim=(corner[1], corner[1] + side), ylim=(corner[0] + side, corner[0]))
    share = 100 * (1 - computed.mean())
    left.set_title(f"Blue: skipped ({share:.1f} %); green: annotated particles", fontsize=9)
    right.set_title("The white square; orange: what the network is run on", fontsize=9)
    for axes in (left, right):
        axes.set(xticks=[], yticks=[])
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, pil_kwargs={"optimize": True})


def inner_of(tile: Any) -> tuple[int, int, int, int]:
    """Return a tile's core in pixels of its window."""
    top, _, left, _ = tile.margins
    height, width = tile.core_shape
    return top, top + height, left, left + width


def markdown(rows: list[dict[str, Any]]) -> str:
    names = list(rows[0])
    lines = [f"| {' | '.join(names)} |", "|" + "---|" * len(names)]
    return "\n".join([*lines, *(f"| {' | '.join(str(row[name]) for name in names)} |" for row in rows)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder with mpnet/ and make_filter.py")
    parser.add_argument("--size", nargs=2, type=int, default=(3000, 4000), metavar=("HEIGHT", "WIDTH"))
    parser.add_argument("--seeds", nargs="+", type=int, default=(401, 402))
    parser.add_argument("--kinds", nargs="+", choices=("dense", "sparse"), default=("dense", "sparse"))
    parser.add_argument("--share", type=float, default=0.05, help="patches with particles on sparse filters")
    parser.add_argument("--ways", nargs="+", default=("background", "low-resolution", "both"))
    parser.add_argument("--method", default="default", help="a network: 'default' or a model folder")
    parser.add_argument("--tile", type=int, help="side of a tile in pixels; default what the network prefers")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="write the tables here too")
    parser.add_argument("--picture", type=Path, metavar="FILE.png")
    options = parser.parse_args()
    method = resolve_method(options.method)
    method = method.build(device="auto") if hasattr(method, "build") else method
    maker = filter_maker(options.data)
    pairs = maker.load(FOLDS)
    rows: list[dict[str, Any]] = []
    speed: list[dict[str, Any]] = []
    for kind in options.kinds:
        chosen = patches_for(kind, pairs, options.share)
        for seed in options.seeds:
            image, truth = maker.mosaic(*options.size, chosen, np.random.default_rng(seed))
            prepared = method.prepare(open_image(image))
            if options.picture and kind == "sparse" and seed == options.seeds[0]:
                picture(prepared, options.ways[0], options.picture, truth)
            speed = speed or screen_speed(prepared, list(options.ways))
            about = {"kind": kind, "seed": seed}
            rows += one_filter(prepared, truth, method.default_threshold, options, about)
    others = other_images(options.data)
    tables = {"summary": summed(rows), "looks alone": speed, "other images": others, "filters": rows}
    text = "\n\n".join(markdown(table) for table in tables.values())
    print(text)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        machine = {"machine": platform.processor() or platform.machine(), "cores": os.cpu_count()}
        (options.out / "screening.md").write_text(text + "\n", encoding="utf-8")
        (options.out / "screening.json").write_text(json.dumps(machine | tables, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
