"""The drawn particles: where each lies and which pixels are its own, cell by cell. This is the truth."""

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.synthesis.blocks import Window, block_window, overlap
from napari_mpseg.synthesis.filter_settings import FilterPlan
from napari_mpseg.synthesis.placement import Slot, cells_under, draw_length, first_labels, length_bands, slots
from napari_mpseg.synthesis.shapes import SHAPES, Form, largest_piece
from napari_mpseg.synthesis.streams import generator


@dataclass(frozen=True, eq=False)
class Silhouette:
    """One drawn particle.

    Attributes
    ----------
    y, x : int
        Row and column in the image of the first pixel of `mask`.
    mask : ndarray of bool
        The truth, ``(height, width)``.
    shape : str
        Its kind.
    state : dict
        Of the particle's random numbers after it was drawn, for what else is drawn at random: see :meth:`generator`.
    """

    y: int
    x: int
    mask: NDArray[np.bool_]
    shape: str
    state: Any

    def generator(self) -> np.random.Generator:
        """Return the particle's random numbers from where drawing left them; each call begins there again."""
        rng = np.random.default_rng(0)
        rng.bit_generator.state = self.state
        return rng


def _drawn(settings: FilterPlan, slot: Slot) -> Silhouette:
    rng = generator(settings.seed, "particle", slot.y, slot.x, slot.side)
    share = length_bands(settings)[slot.level]
    kind = int(rng.choice(len(share), p=share / share.sum()))
    shape = settings.shapes[kind].shape
    form = Form(settings.fibre_bend, settings.fibre_width)
    mask = SHAPES[shape](rng, draw_length(settings, slot.level, kind, rng), form)
    room = slot.side - 2  # one free pixel on every side keeps two particles two pixels apart
    mask = largest_piece(mask[:room, :room])
    dy, dx = (int(rng.integers(1, slot.side - extent)) for extent in mask.shape)
    return Silhouette(slot.y + dy, slot.x + dx, mask, shape, rng.bit_generator.state)


@functools.lru_cache(maxsize=128)
def cell_silhouettes(settings: FilterPlan, row: int, column: int) -> tuple[Silhouette, ...]:
    """Return the particles of one cell, in numbering order."""
    return tuple(_drawn(settings, slot) for slot in slots(settings, row, column))


def paint_labels(settings: FilterPlan, window: Window) -> NDArray[np.int32]:
    """Return the truth of a window, ``(height, width)``: 0 is background, particles are 1..N over the whole image."""
    earlier, _ = first_labels(settings)
    canvas = np.zeros((window.height, window.width), np.int32)
    for row, column in cells_under(settings, window):
        for index, particle in enumerate(cell_silhouettes(settings, row, column), int(earlier[row, column]) + 1):
            there, part = overlap(window, particle.y, particle.x, particle.mask.shape)
            canvas[there][particle.mask[part]] = index
    return canvas


def label_block(settings: FilterPlan, row: int, column: int) -> NDArray[np.int32]:
    """Return one block of the truth, ``(256, 256)`` int32."""
    return paint_labels(settings, block_window(row, column))


def paint_mask(settings: FilterPlan, window: Window) -> NDArray[np.bool_]:
    """Return which pixels of a window belong to a particle, ``(height, width)``."""
    return paint_own_labels(settings, window) > 0


def paint_own_labels(settings: FilterPlan, window: Window) -> NDArray[np.int32]:
    """Return :func:`paint_labels`, but numbered within the window, with gaps: particles elsewhere are not counted."""
    canvas, number = np.zeros((window.height, window.width), np.int32), 0
    for row, column in cells_under(settings, window):
        for particle in cell_silhouettes(settings, row, column):
            number += 1
            there, part = overlap(window, particle.y, particle.x, particle.mask.shape)
            canvas[there][particle.mask[part]] = number
    return canvas
