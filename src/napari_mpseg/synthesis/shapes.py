"""Outlines of particles, drawn on the pixel grid.

Each shape takes a random generator, a length (longest extent, in pixels) and what all particles of a filter have in
common. It gives a boolean mask ``(height, width)`` of one 8-connected piece, cut to its bounding box, no side longer
than about the length.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.registry import Registry

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Form:
    """What the particles of a filter have in common, whatever their length.

    Attributes
    ----------
    fibre_bend : float
        Standard deviation of a fibre's curvature times its length, in radian.
    fibre_width : float
        Mean width of a fibre relative to its length.
    """

    fibre_bend: float = 1.2
    fibre_width: float = 0.06


_USUAL = Form()


class Shape(Protocol):
    """What draws particles of one kind."""

    def __call__(self, rng: np.random.Generator, length: float, form: Form = _USUAL, /) -> Mask: ...  # noqa: D102


SHAPES: Registry[Shape] = Registry("particle shape")


def largest_piece(mask: Mask) -> Mask:
    """Keep the largest 8-connected piece of a mask, cut to its bounding box; an empty mask becomes one pixel."""
    from scipy import ndimage

    if not mask.any():
        return np.ones((1, 1), bool)
    pieces, count = ndimage.label(mask, np.ones((3, 3)))
    if count > 1:
        mask = pieces == 1 + np.argmax(np.bincount(pieces.ravel())[1:])
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return np.asarray(mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def _centre(rng: np.random.Generator) -> tuple[float, float]:
    """Return a centre that lies anywhere within a pixel."""
    dy, dx = rng.uniform(-0.5, 0.5, 2)
    return float(dy), float(dx)


def _polar(centre: tuple[float, float], reach: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return radius and angle of the pixels up to `reach` px around a centre."""
    half = int(np.ceil(reach)) + 1
    y, x = np.ogrid[-half : half + 1, -half : half + 1]
    return np.hypot(y - centre[0], x - centre[1]), np.arctan2(y - centre[0], x - centre[1])


def _longest(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Return the largest distance between two of some points."""
    return float(np.hypot(x[:, None] - x, y[:, None] - y).max())


@SHAPES.register("bead")
def bead(rng: np.random.Generator, length: float, form: Form = _USUAL) -> Mask:
    """Draw a disk that is round to within ten per cent."""
    radius, angle = _polar(_centre(rng), length / 2)
    flattening, turn = rng.uniform(0, 0.1), rng.uniform(0, np.pi)
    return largest_piece(radius <= length / 2 * (1 - flattening * np.sin(angle - turn) ** 2))


@SHAPES.register("fragment")
def fragment(rng: np.random.Generator, length: float, form: Form = _USUAL) -> Mask:
    """Draw a polygon of five to nine corners, somewhat elongated."""
    centre = _centre(rng)
    corners = int(rng.integers(5, 10))
    turns = (np.arange(corners) + rng.uniform(-0.35, 0.35, corners)) * 2 * np.pi / corners
    reach = rng.uniform(0.6, 1.0, corners)
    squeeze, turn = rng.uniform(0.45, 1.0), rng.uniform(0, 2 * np.pi)
    corner_x, corner_y = reach * np.cos(turns), reach * np.sin(turns)
    scale = length / _longest(corner_x, squeeze * corner_y)
    corner_x, corner_y = scale * corner_x, scale * corner_y
    radius, angle = _polar(centre, float(np.hypot(corner_x, squeeze * corner_y).max()))
    y, x = radius * np.sin(angle), radius * np.cos(angle)
    along, across = np.cos(turn) * x + np.sin(turn) * y, (np.cos(turn) * y - np.sin(turn) * x) / squeeze
    sector = np.searchsorted(turns, np.mod(np.arctan2(across, along) - turns[0], 2 * np.pi) + turns[0], "right") - 1
    after = (sector + 1) % corners
    # A point of a sector is inside where it lies on the centre's side of the edge between the sector's corners.
    edge_x, edge_y = corner_x[after] - corner_x[sector], corner_y[after] - corner_y[sector]
    return largest_piece(edge_x * (across - corner_y[sector]) - edge_y * (along - corner_x[sector]) >= 0)


@SHAPES.register("film")
def film(rng: np.random.Generator, length: float, form: Form = _USUAL) -> Mask:
    """Draw a broad flake with a wavy outline."""
    centre = _centre(rng)
    waves = [(wave, rng.normal(0, 0.35 / wave), rng.uniform(0, 2 * np.pi)) for wave in range(2, 8)]

    def outline(angle: NDArray[np.float64]) -> NDArray[np.float64]:
        swing = sum(height * np.cos(wave * angle + start) for wave, height, start in waves)
        return np.asarray(np.clip(1 + swing, 0.25, None))

    around = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    reach = outline(around)
    scale = length / _longest(reach * np.cos(around), reach * np.sin(around))
    radius, angle = _polar(centre, scale * float(reach.max()))
    return largest_piece(radius <= scale * outline(angle))


@SHAPES.register("fibre")
def fibre(rng: np.random.Generator, length: float, form: Form = _USUAL) -> Mask:
    """Draw a thread whose curvature wanders at random."""
    width = float(np.clip(rng.normal(form.fibre_width, form.fibre_width / 3) * length, 1.5, 6.0))
    return thread(rng, length, width, form.fibre_bend)


def thread(rng: np.random.Generator, length: float, width: float, bend: float = 1.2) -> Mask:
    """Draw a thread of a given width; its direction changes by about `bend` radian over its length."""
    from scipy import ndimage

    steps = max(int(4 * length), 4)
    knots = rng.normal(0, bend, 6)
    curvature = np.interp(np.linspace(0, 5, steps), np.arange(6), knots) / steps
    heading = rng.uniform(0, 2 * np.pi) + np.cumsum(curvature) * 2
    reach = max(length - width, 0.5) / steps
    y, x = np.cumsum(np.sin(heading)) * reach, np.cumsum(np.cos(heading)) * reach
    margin = int(np.ceil(width)) + 1
    rows = np.round(y - y.min()).astype(int) + margin
    columns = np.round(x - x.min()).astype(int) + margin
    spine = np.ones((rows.max() + margin + 1, columns.max() + margin + 1), bool)
    spine[rows, columns] = False
    return largest_piece(ndimage.distance_transform_edt(spine) <= width / 2)
