"""Far-seeing networks: windows are kept for a band of columns at a time, and the result does not know of bands."""

import weakref

import numpy as np
import pytest

import napari_mpseg as mp
from napari_mpseg.inference import predicting
from napari_mpseg.inference.predictor import Prepared


class Smoothed:
    """Sees the whole window: the answer depends on where the window ends, as that of a deep network does."""

    halo, stride, exact, preferred_tile = 16, 1, False, 32

    def __init__(self) -> None:
        self.windows: list[tuple[int, int]] = []

    def predict(self, window, margins=(0, 0, 0, 0)):
        top, bottom, left, right = margins
        grey = np.asarray(window, np.float32) / 255
        answer = np.clip(grey + 0.2 * (grey.mean() - grey), 0, 1)
        self.windows.append(window.shape)
        return answer[top : answer.shape[0] - bottom, left : answer.shape[1] - right]


class FarSeeing:
    name, default_threshold = "far-seeing", 0.5

    def __init__(self) -> None:
        self.predictor = Smoothed()

    def prepare(self, image, *, on_progress, cancel):
        return Prepared(image, self.predictor)

    def describe(self):
        return {}


@pytest.fixture
def picture():
    rng = np.random.default_rng(3)
    pixels = rng.integers(0, 90, (96, 32 * 9), dtype=np.uint8)
    for y, x in rng.integers(4, (90, 280), (40, 2)):
        pixels[y - 3 : y + 3, x - 3 : x + 3] = 240
    return pixels


def test_the_result_does_not_depend_on_bands(picture, monkeypatch):
    whole = mp.segment(picture, FarSeeing(), tile_size=32)
    monkeypatch.setattr(predicting, "_BAND", 2)
    banded = mp.segment(picture, FarSeeing(), tile_size=32)
    assert whole.count > 10
    np.testing.assert_array_equal(np.asarray(banded.labels), np.asarray(whole.labels))
    np.testing.assert_array_equal(np.asarray(banded.probability), np.asarray(whole.probability))


def test_only_windows_at_borders_of_bands_are_computed_twice(picture, monkeypatch):
    monkeypatch.setattr(predicting, "_BAND", 3)
    method = FarSeeing()
    mp.segment(picture, method, tile_size=32)
    rows, columns, borders = 3, 9, 2
    assert len(method.predictor.windows) == rows * (columns + 2 * borders)


@pytest.mark.parametrize("columns", [12, 48])
def test_windows_kept_do_not_grow_with_the_width(columns, monkeypatch):
    monkeypatch.setattr(predicting, "_BAND", 4)
    alive: set[int] = set()
    most = 0
    make = predicting.window_pieces

    class Kept(dict):
        """A dict that can be watched."""

    def watched(*arguments):
        nonlocal most
        pieces = Kept(make(*arguments))
        alive.add(id(pieces))
        weakref.finalize(pieces, alive.discard, id(pieces))
        most = max(most, len(alive))
        return pieces

    monkeypatch.setattr(predicting, "window_pieces", watched)
    mp.segment(np.zeros((12 * 16, columns * 16), np.uint8), FarSeeing(), tile_size=16, measure=False)
    assert 0 < most <= 4 * (4 + 2)  # up to four rows of a band with its two neighbours; 2 x 48 and more without bands
