"""A picture of known particles, strokes on it, and a small forest."""

import numpy as np
import pytest

from napari_mpseg.methods.forest.settings import ForestSettings
from napari_mpseg.methods.forest.training import train_forest

SMALL = ForestSettings(sigmas=(1.0, 2.0), trees=12)


@pytest.fixture(scope="session")
def small():
    """Return settings that train in a moment."""
    return SMALL


@pytest.fixture(scope="session")
def picture():
    """Return an RGB picture ``(131, 77, 3)`` with discs that shine red on an uneven, noisy ground, and their mask."""
    rng = np.random.default_rng(7)
    y, x = np.mgrid[:131, :77]
    mask = np.zeros(y.shape, bool)
    for cy, cx, radius in ((20, 20, 6), (50, 55, 4), (85, 18, 8), (110, 60, 5), (70, 50, 3)):
        mask |= (y - cy) ** 2 + (x - cx) ** 2 <= radius**2
    ground = 40 + y[..., None] * 0.5 + rng.normal(0, 6, (131, 77, 3))
    ground[mask] += (90, 20, 10)
    return np.clip(ground, 0, 255).astype(np.uint8), mask


@pytest.fixture(scope="session")
def strokes(picture):
    """Return strokes on the upper half: 1 on background, 2 in particles."""
    _, mask = picture
    painted = np.zeros(mask.shape, np.uint8)
    painted[5:60:6] = 1
    painted[:, 40:42] = 1
    painted[66:] = 0
    painted[mask] = 0
    painted[17:24, 18:23] = painted[48:53, 54:57] = 2
    return painted


@pytest.fixture(scope="session")
def forest(picture, small):
    """Return a forest trained on the whole mask."""
    return train_forest([picture], settings=small, name="discs")
