"""Small pictures with a known number of squares."""

import numpy as np
import pytest
from PIL import Image

from napari_mpseg.batch.settings import BatchSettings


@pytest.fixture(scope="session")
def write_squares():
    """Return a function that writes a picture of `count` squares of 6 px."""
    return _write


def _write(place, count):
    picture = np.full((64, 96), 10, np.uint8)
    for number in range(count):
        row, column = divmod(number, 9)
        picture[10 * row + 2 : 10 * row + 8, 10 * column + 2 : 10 * column + 8] = 220
    place.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(place)
    return place


@pytest.fixture
def squares(tmp_path):
    """Return a function that writes a picture of `count` squares of 6 px."""
    return lambda name, count, folder=None: _write((folder or tmp_path / "scans") / name, count)


@pytest.fixture
def no_plots(monkeypatch):
    """Leave the figures out of the report."""
    monkeypatch.setattr("napari_mpseg.batch.tables._PLOTS", ())


@pytest.fixture
def settings():
    """Return settings of a method that needs no network; a square is 30 um wide."""
    return BatchSettings("fixed-level", pixel_size="5um", parallel="chunks")
