"""An image without its background: computed once, tile by tile, into a temporary store."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from napari_mpseg.errors import StoreError
from napari_mpseg.files import refusal
from napari_mpseg.images.image import Image
from napari_mpseg.images.lazy import FilePixels, as_dask
from napari_mpseg.images.region import read_region
from napari_mpseg.images.zarr_reader import zarr_reader
from napari_mpseg.inference.background.settings import BackgroundSettings
from napari_mpseg.inference.background.ways import BACKGROUNDS, Levels
from napari_mpseg.inference.grid import Tile, TileGrid
from napari_mpseg.inference.temporary import temporary_folder
from napari_mpseg.leftovers import remove
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback

Array = np.ndarray[Any, Any]
STAGE = "Subtracting the background"
_TILE = 1024


@contextmanager
def subtracted(
    image: Image,
    settings: BackgroundSettings | None,
    *,
    cache: str | os.PathLike[str] | None = None,
    on_progress: ProgressCallback,
    cancel: CancelToken,
    tile_size: int = _TILE,
) -> Iterator[Image]:
    """Give the image without its background.

    It is computed once, tile by tile, into a temporary store that is removed at the end of the block; reading windows
    of the result computes nothing. The result does not depend on the tiles.

    Parameters
    ----------
    image : Image
        ``(Y, X)`` or ``(Y, X, C)``; every channel is taken for itself.
    settings : BackgroundSettings or None
        With None the image itself is given.
    cache : path-like, optional
        Folder for the temporary store; default the variable ``NAPARI_MPSEG_CACHE``, else the system's temporary folder.
    on_progress : callable
        Called after every tile.
    cancel : CancelToken
        Stops the work within one tile; the store is removed then, too.
    tile_size : int
        Side of a tile in pixels.

    Yields
    ------
    Image
        Same shape, dtype and calibration. Under a dark background it is lowered to 0; a light background is raised to
        white (255 in uint8, else the image's highest value). Integers are rounded; values that are not finite stay.

    Raises
    ------
    StoreError
        If the disk is full, or nothing may be written there.
    ImageError
        If the image cannot be read.
    Cancelled
        If `cancel` was set.
    """
    if settings is None:
        yield image
        return
    folder = temporary_folder(cache)
    try:
        levels = _levels(image, on_progress, cancel)
        try:
            store = _fill(image, settings, levels, folder, tile_size, on_progress, cancel)
        except OSError as error:
            if isinstance(error, (StoreError, ConnectionError)):
                raise
            raise refusal(folder, error) from error
        pixels = FilePixels(zarr_reader(store), store.shape, store.dtype, f"{image.name} without background", keep=True)
        axes = "YX" if image.data.ndim == 2 else "YXS"
        yield replace(image, data=as_dask(pixels, axes, tuple(store.chunks)))
    finally:
        remove(folder)


def _fill(
    image: Image,
    settings: BackgroundSettings,
    levels: Levels,
    folder: Path,
    tile_size: int,
    on_progress: ProgressCallback,
    cancel: CancelToken,
) -> Any:
    import zarr
    from zarr.storage import LocalStore

    from napari_mpseg.inference.schedulers.each import for_each
    from napari_mpseg.inference.windows import read_window

    entry = BACKGROUNDS[settings.way]
    grid = TileGrid(image.shape, tile_size, entry.reach(settings.radius), entry.shrink(settings.radius))
    side = grid.tile
    shape = image.data.shape
    chunks = (min(side, shape[0]), min(side, shape[1]), *shape[2:])
    store = zarr.create_array(LocalStore(folder / "image.zarr"), shape=shape, chunks=chunks, dtype=image.dtype)

    def subtract(tile: Tile) -> None:
        y0, y1, x0, x1 = tile.core
        window = read_window(image, tile.window)
        store[y0:y1, x0:x1] = _subtracted_window(window, tile, settings, levels)

    for_each(subtract, grid, stage=STAGE, on_progress=on_progress, cancel=cancel)
    return store


def _subtracted_window(window: Array, tile: Tile, settings: BackgroundSettings, levels: Levels) -> Array:
    if window.ndim == 3:
        channels = [
            _subtracted_window(window[..., channel], tile, settings, levels) for channel in range(window.shape[2])
        ]
        return np.stack(channels, 2)
    estimate = BACKGROUNDS[settings.way].estimate
    top, bottom, left, right = tile.margins
    inner = (slice(top, window.shape[0] - bottom), slice(left, window.shape[1] - right))
    pixels = window[inner].astype(np.float64)
    if settings.light:
        turned, flipped = _negative(window, levels)
        difference = pixels - _back(estimate(turned, settings.radius, levels)[inner], flipped) + levels.high
    else:
        difference = pixels - estimate(np.ascontiguousarray(window), settings.radius, levels)[inner]
    # a blurred background lies above some of the image's own pixels, or below them where it is light
    limited = np.minimum(difference, levels.high) if settings.light else np.maximum(difference, 0)
    return _in_dtype(limited, window, inner, levels)


def _negative(window: Array, levels: Levels) -> tuple[Array, float]:
    """Return the window with dark and bright exchanged, and what the two add up to."""
    if window.dtype == np.uint8:
        return 255 - window, 255.0
    if window.dtype == np.uint16:
        return np.ascontiguousarray(np.uint16(65535) - window), 65535.0
    total = levels.low + levels.high
    return (total - window).astype(window.dtype if window.dtype == np.float32 else np.float64), total


def _back(background: Array, total: float) -> Array:
    return total - background.astype(np.float64)


def _in_dtype(difference: Array, window: Array, inner: Any, levels: Levels) -> Array:
    dtype = window.dtype
    if dtype.kind == "f":
        odd = ~np.isfinite(window[inner])
        difference[odd] = window[inner][odd]
        return difference.astype(dtype)
    limits = np.iinfo(dtype)
    highest = levels.high if dtype.kind == "u" else limits.max
    return np.clip(np.floor(difference + 0.5), limits.min, highest).astype(dtype)


def _levels(image: Image, on_progress: ProgressCallback, cancel: CancelToken) -> Levels:
    """Return the range of the image's values; uint8 has its own."""
    if image.dtype == np.uint8:
        return Levels()
    low, high, gaps = np.inf, -np.inf, False
    grid = TileGrid(image.shape, _TILE * 2, 0, 1)
    for done, tile in enumerate(grid, 1):
        cancel.check()
        pixels = read_region(image, *tile.core)
        finite = pixels[np.isfinite(pixels)]
        gaps = gaps or finite.size < pixels.size
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
        on_progress(Progress("Reading the value range", done, len(grid), "blocks"))
    return Levels(low, high, gaps) if low <= high else Levels(0.0, 0.0, True)
