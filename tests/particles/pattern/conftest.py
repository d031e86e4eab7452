"""Patterns whose answer is known."""

import json

import numpy as np
import pytest
from skimage.io import imread
from skimage.measure import label


@pytest.fixture(scope="session")
def plugin_runs(reference):
    """Every run of the plugin: mask, distance, statistic, confidence, and all that it printed."""
    return json.loads((reference / "distribution_ref.json").read_text())


@pytest.fixture(scope="session")
def mask_labels(reference):
    """Give the labels of a reference mask, 8-connected."""
    found = {}

    def labels(name):
        if name not in found:
            found[name] = label(imread(reference / "masks" / name) > 0, connectivity=2)
        return found[name]

    return labels


@pytest.fixture
def grid():
    """Points of a regular grid, 10 px apart, in an image of 200 x 200 px."""
    line = np.arange(5.0, 200.0, 10.0)
    return np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1).reshape(-1, 2) - 0.5


@pytest.fixture
def pairs(rng):
    """60 random points in an image of 1000 x 1000 px, each with a companion 3 px beside it."""
    first = rng.uniform(10, 990, (60, 2))
    return np.concatenate([first, first + np.array([0, 3])])
