"""What lies on a filter in bright field and is no particle: mineral grains, shreds of plants, faint dust."""

import functools

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.synthesis.appearances import APPEARANCES
from napari_mpseg.synthesis.blocks import Window, overlap
from napari_mpseg.synthesis.bright_field_settings import OUTSIDE, BrightFieldSettings
from napari_mpseg.synthesis.placement import CELL, cells_under, grid
from napari_mpseg.synthesis.shapes import Mask, film, fragment, thread
from napari_mpseg.synthesis.streams import generator

REACH = 160  # px that debris may stick out of its cell
_LONGEST = 150.0  # px
_MINERALS = (
    # appearance, share, median density, absorption of red, green and blue
    ("transparent", 0.55, 0.35, (0.9, 0.95, 1.0)),  # quartz
    ("dark", 0.25, 0.9, (0.95, 0.97, 1.0)),  # mica, magnetite
    ("dark", 0.20, 0.45, (0.35, 0.65, 1.0)),  # ochre
)
_PLANTS = np.array([[0.35, 0.65, 1.0], [0.5, 0.75, 1.0], [0.7, 0.4, 1.0], [0.25, 0.5, 1.0]], np.float32)

_Piece = tuple[int, int, NDArray[np.float32], NDArray[np.float32]]  # first row and column, density, colour


def _count(settings: BrightFieldSettings, per_mm2: float, rng: np.random.Generator) -> int:
    return int(rng.poisson(per_mm2 * (CELL * settings.pixel_size_um / 1000) ** 2))


def _placed(
    settings: BrightFieldSettings,
    cell: tuple[int, int],
    rng: np.random.Generator,
    density: NDArray[np.float32],
    colour: NDArray[np.float32],
) -> _Piece:
    """Put a piece anywhere in a cell."""
    down, right, _, _ = grid(settings)
    y, x = (rng.integers(CELL, size=2) - np.array(density.shape) // 2).tolist()
    return down + cell[0] * CELL + y, right + cell[1] * CELL + x, density.astype(np.float32), colour


def _blurred(density: NDArray[np.float32], blur: float) -> NDArray[np.float32]:
    from scipy import ndimage

    margin = int(np.ceil(2.5 * blur))
    return np.asarray(ndimage.gaussian_filter(np.pad(density, margin), blur, truncate=2.5), np.float32)


def _depth(mask: Mask) -> NDArray[np.float32]:
    from scipy import ndimage

    return np.asarray(ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1], np.float32)


@functools.lru_cache(maxsize=64)
def _grains(settings: BrightFieldSettings, row: int, column: int) -> tuple[_Piece, ...]:
    """Return the mineral grains of one cell."""
    rng = generator(settings.seed, "grains", row, column)
    median = np.log(settings.look.sediment_um / settings.pixel_size_um)
    shares = [share for _, share, _, _ in _MINERALS]
    found = []
    for _ in range(_count(settings, settings.look.sediment_per_mm2, rng)):
        length = float(np.clip(np.exp(rng.normal(median, 0.6)), 1.5, _LONGEST))
        appearance, _, contrast, absorption = _MINERALS[int(rng.choice(len(_MINERALS), p=shares))]
        density, _ = APPEARANCES[appearance](rng, _depth(fragment(rng, length)), contrast)
        colour = np.array(absorption, np.float32) * rng.uniform(0.85, 1.15)
        blur = settings.look.blur * rng.uniform(1.0, 2.2)
        found.append(_placed(settings, (row, column), rng, _blurred(density, blur), colour.astype(np.float32)))
    return tuple(found)


@functools.lru_cache(maxsize=64)
def _shreds(settings: BrightFieldSettings, row: int, column: int) -> tuple[_Piece, ...]:
    """Return fibres and flakes of plants of one cell: brown or green, with walls of cells, partly out of focus."""
    rng = generator(settings.seed, "plants", row, column)
    found = []
    for _ in range(_count(settings, settings.look.plant_per_mm2, rng)):
        if rng.random() < 0.65:
            mask = thread(rng, rng.uniform(30, 260), rng.uniform(2.5, 12), bend=1.6)
        else:
            mask = film(rng, rng.uniform(20, 110))
        mask = mask[: 2 * REACH - 20, : 2 * REACH - 20]
        depth = _depth(mask)
        y, x = np.indices(mask.shape)
        turn, period = rng.uniform(0, np.pi), rng.uniform(7, 16)
        walls = np.cos(2 * np.pi * (np.cos(turn) * y + np.sin(turn) * x) / period) > 0.8
        density = rng.gamma(3.0, 0.1) * (0.55 + 0.35 * walls + 0.45 * np.exp(-np.maximum(depth - 1, 0))) * mask
        blur = settings.look.blur * rng.uniform(1.0, 3.0)
        colour = _PLANTS[rng.integers(len(_PLANTS))]
        found.append(_placed(settings, (row, column), rng, _blurred(density.astype(np.float32), blur), colour))
    return tuple(found)


def paint_debris(settings: BrightFieldSettings, window: Window) -> NDArray[np.float32]:
    """Return the optical density of grains and shreds in a window, ``(height, width, 3)``; what overlaps adds up."""
    canvas = np.zeros((window.height, window.width, 3), np.float32)
    look = settings.look
    for pieces, per_mm2 in ((_shreds, look.plant_per_mm2), (_grains, look.sediment_per_mm2)):
        if not per_mm2:
            continue
        for row, column in cells_under(settings, window.padded(REACH)):
            for y, x, density, colour in pieces(settings, row, column):
                there, part = overlap(window, y, x, density.shape)
                canvas[there] += density[part][..., None] * colour
    return canvas


@functools.lru_cache(maxsize=256)
def _specks(
    settings: BrightFieldSettings, row: int, column: int
) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]:
    """Return places ``(n, 2)``, densities ``(n,)`` and spreads in pixels ``(n,)`` of the dust of one cell."""
    down, right, _, _ = grid(settings)
    rng = generator(settings.seed, "dust", row, column)
    count = _count(settings, settings.look.specks_per_mm2, rng)
    places = rng.integers(CELL, size=(count, 2)) + np.array([down + row * CELL, right + column * CELL])
    density = OUTSIDE * settings.look.outline * rng.uniform(0.2, 1.0, count)
    return places, density.astype(np.float32), (settings.look.blur * rng.uniform(1.0, 2.5, count)).astype(np.float32)


def add_dust(settings: BrightFieldSettings, window: Window, canvas: NDArray[np.float32]) -> None:
    """Add the density of faint dust to that of a window ``(height, width, 3)``, in place."""
    if not settings.look.specks_per_mm2:
        return
    reach = int(np.ceil(7.5 * settings.look.blur))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    distance = (x**2 + y**2).astype(np.float32)
    for row, column in cells_under(settings, window.padded(reach)):
        for (down, right), density, spread in zip(*_specks(settings, row, column), strict=True):
            there, part = overlap(window, int(down) - reach, int(right) - reach, distance.shape)
            if distance[part].size:
                canvas[there] += (density * np.exp(-distance[part] / (2 * spread**2)))[..., None]
