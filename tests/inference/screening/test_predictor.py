"""What is computed with a screen is what is computed without; what is not is zero."""

import pickle
import threading
from dataclasses import dataclass

import dask.array as da
import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from napari_mpseg.errors import Cancelled, SettingsError
from napari_mpseg.images.image import Image
from napari_mpseg.images.scaling import Scaling
from napari_mpseg.inference.predictor import Prepared, TilePredictor
from napari_mpseg.inference.resampled import resampled
from napari_mpseg.inference.runtime import NetworkPredictor
from napari_mpseg.inference.screening import (
    SCREENS,
    ScreenedPredictor,
    ScreenSettings,
    screened,
    skipped_note,
    tells_of_loss,
)
from napari_mpseg.inference.tiled import tiled_probability
from napari_mpseg.methods.registry import METHODS
from napari_mpseg.networks.geometry import receptive_radius
from napari_mpseg.progress import CancelToken, silent


@dataclass
class Blurred:
    """Calls bright what is bright after a blur; knows how much it was asked."""

    halo: int = 4
    stride: int = 4
    exact: bool = True
    scaling: Scaling = Scaling("dtype", 0, 255)  # noqa: RUF009 - frozen
    asked: int = 0

    def predict(self, window, margins=(0, 0, 0, 0)):
        assert window.shape[0] % self.stride == window.shape[1] % self.stride == 0
        self.asked += window.shape[0] * window.shape[1]
        grey = window.reshape(*window.shape[:2], -1).max(2).astype(np.float32)
        found = np.clip((gaussian_filter(grey, 1, truncate=4) - 20) / 40, 0, 1)
        top, bottom, left, right = margins
        return found[top : found.shape[0] - bottom, left : found.shape[1] - right]


def filter_image(rng, shape=(500, 620), particles=6):
    picture = rng.normal(12, 2, (*shape, 3))
    places = rng.integers(10, np.array(shape) - 14, (particles, 2))
    for size, (y, x) in enumerate(places, 2):
        picture[y : y + size, x : x + size, :2] += 150
    return Image(da.from_array(np.clip(picture, 0, 255).astype(np.uint8), chunks=(200, 200, 3)))


def computed(prepared, tile):
    return tiled_probability(prepared.image, prepared.predictor, tile).compute(scheduler="sync")


@pytest.fixture(scope="module")
def network(lively):
    model = lively("quarter-multiresunet")
    return NetworkPredictor(model, Scaling("dtype", 0, 255), receptive_radius(model), torch.device("cpu"))


@pytest.mark.parametrize("tile", [160, 512])
@pytest.mark.parametrize("block", [8, 32, 96])
def test_what_is_computed_is_as_without(rng, network, tile, block):
    prepared = Prepared(filter_image(rng), network)
    whole = computed(prepared, tile)
    ready = screened(prepared, ScreenSettings("background", block=block))
    less = computed(ready, tile)
    seen = less > 0  # a probability of the network is never 0
    assert 0.003 < seen.mean() < 0.5
    assert ready.predictor.tally.share == pytest.approx(1 - seen.mean())
    np.testing.assert_allclose(less[seen], whole[seen], atol=2e-5)


@pytest.mark.parametrize("factor", [2.0, 0.5])
def test_so_it_is_for_an_image_seen_at_another_size(rng, network, factor):
    prepared = Prepared(filter_image(rng, (300, 340)), resampled(network, factor))
    whole, less = computed(prepared, 200), computed(screened(prepared, "background"), 200)
    seen = less > 0
    assert 0.01 < seen.mean() < 0.9
    np.testing.assert_allclose(less[seen], whole[seen], atol=2e-5)


@pytest.mark.parametrize("way", SCREENS)
@pytest.mark.parametrize("tile", [128, 512])
def test_no_particle_is_lost_or_cut_and_most_is_skipped(rng, way, tile):
    prepared = Prepared(filter_image(rng), Blurred())
    whole = computed(prepared, tile) > 0.5
    spent = prepared.predictor.asked
    ready = screened(prepared, way)
    prepared.predictor.asked = 0  # by the check
    assert isinstance(ready.predictor, TilePredictor)
    np.testing.assert_array_equal(computed(ready, tile) > 0.5, whole)
    assert whole.any()
    assert prepared.predictor.asked < spent / 2
    assert 0.7 < ready.predictor.tally.share < 1


