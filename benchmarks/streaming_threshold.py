"""Peak memory and time of a threshold on an image larger than memory should be.

    python benchmarks/streaming_threshold.py [--patches DATA/mpnet] [--size 20000] [--method mp-vat] [--json OUT.json]

An RGB zarr of that side is made chunk by chunk, of real patches turned and mirrored at random, or without `--patches`
of noise with spots. A process of its own runs ``napari_mpseg.segment`` on it with a store on disk: histogram, masks,
labels, particle table, tables on disk. Its peak memory, everything included, must stay below 1 GiB.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

CHUNK, BAR_MIB = 512, 1024


def patches_of(folder: Path | None, rng: np.random.Generator) -> list[np.ndarray]:
    """Return square RGB patches of 256 pixels."""
    if folder is None:
        return [synthetic_patch(rng) for _ in range(40)]
    from skimage.io import imread

    return [imread(path)[..., :3] for path in sorted(folder.glob("fold_*/*.png"))]


def synthetic_patch(rng: np.random.Generator) -> np.ndarray:
    """Return dark noise with one to three bright spots."""
    patch = rng.normal((35, 25, 20), 4, (256, 256, 3))
    y, x = np.mgrid[:256, :256]
    for _ in range(rng.integers(1, 4)):
        centre, radius = rng.uniform(10, 246, 2), rng.uniform(1, 6)
        spot = np.exp(-((y - centre[0]) ** 2 + (x - centre[1]) ** 2) / (2 * radius**2))
        patch += spot[..., np.newaxis] * (200, 90, 40)
    return np.clip(patch, 0, 255).astype(np.uint8)


def make_zarr(place: Path, size: int, patches: list[np.ndarray], rng: np.random.Generator) -> None:
    """Write the image, one chunk in memory at a time."""
    import zarr

    image = zarr.create_array(place, shape=(size, size, 3), chunks=(CHUNK, CHUNK, 3), dtype=np.uint8)
    for y in range(0, size, CHUNK):
        for x in range(0, size, CHUNK):
            tiles = [[_turned(patches, rng) for _ in range(CHUNK // 256)] for _ in range(CHUNK // 256)]
            block = np.concatenate([np.concatenate(row, axis=1) for row in tiles])
            image[y : y + CHUNK, x : x + CHUNK] = block[: size - y, : size - x]


def _turned(patches: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    patch = np.rot90(patches[rng.integers(len(patches))], rng.integers(4))
    return patch[::-1] if rng.integers(2) else patch


def job(options: argparse.Namespace) -> dict[str, float]:
    import napari_mpseg as mp

    chosen = dict(one.split("=", 1) for one in options.set)
    settings = {name: {"true": True, "false": False}.get(value, value) for name, value in chosen.items()}
    start = time.perf_counter()
    result = mp.segment(options.zarr, options.method, options=settings, out=Path(options.zarr).parent / "out")
    return {
        "seconds": time.perf_counter() - start,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "particles": result.count,
        "notes": list(result.notes),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patches", type=Path, help="folder with fold_*/*.png; without, synthetic ones")
    parser.add_argument("--size", type=int, default=20_000, help="height and width in pixels")
    parser.add_argument("--method", default="mp-vat")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="an option of the method")
    parser.add_argument("--folder", type=Path, help="where to work; about 2 GB for 20000 pixels")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--zarr", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.zarr:
        print(json.dumps(job(options)))
        return
    rng = np.random.default_rng(1)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        place = Path(folder) / "image.zarr"
        make_zarr(place, options.size, patches_of(options.patches, rng), rng)
        command = [sys.executable, __file__, "--zarr", str(place), "--method", options.method]
        command += [part for one in options.set for part in ("--set", one)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout.splitlines()[-1])
    found |= {"size": options.size, "method": options.method, "bar_mib": BAR_MIB}
    print(json.dumps(found, indent=1))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    sys.exit(found["peak_mib"] > BAR_MIB)


if __name__ == "__main__":
    main()
