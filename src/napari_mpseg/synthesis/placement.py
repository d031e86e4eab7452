"""Where particles lie: slots of five sizes that never overlap, filled by keyed random numbers.

The plane is cut into cells of 512 px, whose grid is shifted by the seed so that it does not follow any tile grid.
A cell is one slot of 512 px, or four of 256 px, and so on down to 32 px: a slot is open where no larger slot
around it is filled. Each filled slot holds one particle that fits in it with a margin, so particles never touch,
any cell can be made without its neighbours, and all particles of an image can be counted, and so numbered,
without drawing one.
"""

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import SettingsError
from napari_mpseg.synthesis.blocks import Window
from napari_mpseg.synthesis.filter_settings import FilterPlan
from napari_mpseg.synthesis.membrane import holds
from napari_mpseg.synthesis.streams import uniform

CELL = 512
SIDES = (512, 256, 128, 64, 32)
_SLACK = 8  # px by which a slot is wider than the longest particle in it
_FULLEST = 0.9  # largest share of slots of one size that may be filled


@dataclass(frozen=True)
class Slot:
    """One filled slot: first row and column, side (pixels), and its place in the list of sides."""

    y: int
    x: int
    side: int
    level: int


@functools.lru_cache(maxsize=64)
def grid(settings: FilterPlan) -> tuple[int, int, int, int]:
    """Return shift (down, right, both 0 or less) and number (rows, columns) of the cells over the image."""
    shift = [-int(uniform(settings.seed, "cell grid", axis) * CELL) for axis in (0, 1)]
    rows, columns = (-(-(length - start) // CELL) for length, start in zip(settings.size, shift, strict=True))
    return shift[0], shift[1], rows, columns


@functools.lru_cache(maxsize=64)
def length_bands(settings: FilterPlan) -> NDArray[np.float64]:
    """Return the share of all particles per slot size and shape, ``(sides, shapes)``, summing to 1."""
    from scipy.special import ndtr

    longest = np.array([side - _SLACK for side in SIDES], float)
    edges = np.log(np.concatenate([longest, [1.0]]))
    medians = np.log([settings.median_length_um * item.elongation / settings.pixel_size_um for item in settings.shapes])
    below = ndtr((edges[:, None] - medians) / settings.length_sigma)
    inside = below[0] - below[-1]
    if not (inside > 0).all():
        raise SettingsError(
            f"A median length of {settings.median_length_um:g} um at {settings.pixel_size_um:g} um per pixel leaves no "
            f"particle between 1 and {longest[0]:g} px: change the length or the pixel size."
        )
    share = np.array([item.share for item in settings.shapes])
    return np.asarray((below[:-1] - below[1:]) / inside * share / share.sum())


@functools.lru_cache(maxsize=64)
def _filling(settings: FilterPlan) -> tuple[float, ...]:
    """Return the probability that an open slot of each size is filled."""
    per_pixel = settings.density_per_mm2 * (settings.pixel_size_um / 1000) ** 2
    chances, open_share = [], 1.0
    for side, share in zip(SIDES, length_bands(settings).sum(1), strict=True):
        chance = per_pixel * share * side**2 / open_share
        if chance > _FULLEST:
            raise SettingsError(
                f"{settings.density_per_mm2:g} particles per mm2 do not fit side by side at "
                f"{settings.pixel_size_um:g} um per pixel: lower density_per_mm2 or median_length_um."
            )
        chances.append(float(chance))
        open_share *= 1 - chance
    return tuple(chances)


def _filled(settings: FilterPlan, row: int, first: int, count: int) -> list[NDArray[np.bool_]]:
    """Return, per slot size, which slots of `count` cells of one row of cells are filled, ``(k, count * k)``."""
    down, right, _, _ = grid(settings)
    closed = np.zeros((1, count), bool)
    levels = []
    for side, chance in zip(SIDES, _filling(settings), strict=True):
        k = CELL // side
        i, j = row * k + np.arange(k)[:, None], first * k + np.arange(count * k)[None]
        closed = closed if k == 1 else closed.repeat(2, 0).repeat(2, 1)
        filled = (uniform(settings.seed, f"slot {side}", i, j) < chance) & ~closed
        filled &= holds(settings, down + i * side, right + j * side, side)
        closed = closed | filled
        levels.append(filled)
    return levels


def marks(settings: FilterPlan, row: int, first: int, count: int) -> NDArray[np.int64]:
    """Return about where particles lie without drawing one: the middle of each filled slot.

    Parameters
    ----------
    settings : FilterPlan
        The filter.
    row, first, count : int
        Which cells: `count` of one row, from column `first`.

    Returns
    -------
    ndarray of int64
        ``(n, 3)``: row and column in the image, and the particle's label.
    """
    down, right, _, _ = grid(settings)
    earlier, _ = first_labels(settings)
    found, before = [], 0
    for side, filled in zip(SIDES, _filled(settings, row, first, count), strict=True):
        k = CELL // side
        i, j = np.nonzero(filled)
        place = before + i * k + j % k  # in the cell's numbering order
        before += k * k
        y, x = down + row * CELL + i * side + side // 2, right + first * CELL + j * side + side // 2
        found.append(np.stack([j // k, place, y, x]))
    cell, place, y, x = np.concatenate(found, 1)
    order = np.lexsort((place, cell))
    cell = cell[order]
    rank = np.arange(len(cell)) - np.searchsorted(cell, cell)
    return np.stack([y[order], x[order], earlier[row, first + cell] + 1 + rank], 1).astype(np.int64)


def slots(settings: FilterPlan, row: int, column: int) -> list[Slot]:
    """Return the filled slots of one cell, in the order in which its particles are numbered."""
    down, right, rows, columns = grid(settings)
    if not (0 <= row < rows and 0 <= column < columns):
        return []
    found = []
    for level, (side, filled) in enumerate(zip(SIDES, _filled(settings, row, column, 1), strict=True)):
        for i, j in np.argwhere(filled):
            found.append(Slot(down + row * CELL + int(i) * side, right + column * CELL + int(j) * side, side, level))
    return found


def check_density(settings: FilterPlan) -> None:
    """Raise :class:`~napari_mpseg.errors.SettingsError` if more particles are asked for than fit side by side."""
    _filling(settings)


def count_particles(settings: FilterPlan) -> int:
    """Return the number of particles in the image, from the keys of its slots alone."""
    return first_labels(settings)[1]


@functools.lru_cache(maxsize=16)
def first_labels(settings: FilterPlan) -> tuple[NDArray[np.int64], int]:
    """Return the number of particles in earlier cells, ``(rows, columns)``, and the number of all particles."""
    _, _, rows, columns = grid(settings)
    counts = np.zeros((rows, columns), np.int64)
    for row in range(rows):
        for filled in _filled(settings, row, 0, columns):
            counts[row] += filled.reshape(len(filled), columns, -1).sum((0, 2))
    after = np.cumsum(counts).reshape(counts.shape)
    return after - counts, int(after[-1, -1])


def cells_under(settings: FilterPlan, window: Window) -> list[tuple[int, int]]:
    """Return row and column of the cells that a window touches."""
    down, right, rows, columns = grid(settings)
    first, last = (window.y - down) // CELL, (window.y + window.height - 1 - down) // CELL
    left, final = (window.x - right) // CELL, (window.x + window.width - 1 - right) // CELL
    return [
        (row, column)
        for row in range(max(first, 0), min(last, rows - 1) + 1)
        for column in range(max(left, 0), min(final, columns - 1) + 1)
    ]


def draw_length(settings: FilterPlan, level: int, shape: int, rng: np.random.Generator) -> float:
    """Draw the length in pixels of a particle of a given shape for a slot of a given size."""
    from scipy.special import ndtr, ndtri

    median = np.log(settings.median_length_um * settings.shapes[shape].elongation / settings.pixel_size_um)
    upper = SIDES[level] - _SLACK
    lower = SIDES[level + 1] - _SLACK if level + 1 < len(SIDES) else 1.0
    # The complementary side keeps its digits where the band lies far above the median.
    a, b = ((np.log(edge) - median) / settings.length_sigma for edge in (lower, upper))
    flip = -1.0 if a > 0 else 1.0
    place = flip * ndtri(ndtr(flip * a) + rng.random() * (ndtr(flip * b) - ndtr(flip * a)))
    return float(np.clip(np.exp(median + settings.length_sigma * place), lower, upper))
