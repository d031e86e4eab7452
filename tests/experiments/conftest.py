"""A small data folder, and a recipe that learns something of it in a second."""

import numpy as np
import pytest
from PIL import Image as Pictures

from napari_mpseg.training.presets import PRESETS

SIDE = 64


def paint(folder, name, rng, squares):
    """Write an image with bright squares, and its labels, in which 0 is particle."""
    image = rng.integers(20, 60, (SIDE, SIDE, 3), np.uint8)
    label = np.full((SIDE, SIDE), 255, np.uint8)
    for _ in range(squares):
        y, x = rng.integers(0, SIDE - 10, 2)
        side = int(rng.integers(4, 9))
        image[y : y + side, x : x + side] = rng.integers(150, 250)
        label[y : y + side, x : x + side] = 0
    (folder / "labels").mkdir(parents=True, exist_ok=True)
    Pictures.fromarray(image).save(folder / name)
    Pictures.fromarray(label).save(folder / "labels" / name)


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """One folder of ten images of 64 x 64 px with one to three particles each."""
    rng = np.random.default_rng(11)
    folder = tmp_path_factory.mktemp("data") / "pictures"
    for number in range(10):
        paint(folder, f"{number}.png", rng, 1 + number % 3)
    return folder


@pytest.fixture(scope="session")
def folded(tmp_path_factory):
    """Three folders of two images each, as folds."""
    rng = np.random.default_rng(12)
    root = tmp_path_factory.mktemp("folds")
    for fold in (1, 2, 3):
        for number in range(2):
            paint(root / f"fold_{fold}", f"{number}.png", rng, 2)
    return root


@pytest.fixture(scope="session")
def quick():
    """Return Baek et al.'s recipe with a network, patches and an optimiser that suit two epochs on two images."""
    return PRESETS["baek-unet-3"].changed(
        network="quarter-multiresunet",
        epochs=2,
        batch=4,
        **{"patches.size": 32, "patches.step": 32, "optimiser.learning_rate": 0.01},
    )
