"""Labelled images with particles of known shape and colour."""

import numpy as np
import pytest

from napari_mpseg.synthesis.semi import Cutout
from napari_mpseg.training.data.pairs import LabelledImage


@pytest.fixture
def disc():
    """Return a function that makes the mask of a disc, ``(2 r + 9, 2 r + 9)``."""

    def make(radius):
        y, x = np.mgrid[: 2 * radius + 9, : 2 * radius + 9] - (radius + 4)
        return y**2 + x**2 <= radius**2

    return make


@pytest.fixture
def piece(disc):
    """Return a function that makes a cutout of one colour on a ground of another."""

    def make(radius=6, colour=(200, 100, 50), around=(20, 30, 40), mask=None):
        mask = disc(radius) if mask is None else mask
        pixels = np.where(mask[..., None], np.array(colour), np.array(around)).astype(np.uint8)
        return Cutout(pixels, mask.astype(np.float32), "test 1")

    return make


@pytest.fixture
def field(rng):
    """Return an image of 120 x 140 px with three discs of 5, 8 and 11 px, apart from each other, and its numbers."""
    image = rng.normal(60, 4, (120, 140, 3)).clip(0, 255).astype(np.uint8)
    labels = np.zeros((120, 140), np.int32)
    y, x = np.mgrid[:120, :140]
    for number, (row, column, radius) in enumerate([(20, 20, 5), (60, 70, 8), (90, 110, 11)], 1):
        own = (y - row) ** 2 + (x - column) ** 2 <= radius**2
        labels[own] = number
        image[own] = (50 * number, 120, 220)
    return LabelledImage("field", image, labels > 0, None, labels)


@pytest.fixture
def flat():
    """Return a background of one colour, 100 x 100 px, without particles."""
    pixels = np.broadcast_to(np.array([20, 30, 40], np.uint8), (100, 100, 3)).copy()
    return LabelledImage("flat", pixels, np.zeros((100, 100), bool))
