"""Two small images with known particles, as arrays and as a folder."""

import numpy as np
import pytest
from PIL import Image


def scene(number):
    """Return an image of 64 x 64 px and its truth: two bright squares, and a bright streak that is none."""
    image = np.full((64, 64, 3), 20, np.uint8)
    truth = np.zeros((64, 64), np.uint8)
    for top, left, side in ((6, 8 + number, 5), (30, 40, 8)):
        image[top : top + side, left : left + side] = 200
        truth[top : top + side, left : left + side] = 255
    image[55, 5 : 15 + 5 * number] = 120
    return image, truth


@pytest.fixture
def pairs():
    return [(*scene(0), "a.png"), (*scene(1), "b.png")]


@pytest.fixture
def folder(tmp_path):
    """A folder of both images with their truth."""
    data = tmp_path / "data"
    (data / "labels").mkdir(parents=True)
    for number, name in enumerate(("a.png", "b.png")):
        image, truth = scene(number)
        Image.fromarray(image).save(data / name)
        Image.fromarray(truth).save(data / "labels" / name)
    return data


@pytest.fixture
def folds(tmp_path):
    """Two folds of one image each."""
    data = tmp_path / "folded"
    for number in range(2):
        fold = data / f"fold_{number + 1}"
        (fold / "labels").mkdir(parents=True)
        image, truth = scene(number)
        Image.fromarray(image).save(fold / f"{number}.png")
        Image.fromarray(truth).save(fold / "labels" / f"{number}.png")
    return data
