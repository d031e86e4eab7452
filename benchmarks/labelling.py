"""Label a mask chunk by chunk: this package, dask-image and, on the whole array, scikit-image, in the same run.

    python benchmarks/labelling.py [--runs 5] [--chunk 1024] [--mask FILE] [--large SIDE] [--out FOLDER]

The runs of this package lie before and after dask-image's, so that a machine that changes speed shows, and the
components must be the same, pixel by pixel. ``--large`` labels lazily made masks of 4096 and of that many pixels a
side, each in a process of its own, and reports memory. The tables are printed as Markdown; with ``--out`` they are
written there, as Markdown and JSON. The mask is looked for in MPSEG_REFERENCE, else ../shared/reference beside the
repository.

dask-image is no dependency of this package: pip install dask-image.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np

from napari_mpseg.particles.lazy_labels import label_chunks


def seconds(work: Callable[[], Any], runs: int) -> list[float]:
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return times


def same_components(ours: np.ndarray, theirs: np.ndarray) -> bool:
    """Tell whether two label images differ in nothing but their numbers."""
    pairs = np.unique(np.stack([ours.ravel(), theirs.ravel()]), axis=1)
    one_to_one = len(np.unique(pairs[0])) == len(np.unique(pairs[1])) == pairs.shape[1]
    return one_to_one and bool(((ours == 0) == (theirs == 0)).all())


def compared(path: Path, chunk: int, runs: int) -> list[dict[str, Any]]:
    from dask_image.ndmeasure import label as dask_label
    from skimage.io import imread
    from skimage.measure import label

    mask = imread(path) > 0
    chunked = da.from_array(mask, chunks=chunk)

    def ours() -> np.ndarray:
        return label_chunks(chunked).compute()

    def theirs() -> np.ndarray:
        return dask_label(chunked, structure=np.ones((3, 3)))[0].compute()

    found = {"ours": ours(), "dask-image": theirs(), "scikit-image": label(mask, connectivity=2)}
    taken = {"ours": seconds(ours, runs), "dask-image": seconds(theirs, max(1, runs // 3))}
    taken["ours"] += seconds(ours, runs)
    taken["scikit-image"] = seconds(lambda: label(mask, connectivity=2), runs)
    reference = statistics.median(taken["ours"])
    titles = {
        "ours": f"napari-mpseg, chunks of {chunk} px",
        "dask-image": f"dask-image, chunks of {chunk} px",
        "scikit-image": "scikit-image, the whole array at once",
    }
    return [
        {
            "labelling": titles[name],
            "mask": path.name,
            "particles": int(found[name].max()),
            "same components": same_components(found["ours"], found[name]),
            "seconds": round(statistics.median(taken[name]), 3),
            "lowest and highest": f"{min(taken[name]):.3f} to {max(taken[name]):.3f}",
            "times as long as ours": round(statistics.median(taken[name]) / reference, 1),
        }
        for name in ("ours", "dask-image", "scikit-image")
    ]


def made_mask(side: int, chunk: int) -> Any:
    """Return a mask that is made when read: the same number of particles whatever its side."""
    pitch = side // 64

    def make(block_info: Any = None) -> np.ndarray:
        (y0, y1), (x0, x1) = block_info[None]["array-location"]
        y, x = np.arange(y0, y1, dtype=np.int32)[:, None], np.arange(x0, x1, dtype=np.int32)
        return (y % pitch - pitch // 2) ** 2 + (x % pitch - pitch // 2) ** 2 <= (pitch // 3) ** 2

    return da.map_blocks(make, chunks=((chunk,) * (side // chunk),) * 2, dtype=bool, meta=np.empty((0, 0), bool))


def peak_mib() -> float:
    """Return the most memory this process held; on Linux not what the one that started it held, as rusage does."""
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) / 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def peak(side: int, chunk: int) -> None:
    """Label a mask of that side tile by tile, forgetting every tile, and print what it took as JSON."""
    start = time.perf_counter()
    labels = label_chunks(made_mask(side, chunk))
    highest = labels.max().compute()
    row = {
        "side in px": side,
        "particles": int(highest),
        "seconds": round(time.perf_counter() - start, 1),
        "peak in MiB": round(peak_mib()),
    }
    print(json.dumps(row))


def memory(sides: list[int], chunk: int) -> list[dict[str, Any]]:
    rows = []
    for side in sides:
        command = [sys.executable, __file__, "--chunk", str(chunk), "--peak", str(side)]
        rows.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    return rows


def markdown(rows: list[dict[str, Any]]) -> str:
    names = list(rows[0])
    lines = [f"| {' | '.join(names)} |", "|" + "---|" * len(names)]
    return "\n".join([*lines, *(f"| {' | '.join(str(row[name]) for name in names)} |" for row in rows)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="runs of this package before and after dask-image's")
    parser.add_argument("--chunk", type=int, default=1024, help="side of a chunk in pixels")
    parser.add_argument("--mask", type=Path, help="a mask; default large_7140x5424.png of the reference masks")
    parser.add_argument("--large", type=int, metavar="SIDE", help="also measure memory up to this side")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="write the tables here too")
    parser.add_argument("--peak", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak:
        peak(options.peak, options.chunk)
        return
    root = Path(__file__).resolve().parents[1]
    reference = Path(os.environ.get("MPSEG_REFERENCE", root.parent / "shared" / "reference")) / "imagej" / "masks"
    tables = {"speed": compared(options.mask or reference / "large_7140x5424.png", options.chunk, options.runs)}
    if options.large:
        tables["memory"] = memory([4096, options.large], options.chunk)
    text = "\n\n".join(markdown(rows) for rows in tables.values())
    print(text)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        about = {"machine": platform.processor() or platform.machine(), "cores": os.cpu_count(), **tables}
        (options.out / "labelling.md").write_text(text + "\n", encoding="utf-8")
        (options.out / "labelling.json").write_text(json.dumps(about, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
