"""Many small images: side by side in processes, or one after the other with their tiles in parallel.

    python benchmarks/batch.py --images 100 --side 1000 --method default

Both take turns in the same run, each from an empty folder, start of the processes included.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np
import tifffile

from napari_mpseg.batch import BatchSettings, run_batch

WAYS = ("chunks", "images")


def make(folder: Path, images: int, side: int) -> None:
    rng = np.random.default_rng(1)
    for number in range(images):
        picture = rng.integers(5, 20, (side, side, 3)).astype(np.uint8)
        for y, x in rng.integers(10, side - 10, (side * side // 8000, 2)):
            picture[y - 3 : y + 4, x - 3 : x + 4] = 200
        tifffile.imwrite(folder / f"image_{number}.tif", picture)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=40)
    parser.add_argument("--side", type=int, default=1000)
    parser.add_argument("--method", default="default")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    took: dict[str, list[float]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "images").mkdir()
        make(folder / "images", options.images, options.side)
        run_batch(folder / "images" / "image_0.tif", folder / "warm", BatchSettings(options.method, parallel="chunks"))
        for number in range(options.rounds):
            for way in WAYS:
                began = time.perf_counter()
                outcome = run_batch(
                    folder / "images", folder / f"{way}-{number}", BatchSettings(options.method, parallel=way)
                )
                took[way].append(time.perf_counter() - began)
                assert not outcome.failures, outcome.failures[0].message
    pixels = options.images * options.side**2 / 1e6
    print(f"| {options.images} images of {options.side} px, {options.method} | seconds (best of all) | Mpx/s |")
    print("|---|---|---|")
    for way in WAYS:
        print(
            f"| {way} | {min(took[way]):.1f} ({', '.join(f'{one:.1f}' for one in took[way])}) "
            f"| {pixels / min(took[way]):.2f} |"
        )
    if options.json:
        options.json.write_text(json.dumps({"settings": vars(options) | {"json": None}, "seconds": took}, indent=1))


if __name__ == "__main__":
    main()