def test_a_particle_on_the_border_of_tiles_stays_whole(rng):
    picture = rng.normal(12, 2, (256, 256))
    picture[126:130, 100:104] += 120
    picture[60:61, 127:130] += 120
    image = Image(da.from_array(np.clip(picture, 0, 255).astype(np.uint8), chunks=64))
    prepared = Prepared(image, Blurred())
    for tile in (64, 128):
        whole, less = computed(prepared, tile), computed(screened(prepared, "background"), tile)
        np.testing.assert_allclose(less[less > 0], whole[less > 0], atol=1e-6)
        np.testing.assert_array_equal(less > 0.2, whole > 0.2)


def test_the_even_inside_of_a_large_particle_is_computed(rng):
    picture = rng.normal(12, 2, (640, 640))
    y, x = np.ogrid[:640, :640]
    disc = (y - 300) ** 2 + (x - 320) ** 2 <= 110**2
    picture[disc] += 100
    window = np.clip(picture, 0, 255).astype(np.uint8)
    found = ScreenedPredictor(Blurred(), ScreenSettings()).predict(window)
    assert (found[disc] > 0.2).all()


def test_a_far_seeing_predictor_gets_whole_windows_or_none(rng):
    class Far(Blurred):
        def predict(self, window, margins=(0, 0, 0, 0)):
            shapes.add(window.shape[:2])
            return super().predict(window, margins)

    shapes = set()
    prepared = Prepared(filter_image(rng, (512, 512), 2), Far(halo=32, exact=False))
    whole = computed(prepared, 128)
    windows, shapes = shapes, set()
    ready = screened(prepared, ScreenSettings(check=0))
    less = computed(ready, 128)
    assert shapes <= windows
    assert 0.2 < ready.predictor.tally.share < 1
    np.testing.assert_array_equal(less > 0.5, whole > 0.5)


def test_an_empty_image_never_reaches_the_predictor(rng):
    prepared = Prepared(filter_image(rng, particles=0), Blurred())
    ready = screened(prepared, ScreenSettings(check=0))
    assert not computed(ready, 256).any()
    assert prepared.predictor.asked == 0
    assert skipped_note(ready).startswith("Skipped 100 % of the image")


def test_an_image_full_of_particles_is_told(rng):
    picture = rng.normal(12, 2, (512, 512))
    y, x = np.ogrid[:512, :512]
    picture[(y // 6 % 2 == 0) & (x // 6 % 2 == 0)] += 120  # a quarter of all pixels
    full = Image(da.from_array(np.clip(picture, 0, 255).astype(np.uint8), chunks=256))
    events = []
    (note,) = screened(Prepared(full, Blurred()), "background:30", on_progress=events.append).notes
    assert tells_of_loss(note)
    assert "“Background” (background:30)" in note  # as menus show it, and as it is typed
    assert "another way" in note
    assert [event.done for event in events] == [1, 2, 3, 4]
    assert screened(Prepared(filter_image(rng), Blurred(), ("as before",)), "background").notes == ("as before",)


def test_the_check_stops_when_asked(rng):
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        screened(Prepared(filter_image(rng), Blurred()), "background", cancel=cancel)


def test_counting_is_right_from_many_threads(rng):
    predictor = ScreenedPredictor(Blurred(), ScreenSettings())
    window = np.asarray(filter_image(rng, (128, 128), 1).data)
    predictor.predict(window)
    once = predictor.tally.skipped
    threads = [threading.Thread(target=lambda: [predictor.predict(window) for _ in range(5)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert predictor.tally.skipped == 41 * once
    assert predictor.tally.total == 41 * window.shape[0] * window.shape[1]


def test_it_travels_to_another_process_and_counts_for_itself(rng):
    predictor = ScreenedPredictor(Blurred(), ScreenSettings("both", 9))
    window = np.asarray(filter_image(rng, (128, 128), 1).data)
    expected = predictor.predict(window)
    twin = pickle.loads(pickle.dumps(predictor))
    assert twin.tally.total == 0
    assert twin.settings == predictor.settings
    np.testing.assert_array_equal(twin.predict(window), expected)
    assert twin.tally.total == window.shape[0] * window.shape[1]


def test_nothing_asked_changes_nothing(rng):
    prepared = Prepared(filter_image(rng), Blurred())
    assert screened(prepared, None) is prepared
    assert screened(prepared, "none") is prepared
    assert skipped_note(prepared) is None


@pytest.mark.parametrize("name", ["otsu", "fixed-level", "max-entropy"])
def test_methods_as_cheap_as_the_screen_refuse_it(rng, name):
    method = METHODS[name].build(device="cpu")
    prepared = method.prepare(filter_image(rng), on_progress=silent, cancel=CancelToken())
    with pytest.raises(SettingsError, match="networks and forests"):
        screened(prepared, "background")
