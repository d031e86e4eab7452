"""Nanoparticles, single and touching, packed cell by cell.

The plane is cut into cells of 128 px. How many particles a cell holds comes from a keyed random number alone, so all
particles of an image are counted, and so numbered, without placing one. A cell's particles may lie a little outside
of it, so that its borders are not seen. Cells take turns, as the fields of a chessboard of four colours would: those
of the first colour lie so far apart that they do not meet; those of the next are packed around what the first have
placed, and so on. So where a particle lies depends on the cells near by, and on nothing else. Each particle takes the
first of many random places, some of them against a particle that is there already, where it fits; where none is left
it shrinks. Particles may stick into each other by a little, so that they touch. A pixel that two could own goes to the
one in which it lies deeper (additively weighted Voronoi cells: star-shaped about their centres, so particles stay in
one piece); as no overlap is as deep as the smallest radius, every particle keeps its centre.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.synthesis.blocks import Window, overlap
from napari_mpseg.synthesis.fields import smooth_field
from napari_mpseg.synthesis.streams import generator, uniform

if TYPE_CHECKING:
    from napari_mpseg.synthesis.sem import SemSettings

CELL = 128
SMALLEST, LARGEST = 4.0, 36.0  # px, diameters
_TOUCH = 1.2  # px that two particles, or a particle and the image's border, may overlap
_OUT = 24  # px that a centre may lie outside of its cell
_REACH = _OUT + int(LARGEST) // 2 + 3  # px outside of its cell that a particle may cover; less than half a cell
_FULLEST = 0.55  # share of a cell's area that particles may cover
_TRIES = 96
_BAND = 64  # rows of cells that are counted at once

Disks = NDArray[np.float64]  # (n, 3): centre row, centre column, radius


def _cells(settings: SemSettings) -> tuple[int, int]:
    rows, columns = (-(-length // CELL) for length in settings.size)
    return rows, columns


def _mean_area(settings: SemSettings) -> float:
    """Return the mean area of a disk with log-normal diameter, in square pixels."""
    median = settings.median_diameter_nm / settings.pixel_size_nm
    area = np.pi / 4 * median**2 * np.exp(2 * settings.diameter_sigma**2)
    return float(np.clip(area, np.pi / 4 * SMALLEST**2, np.pi / 4 * LARGEST**2))


@functools.lru_cache(maxsize=16)
def _numbering(settings: SemSettings) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Return the number of particles per cell and in earlier cells, ``(rows, columns)``, and of all."""
    rows, columns = _cells(settings)
    counts = np.empty((rows, columns), np.int64)
    for first in range(0, rows, _BAND):
        counts[first : first + _BAND] = _counts(settings, first)
    after = np.cumsum(counts).reshape(counts.shape)
    total = int(after[-1, -1])
    after -= counts
    return counts, after, total


@functools.lru_cache(maxsize=32)
def _counts(settings: SemSettings, first: int) -> NDArray[np.int64]:
    """Return the number of particles per cell of a band of rows of cells that begins at `first`."""
    from scipy.special import pdtrik

    rows, columns = _cells(settings)
    rows = min(_BAND, rows - first)
    field = smooth_field(settings.seed, "agglomerates", Window(first, 0, rows, columns), 2.0).astype(np.float64)
    uneven = 0.9 * settings.clustering
    share = np.clip(settings.coverage * np.exp(uneven * field - uneven**2 / 2), 0, _FULLEST)
    places = first + np.arange(rows), np.arange(columns)
    height, width = (np.minimum(CELL, length - CELL * n) for length, n in zip(settings.size, places, strict=True))
    area = (height[:, None] * width[None]).astype(np.float64)
    expected = share * area / _mean_area(settings)
    chance = uniform(settings.seed, "count", places[0][:, None], places[1][None])
    counts = np.ceil(np.nan_to_num(pdtrik(chance, np.maximum(expected, 1e-9)))).astype(np.int64)
    # Even if all were of the smallest size they must find room.
    counts = np.clip(counts, 0, (_FULLEST * area / SMALLEST**2).astype(np.int64))
    counts[(height[:, None] < 2 * SMALLEST) | (width[None] < 2 * SMALLEST)] = 0
    return np.asarray(counts)


