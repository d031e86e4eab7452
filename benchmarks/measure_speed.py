"""Measure the dense reference mask with this package and with scikit-image, in the same run.

Both make a table of the same columns (those scikit-image has: position, shape and intensity); this package's is longer.

    python benchmarks/measure_speed.py [--runs 7] [--mask dense_1280x960.png]

The mask is looked for in MPSEG_REFERENCE, else ../shared/reference beside the repository.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from skimage.io import imread
from skimage.measure import label, regionprops_table

from napari_mpseg.particles.measure import measure

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


def seconds(work: Callable[[], Any], runs: int) -> list[float]:
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7, help="runs of this package; the median counts")
    parser.add_argument("--mask", default="dense_1280x960.png", help="file in the folder of reference masks")
    options = parser.parse_args()
    root = Path(__file__).resolve().parents[1]
    folder = Path(os.environ.get("MPSEG_REFERENCE", root.parent / "shared" / "reference")) / "imagej" / "masks"
    labels = label(imread(folder / options.mask) > 0, connectivity=2).astype(np.int32)
    grey = folder / options.mask.replace(".png", "_grey.png")
    image = imread(grey) if grey.exists() else np.random.default_rng(0).integers(0, 256, labels.shape).astype(np.uint8)

    first = seconds(lambda: measure(labels, image), 1)[0]
    ours = seconds(lambda: measure(labels, image), options.runs)
    theirs = seconds(lambda: pd.DataFrame(regionprops_table(labels, image, properties=COLUMNS)), 1)[0]

    median = statistics.median(ours)
    print(f"{options.mask}: {labels.max()} particles, {labels.size / 1e6:.1f} Mpx")
    print(f"napari-mpseg   {median * 1e3:8.1f} ms  (median of {options.runs}; best {min(ours) * 1e3:.1f})")
    print(f"               {first * 1e3:8.1f} ms  the first call (compiles once per machine, then loads)")
    print(f"scikit-image   {theirs * 1e3:8.1f} ms")
    print(f"ratio          {theirs / median:8.1f}")


if __name__ == "__main__":
    main()
