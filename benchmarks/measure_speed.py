"""Measure the reference masks with this package and with scikit-image, in the same run, and large labels by chunks.

    python benchmarks/measure_speed.py [--runs 7] [--mask dense_1280x960.png ...] [--large 20000] [--out FOLDER]

Both make a table with the columns named below; the sets "shape" and "intensity" of this package hold more. Its runs
are timed before and after scikit-image's, so that a machine that changes speed shows. ``--large`` measures lazily made
labels of that side, chunk by chunk, and reports memory. The tables are printed as Markdown; with ``--out`` they are
written there, as Markdown and JSON. The masks are looked for in MPSEG_REFERENCE, else ../shared/reference beside the
repository.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pandas as pd
from skimage.io import imread
from skimage.measure import label, regionprops_table

from napari_mpseg.particles.measure import measure

OURS = ["shape", "intensity", "centroid", "bounding_box"]

#: What scikit-image has of those sets. The second lot stands in its own row of the table.
COLUMNS = (
    "label",
    "bbox",
    "centroid",
    "area",
    "area_convex",
    "perimeter",
    "equivalent_diameter_area",
    "feret_diameter_max",
    "axis_major_length",
    "axis_minor_length",
    "orientation",
    "solidity",
    "extent",
    "intensity_mean",
    "intensity_min",
    "intensity_max",
    "intensity_std",
)
MORE = ("perimeter_crofton", "euler_number", "area_filled", "centroid_weighted")


def seconds(work: Callable[[], Any], runs: int) -> list[float]:
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return times


def compared(mask: str, folder: Path, runs: int, columns: tuple[str, ...]) -> dict[str, Any]:
    labels = label(imread(folder / mask) > 0, connectivity=2).astype(np.int32)
    grey = folder / mask.replace(".png", "_grey.png")
    image = imread(grey) if grey.exists() else np.random.default_rng(0).integers(0, 256, labels.shape).astype(np.uint8)
    first = seconds(lambda: measure(labels, image, properties=OURS), 1)[0]
    ours = seconds(lambda: measure(labels, image, properties=OURS), runs)
    theirs = seconds(lambda: pd.DataFrame(regionprops_table(labels, image, properties=columns)), 3)
    after = seconds(lambda: measure(labels, image, properties=OURS), runs)
    both = statistics.median(ours + after)
    return {
        "mask": mask,
        "particles": int(labels.max()),
        "megapixels": round(labels.size / 1e6, 1),
        "scikit_image_columns": len(regionprops_table(labels[:8, :8], image[:8, :8], properties=columns)),
        "ours_columns": len(measure(labels[:8, :8], image[:8, :8], properties=OURS).frame.columns),
        "first_call_ms": round(first * 1e3, 1),
        "ours_ms": round(both * 1e3, 1),
        "ours_ms_before_and_after": [round(statistics.median(part) * 1e3, 1) for part in (ours, after)],
        "scikit_image_ms": round(statistics.median(theirs) * 1e3),
        "times_faster": round(statistics.median(theirs) / both),
    }


def sets_alone(mask: str, folder: Path, runs: int) -> list[dict[str, Any]]:
    labels = label(imread(folder / mask) > 0, connectivity=2).astype(np.int32)
    image = np.random.default_rng(0).integers(0, 256, labels.shape).astype(np.uint8)
    rows = []
    for chosen in ("area", "default", "imagej", "shape", "intensity", "morphology", "fibre", "contrast", "all"):
        work = seconds(lambda chosen=chosen: measure(labels, image, properties=chosen), runs + 1)[1:]
        rows.append({"mask": mask, "properties": chosen, "ms": round(statistics.median(work) * 1e3, 1)})
    return rows


def lazy_labels(side: int, chunk: int = 1024, pitch: int = 40) -> Any:
    """Return labels that are made when read: a disc in every cell of a grid, crossing chunk borders."""

    def make(block_info: Any = None) -> np.ndarray:
        (y0, y1), (x0, x1) = block_info[None]["array-location"]
        y, x = np.arange(y0, y1, dtype=np.int32)[:, None], np.arange(x0, x1, dtype=np.int32)
        inside = (y % pitch - pitch // 2) ** 2 + (x % pitch - pitch // 2) ** 2 <= (pitch // 3) ** 2
        return np.where(inside, y // pitch * (side // pitch + 1) + x // pitch + 1, 0).astype(np.int32)

    chunks = tuple((chunk,) * (side // chunk) + ((side % chunk,) if side % chunk else ()) for _ in range(2))
    return da.map_blocks(make, chunks=chunks, dtype=np.int32, meta=np.empty((0, 0), np.int32))


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def large(side: int, chosen: str, pitch: int) -> dict[str, Any]:
    labels = lazy_labels(side, pitch=pitch)
    image = (labels % 251).astype(np.uint8)
    small = lazy_labels(1024)
    measure(small, (small % 251).astype(np.uint8), properties=chosen)
    before = peak_mib()
    start = time.perf_counter()
    table = measure(labels, image, properties=chosen)
    return {
        "side": side,
        "gigapixels": round(side * side / 1e9, 2),
        "labels_mib": round(side * side * 4 / 2**20),
        "properties": chosen,
        "particles": len(table),
        "columns": len(table.frame.columns),
        "table_mib": round(table.frame.memory_usage().sum() / 2**20),
        "seconds": round(time.perf_counter() - start, 1),
        "peak_mib_before": round(before),
        "peak_mib": round(peak_mib()),
    }


def markdown(rows: list[dict[str, Any]]) -> str:
    names = list(rows[0])
    lines = [f"| {' | '.join(names)} |", "|" + "---|" * len(names)]
    return "\n".join([*lines, *(f"| {' | '.join(str(row[name]) for name in names)} |" for row in rows)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7, help="runs of this package before and after scikit-image")
    parser.add_argument("--mask", nargs="*", default=["dense_1280x960.png"], help="files of the reference masks")
    parser.add_argument("--large", type=int, metavar="SIDE", help="measure lazily made labels of this side instead")
    parser.add_argument("--properties", default="all", help="what --large measures")
    parser.add_argument("--pitch", type=int, default=40, help="distance of the particles of --large")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="write the tables here too")
    options = parser.parse_args()
    root = Path(__file__).resolve().parents[1]
    folder = Path(os.environ.get("MPSEG_REFERENCE", root.parent / "shared" / "reference")) / "imagej" / "masks"
    tables: dict[str, list[dict[str, Any]]] = {}
    if options.large:
        tables["memory"] = [large(options.large, options.properties, options.pitch)]
    else:
        lots = (COLUMNS, (*COLUMNS, *MORE))
        tables["speed"] = [compared(mask, folder, options.runs, lot) for mask in options.mask for lot in lots]
        tables["sets"] = [row for mask in options.mask for row in sets_alone(mask, folder, options.runs)]
    text = "\n\n".join(markdown(rows) for rows in tables.values())
    print(text)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        name = "measure_memory" if options.large else "measure_speed"
        about = {"machine": platform.processor() or platform.machine(), "cores": os.cpu_count(), **tables}
        (options.out / f"{name}.md").write_text(text + "\n", encoding="utf-8")
        (options.out / f"{name}.json").write_text(json.dumps(about, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