def count_particles(settings: SemSettings) -> int:
    """Return the number of particles in the image."""
    return _numbering(settings)[2]


def _radii(settings: SemSettings, count: int, height: int, width: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw radii, large ones first, that together leave room in a cell."""
    median = np.log(settings.median_diameter_nm / settings.pixel_size_nm)
    largest = min(LARGEST, height - 1, width - 1)
    radii = np.clip(np.exp(rng.normal(median, settings.diameter_sigma, count)), SMALLEST, largest) / 2
    excess = np.pi * (radii**2).sum() / (_FULLEST * height * width)
    return np.asarray(np.sort(np.maximum(radii / max(np.sqrt(excess), 1.0), SMALLEST / 2))[::-1])


def _places(
    own: Disks, around: Disks, radius: float, cell: Window, touching: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw places ``(n, 2)`` for a disk, a share of them against disks that are there already."""
    # The sum of two even distributions: those of neighbouring cells add up to an even one.
    free = rng.uniform((0, 0), (cell.height, cell.width), (_TRIES, 2)) + rng.uniform(-_OUT, _OUT, (_TRIES, 2))
    free += (cell.y, cell.x)
    partners = own if len(own) else around
    if len(partners):
        n = rng.binomial(_TRIES, touching)
        partner = partners[rng.integers(len(partners), size=n)]
        turn = rng.uniform(0, 2 * np.pi, n)
        reach = partner[:, 2] + radius - rng.uniform(0.3, 0.9, n) * _TOUCH
        free[:n] = partner[:, :2] + reach[:, None] * np.stack([np.sin(turn), np.cos(turn)], 1)
    return np.asarray(np.rint(free))


def _clearance(places: NDArray[np.float64], disks: Disks, size: tuple[int, int]) -> NDArray[np.float64]:
    """Return the largest radius of a disk at each place that overlaps nothing, counting the image's border."""
    y, x = places[:, 0], places[:, 1]
    height, width = size
    room = np.minimum(np.minimum(y + 0.5, height - 0.5 - y), np.minimum(x + 0.5, width - 0.5 - x))
    if len(disks):
        gaps = np.hypot(y[:, None] - disks[:, 0], x[:, None] - disks[:, 1]) - disks[:, 2]
        room = np.minimum(room, gaps.min(1))
    return np.asarray(room)


def _outside(places: NDArray[np.float64], cell: Window) -> NDArray[np.bool_]:
    first, last = (cell.y, cell.x), (cell.y + cell.height - 1, cell.x + cell.width - 1)
    return np.asarray(((places < first) | (places > last)).any(1))


def _turn(row: int, column: int) -> int:
    return 2 * (row % 2) + column % 2


def _around(settings: SemSettings, row: int, column: int) -> Disks:
    """Return the particles of neighbouring cells whose turn is earlier, near enough to matter."""
    rows, columns = _cells(settings)
    found = [np.zeros((0, 3))]
    for i in range(max(row - 1, 0), min(row + 2, rows)):
        for j in range(max(column - 1, 0), min(column + 2, columns)):
            if _turn(i, j) < _turn(row, column):
                found.append(_packed(settings, i, j))
    disks = np.concatenate(found)
    y, x = disks[:, 0] - row * CELL, disks[:, 1] - column * CELL
    far = _REACH + LARGEST
    return np.asarray(disks[(y > -far) & (y < CELL + far) & (x > -far) & (x < CELL + far)])


@functools.lru_cache(maxsize=8192)
def _packed(settings: SemSettings, row: int, column: int) -> Disks:
    """Return the particles of one cell, in numbering order, with centres on pixels of the image."""
    count = int(_counts(settings, row // _BAND * _BAND)[row % _BAND, column])
    height, width = min(CELL, settings.size[0] - row * CELL), min(CELL, settings.size[1] - column * CELL)
    cell = Window(row * CELL, column * CELL, height, width)
    rng = generator(settings.seed, "packing", row, column)
    # One field for the whole cell makes some corners of it attractive.
    wide = cell.padded(_OUT)
    pull = smooth_field(settings.seed, "pull", wide, 45.0)
    around, own = _around(settings, row, column), np.zeros((0, 3))
    for wanted in _radii(settings, count, height, width, rng):
        radius = wanted
        disks = np.concatenate([around, own])
        places = _places(own, around, radius, cell, 0.6 * settings.clustering, rng)
        inside = (places >= (wide.y, wide.x)) & (places < (wide.y + wide.height, wide.x + wide.width))
        places = places[inside.all(1)]
        room = _clearance(places, disks, settings.size) + _TOUCH
        appeal = 1.6 * settings.clustering * pull[tuple((places - (wide.y, wide.x)).astype(int).T)]
        # Near its border each of two cells sees half of what is attractive there, and would think more of it.
        appeal -= settings.clustering * _outside(places, cell)
        appeal += rng.gumbel(size=len(places))
        fits = np.flatnonzero(room >= radius)
        if len(fits):
            place = places[fits[np.argmax(appeal[fits])]]
        else:
            places = np.argwhere(np.ones((height, width), bool)) + np.array([cell.y, cell.x], float)
            room = _clearance(places, disks, settings.size) + _TOUCH
            best = int(np.argmax(room))
            place, radius = places[best], max(min(radius, room[best]), SMALLEST / 2)
        own = np.concatenate([own, [[*place, radius]]])
    return np.asarray(own)


@functools.lru_cache(maxsize=2048)
def _profile(settings: SemSettings, y: int, x: int, radius: float) -> tuple[NDArray[np.float32], float]:
    """Return how deep each pixel around the centre lies in the particle, and the particle's brightness.

    Depth is measured from the rim: positive inside, the radius at the centre.
    """
    rng = generator(settings.seed, "nanoparticle", y, x)
    half = int(np.ceil(radius)) + 1
    dy, dx = np.mgrid[-half : half + 1, -half : half + 1]
    angle = np.arctan2(dy, dx)
    rim = np.ones(angle.shape)
    for wave, spread in ((2, 0.06), (3, 0.025), (4, 0.015)):
        rim -= abs(rng.normal(0, spread)) * (1 + np.cos(wave * angle + rng.uniform(0, 2 * np.pi)))
    depth = radius * np.maximum(rim, 0.6) - np.hypot(dy, dx)
    depth[half, half] = radius
    return depth.astype(np.float32), float(np.exp(rng.normal(0, 0.1)))


def _owners(
    settings: SemSettings, window: Window, earlier: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]:
    """Return, per pixel, the owner's label, the depth in it relative to its radius, and its brightness.

    Without the numbers of particles in earlier cells, labels begin at 1 in each cell.
    """
    shape = (window.height, window.width)
    labels, deepest = np.zeros(shape, np.int32), np.zeros(shape, np.float32)
    relative, bright = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    reach = window.padded(_REACH)
    rows, columns = _cells(settings)
    for row in range(max(reach.y // CELL, 0), min(-(-(reach.y + reach.height) // CELL), rows)):
        for column in range(max(reach.x // CELL, 0), min(-(-(reach.x + reach.width) // CELL), columns)):
            disks = _packed(settings, row, column).tolist()
            before = 0 if earlier is None else int(earlier[row, column])
            for label, (y, x, radius) in enumerate(disks, before + 1):
                depth, brightness = _profile(settings, int(y), int(x), radius)
                half = depth.shape[0] // 2
                there, part = overlap(window, int(y) - half, int(x) - half, depth.shape)
                mine = depth[part]
                wins = mine > deepest[there]
                deepest[there][wins] = mine[wins]
                labels[there][wins] = label
                relative[there][wins] = mine[wins] / radius
                bright[there][wins] = brightness
    return labels, relative, bright


def paint_sem_labels(settings: SemSettings, window: Window) -> NDArray[np.int32]:
    """Return the truth of a window, ``(height, width)``: 0 is ground, particles are 1..N over the whole image."""
    return _owners(settings, window, _numbering(settings)[1])[0]


def paint_sem_particles(settings: SemSettings, window: Window) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """Return which pixels are particle, and their grey level: a flat top and a bright rim."""
    labels, depth, brightness = _owners(settings, window)
    # A sphere's surface turns away from the beam towards its rim, where more secondary electrons escape.
    slope = (1 - np.clip(depth, 0, 1)) ** 2.5
    return labels > 0, (settings.particle + settings.edge * slope) * brightness
