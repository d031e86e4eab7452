"""What lies on a filter and is no particle: organic threads and smears, and points too dim to count."""

import functools

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.synthesis.blocks import Window, overlap
from napari_mpseg.synthesis.filter_settings import FilterSettings
from napari_mpseg.synthesis.placement import CELL, cells_under, grid
from napari_mpseg.synthesis.shapes import film, thread
from napari_mpseg.synthesis.streams import generator

_REACH = 160  # px that clutter may stick out of its cell
_COLOURS = np.array([[1.0, 0.35, 0.2], [1.0, 0.2, 0.08], [0.8, 0.55, 0.2], [0.55, 0.6, 0.2]], np.float32)
_SPECK_COLOURS = np.array([[1.0, 0.5, 0.3], [1.0, 0.3, 0.15], [0.9, 0.75, 0.6], [0.2, 0.35, 1.0]], np.float32)

_Smear = tuple[int, int, NDArray[np.float32], NDArray[np.float32]]


def _count(settings: FilterSettings, per_mm2: float, rng: np.random.Generator) -> int:
    return int(rng.poisson(per_mm2 * (CELL * settings.pixel_size_um / 1000) ** 2))


@functools.lru_cache(maxsize=128)
def _smears(settings: FilterSettings, row: int, column: int) -> tuple[_Smear, ...]:
    """Return first row and column, relative light and colour of each smear of one cell."""
    from scipy import ndimage

    down, right, _, _ = grid(settings)
    rng = generator(settings.seed, "clutter", row, column)
    found = []
    for _ in range(_count(settings, settings.look.clutter_per_mm2, rng)):
        if rng.random() < 0.6:
            mask = thread(rng, rng.uniform(25, 200), rng.uniform(2, 12), bend=2.0)
            blur = rng.uniform(1.5, 4)
        else:
            mask = film(rng, rng.uniform(12, 90))
            blur = rng.uniform(2, 8)
        margin = int(np.ceil(2.5 * blur))
        light = ndimage.gaussian_filter(np.pad(mask, margin).astype(np.float32), blur, truncate=2.5)
        light *= np.exp(0.5 * ndimage.gaussian_filter(rng.standard_normal(light.shape), 5) * 17)  # unit spread
        light = np.clip(light, 0, 1.5)[: 2 * _REACH, : 2 * _REACH] * rng.gamma(2.0, 0.13)
        y, x = (rng.integers(CELL, size=2) - np.array(light.shape) // 2).tolist()
        colour = _COLOURS[rng.integers(len(_COLOURS))]
        found.append((down + row * CELL + y, right + column * CELL + x, light.astype(np.float32), colour))
    return tuple(found)


def add_smears(settings: FilterSettings, window: Window, canvas: NDArray[np.float32]) -> None:
    """Add threads and smears to a picture ``(height, width, 3)`` in grey levels, in place."""
    if not settings.look.clutter_per_mm2:
        return
    strongest = 0.45 * settings.look.outline
    for row, column in cells_under(settings, window.padded(_REACH)):
        for y, x, light, colour in _smears(settings, row, column):
            there, part = overlap(window, y, x, light.shape)
            canvas[there] += np.minimum(light[part] * settings.look.outline, strongest)[..., None] * colour


@functools.lru_cache(maxsize=256)
def _specks(settings: FilterSettings, row: int, column: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return places ``(n, 2)`` and peak colours ``(n, 3)`` of the points of one cell."""
    down, right, _, _ = grid(settings)
    rng = generator(settings.seed, "specks", row, column)
    count = _count(settings, settings.look.specks_per_mm2, rng)
    places = rng.integers(CELL, size=(count, 2)) + np.array([down + row * CELL, right + column * CELL])
    peak = settings.look.outline * np.clip(rng.lognormal(-1.2, 0.5, count), 0.08, 0.62)
    kinds = rng.choice(len(_SPECK_COLOURS), count, p=(0.4, 0.3, 0.15, 0.15))
    return places, (peak[:, None] * _SPECK_COLOURS[kinds]).astype(np.float32)


def add_specks(settings: FilterSettings, window: Window, canvas: NDArray[np.float32]) -> None:
    """Add points below the outline level to a picture ``(height, width, 3)`` in grey levels, in place."""
    if not settings.look.specks_per_mm2:
        return
    reach = 3
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    spot = np.exp(-(x**2 + y**2) / (2 * settings.look.blur**2)).astype(np.float32)[..., None]
    for row, column in cells_under(settings, window.padded(reach)):
        for (y, x), colour in zip(*_specks(settings, row, column), strict=True):
            there, part = overlap(window, int(y) - reach, int(x) - reach, spot.shape)
            canvas[there] += spot[part] * colour
