"""Images to measure on: stitched filters of real patches, and images of any size that are made when read."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from scale.settings import Settings

PATCH = 256
SEED = 11


def filter_file(settings: Settings) -> Path:
    """Return a stitched filter as a TIFF of compressed tiles, made once per work folder, with its mask beside it.

    Of the real patches by ``make_filter.py`` if the settings know them, else of made-up ones.
    """
    height, width = settings.size
    path = Path(settings.work) / f"filter-{height}x{width}.tif"
    if path.exists():
        return path
    if settings.data is not None:
        command = [sys.executable, Path(settings.data) / "make_filter.py", path, "--size", str(height), str(width)]
        subprocess.run([*command, "--seed", str(SEED)], check=True, capture_output=True)
        return path
    import tifffile

    pixels = block(patches(settings), 0, height, 0, width)
    tile = (min(512, -(-height // 16) * 16), min(512, -(-width // 16) * 16))
    tifffile.imwrite(path, pixels, tile=tile, compression="zlib", photometric="rgb")
    return path


def filter_pixels(settings: Settings, size: tuple[int, int] | None = None) -> np.ndarray:
    """Return the filter, or the middle of it, as uint8 ``(Y, X, 3)`` in memory."""
    from napari_mpseg.images.open import open_image

    data = open_image(filter_file(settings)).data
    height, width = size or data.shape[:2]
    y, x = (data.shape[0] - height) // 2, (data.shape[1] - width) // 2
    return np.ascontiguousarray(data[y : y + height, x : x + width])


def sparse_filter(settings: Settings, share: float = 0.05) -> tuple[np.ndarray, np.ndarray]:
    """Return a filter most of which holds no particle, as real ones are, and its mask.

    ``make_filter.py`` takes patches with particles all over. Here only a `share` of them has any, the others are made
    of what real patches show where there is none.
    """
    from screening import filter_maker, patches_for

    if settings.data is None:
        pixels = block(patches(settings), 0, settings.size[0], 0, settings.size[1])
        pixels[: settings.size[0] // 2] = patches(settings)[0][:8, :8].reshape(-1, 3).min(0)
        return pixels, np.zeros(settings.size, bool)
    maker = filter_maker(Path(settings.data))
    chosen = patches_for("sparse", maker.load((2, 3, 4, 5)), share)
    return maker.mosaic(*settings.size, chosen, np.random.default_rng(SEED))


def lazy_image(settings: Settings, side: int) -> Any:
    """Return a square RGB image as a dask array whose chunks are made of patches when they are read.

    Whatever its side, every part of it is as full of particles.
    """
    import dask.array as da

    some, chunk = patches(settings), settings.chunk

    def make(block_info: Any = None) -> np.ndarray:
        (y0, y1), (x0, x1), _ = block_info[None]["array-location"]
        return block(some, y0, y1, x0, x1)

    sizes = (chunk,) * (side // chunk) + ((side % chunk,) if side % chunk else ())
    return da.map_blocks(make, chunks=(sizes, sizes, (3,)), dtype=np.uint8, meta=np.empty((0, 0, 0), np.uint8))


def block(some: list[np.ndarray], y0: int, y1: int, x0: int, x1: int) -> np.ndarray:
    """Return a part of an endless image laid with patches, turned and mirrored by where they lie."""
    rows, cols = range(y0 // PATCH, -(-y1 // PATCH)), range(x0 // PATCH, -(-x1 // PATCH))
    laid = np.concatenate([np.concatenate([_at(some, row, col) for col in cols], 1) for row in rows])
    y, x = y0 - rows[0] * PATCH, x0 - cols[0] * PATCH
    return np.ascontiguousarray(laid[y : y + y1 - y0, x : x + x1 - x0])


def _at(some: list[np.ndarray], row: int, col: int) -> np.ndarray:
    number = (row * 2654435761 + col * 40503) % 2**32 * 2246822519 % 2**32 >> 8
    patch = np.rot90(some[number % len(some)], number // len(some) % 4)
    return patch[::-1] if number // 4 // len(some) % 2 else patch


def patches(settings: Settings) -> list[np.ndarray]:
    """Return RGB patches of 256 px: the real ones, or dark noise with a few bright spots."""
    if settings.data is None:
        rng = np.random.default_rng(SEED)
        return [_made_up(rng) for _ in range(12)]
    from skimage.io import imread

    return [imread(path)[..., :3] for path in sorted((Path(settings.data) / "mpnet").glob("fold_*/*.png"))]


def _made_up(rng: np.random.Generator) -> np.ndarray:
    patch = rng.normal((35, 25, 20), 4, (PATCH, PATCH, 3))
    y, x = np.mgrid[:PATCH, :PATCH]
    for _ in range(rng.integers(1, 4)):
        centre, radius = rng.uniform(10, PATCH - 10, 2), rng.uniform(1, 6)
        spot = np.exp(-((y - centre[0]) ** 2 + (x - centre[1]) ** 2) / (2 * radius**2))
        patch += spot[..., np.newaxis] * (200, 90, 40)
    return np.clip(patch, 0, 255).astype(np.uint8)
