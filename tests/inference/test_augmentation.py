"""Test-time augmentation: the mean over the looks it names, the same whatever the tiling."""

import itertools

import dask.array as da
import numpy as np
import pytest
import torch
from skimage.color import hsv2rgb, rgb2hsv

from napari_mpseg.errors import Cancelled, UnknownNameError
from napari_mpseg.images.image import Image
from napari_mpseg.images.scaling import Scaling
from napari_mpseg.inference.augmentation import TTA, Variant, tta_names, tta_variants
from napari_mpseg.inference.augmented import AugmentedPredictor, mean_level
from napari_mpseg.inference.runtime import NetworkPredictor
from napari_mpseg.inference.tiled import tiled_probability
from napari_mpseg.networks.geometry import receptive_radius
from napari_mpseg.progress import CancelToken, silent

SCALING = Scaling("dtype", 0, 255)
CPU = torch.device("cpu")


@pytest.fixture(scope="module", params=["half-multiresunet", "quarter-multiresunet"])
def network(request, lively):
    """Give a network with its receptive radius."""
    network = lively(request.param)
    network.radius = receptive_radius(network)
    return network


def predictor(network, names, level=0.5, cancel=None, radius="own"):
    plain = NetworkPredictor(network, SCALING, network.radius if radius == "own" else radius, CPU)
    return AugmentedPredictor(plain, tta_variants(names), level, cancel or CancelToken())


def padded(network, pixels):
    """Return the whole image as input, the edge repeated to a multiple of the stride."""
    height, width = pixels.shape[:2]
    more = ((0, -height % network.stride), (0, -width % network.stride), (0, 0))
    return torch.from_numpy(np.pad(pixels, more, mode="edge").astype(np.float32) / 255).permute(2, 0, 1)[None]


def eight(image):
    """Give the eight flips and turns of a batch with the way back."""
    for turns, mirrored in itertools.product(range(4), (False, True)):
        seen = torch.rot90(image, turns, (2, 3))
        yield (
            torch.flip(seen, (3,)) if mirrored else seen,
            lambda out, k=turns, m=mirrored: torch.rot90(torch.flip(out, (1,)) if m else out, -k, (0, 1)),
        )


def whole(network, pixels):
    """Return the mean probability over the eight looks at the whole image at once."""
    with torch.inference_mode():
        found = [back(torch.sigmoid(network(seen))[0, 0]) for seen, back in eight(padded(network, pixels))]
    return torch.stack(found).mean(0)[: pixels.shape[0], : pixels.shape[1]].numpy()


@pytest.mark.parametrize(("shape", "tile"), [((131, 77), 40), ((97, 50), 96), ((50, 51), 512), ((3, 90), 52)])
def test_flips_tiled_are_flips_of_the_whole_image(rng, network, shape, tile):
    pixels = rng.integers(0, 256, (*shape, 3), np.uint8)
    expected = whole(network, pixels)
    found = tiled_probability(Image(da.from_array(pixels, chunks=50)), predictor(network, "flips"), tile).compute()
    assert (found.dtype, found.shape) == (np.float32, shape)
    assert expected.std() > 0.01
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("name", TTA)
def test_every_augmentation_does_not_depend_on_the_tiling(rng, network, name):
    pixels = rng.integers(0, 256, (75, 101, 3), np.uint8)
    image = Image(da.from_array(pixels, chunks=50))
    large, small = (tiled_probability(image, predictor(network, name, 0.4), tile).compute() for tile in (512, 36))
    np.testing.assert_allclose(small, large, atol=1e-5)
    plain = tiled_probability(image, predictor(network, None), 512).compute()
    assert np.abs(plain - large).max() > 1e-3


@pytest.mark.parametrize("name", TTA)
def test_margins_of_windows_that_are_not_square(rng, network, name):
    window = rng.integers(0, 256, (48, 64, 3), np.uint8)
    for margins in ((0, 0, 0, 0), (4, 8, 12, 16), (0, 13, 5, 0)):
        top, bottom, left, right = margins
        all_of_it = predictor(network, name).predict(window)
        found = predictor(network, name).predict(window, margins)
        np.testing.assert_allclose(found, all_of_it[top : 48 - bottom, left : 64 - right], atol=1e-5)


def test_a_flipped_and_turned_image_has_the_flipped_and_turned_answer(rng, network):
    window = rng.integers(0, 256, (32, 48, 3), np.uint8)
    flips = predictor(network, "flips")
    answer = flips.predict(window)
    np.testing.assert_allclose(flips.predict(np.rot90(window)), np.rot90(answer), atol=1e-5)
    np.testing.assert_allclose(flips.predict(window[:, ::-1]), answer[:, ::-1], atol=1e-5)
    mirrors = predictor(network, "mirrors")
    answer = mirrors.predict(window)
    for axis in (0, 1):
        np.testing.assert_allclose(mirrors.predict(np.flip(window, axis)), np.flip(answer, axis), atol=1e-5)


def asked(network, scaled):
    """Return the network's answer to scaled pixels."""
    with torch.inference_mode():
        batch = torch.from_numpy(np.ascontiguousarray(scaled, np.float32)).permute(2, 0, 1)[None]
        return torch.sigmoid(network(batch))[0, 0].numpy()


def in_hsv(pixels, hue=0.0, saturation=1.0, value=1.0):
    h, s, v = np.moveaxis(rgb2hsv(pixels), -1, 0)
    changed = np.stack([(h + hue / 360) % 1, np.minimum(s * saturation, 1), np.minimum(v * value, 1)], -1)
    return np.clip(hsv2rgb(changed), 0, 1)


def test_photometric_looks_by_their_formulas(rng, network):
    window = rng.integers(0, 256, (16, 24, 3), np.uint8)
    pixels, level = window.astype(np.float64) / 255, 0.3
    brightness = [pixels, np.clip(pixels * 0.9, 0, 1), np.clip(pixels * 1.1, 0, 1)]
    contrast = [np.clip((pixels - level) * factor + level, 0, 1) for factor in (0.9, 1.1)]
    hue = [in_hsv(pixels, hue=degrees) for degrees in (-10, 10)]
    saturation = [in_hsv(pixels, saturation=factor) for factor in (0.8, 1.25)]
    for name, looks in {
        "brightness": brightness,
        "contrast": [pixels, *contrast],
        "hue-saturation-value": [*brightness, *hue, *saturation],
        "photometric": [*brightness, *contrast, *hue, *saturation],
    }.items():
        expected = np.mean([asked(network, look) for look in looks], 0)
        np.testing.assert_allclose(predictor(network, name, level).predict(window), expected, atol=2e-4)


def test_networks_that_see_far_are_augmented_and_blended(rng, network):
    pixels = rng.integers(0, 256, (90, 70, 3), np.uint8)
    far = predictor(network, "mirrors", radius=None)
    assert not far.exact
    assert tiled_probability(Image(da.from_array(pixels)), far, 32).compute().shape == (90, 70)


def test_what_the_names_stand_for():
    assert len(tta_variants("flips")) == 8
    assert len(set(tta_variants("flips"))) == 8
    assert len(tta_variants("mirrors")) == 4
    assert set(tta_variants("mirrors")) < set(tta_variants("flips"))
    assert tta_variants(None) == tta_variants("") == tta_variants([]) == (Variant(),)
    # side by side, and what both have counts once
    assert len(tta_variants(("flips", "brightness"))) == 10
    assert len(tta_variants(("flips", "mirrors"))) == 8
    assert tta_names(["flips", "brightness", "flips"]) == ("flips", "brightness")
    assert all(tta_variants(name)[0] == Variant() for name in TTA)


def test_images_without_colour_have_no_hue_and_saturation():
    assert len(tta_variants("photometric")) == 9
    assert len(tta_variants("photometric", colour=False)) == 5
    assert tta_variants("hue-saturation-value", colour=False) == tta_variants("brightness")


def test_looks_are_named_for_the_record():
    assert [str(one) for one in tta_variants(("mirrors", "contrast"))] == [
        "unchanged",
        "mirrored",
        "turns 2, mirrored",
        "turns 2",
        "contrast 0.9",
        "contrast 1.1",
    ]


def test_unknown_names_are_refused():
    with pytest.raises(UnknownNameError, match="Did you mean 'flips'"):
        tta_variants("flip")


def test_cancel_stops_between_two_looks(network):
    cancel = CancelToken()
    augmented = predictor(network, "flips", cancel=cancel)
    calls = []

    def once(pixels, margins):
        calls.append(margins)
        cancel.cancel()
        return np.zeros((8, 8), np.float32)

    augmented.predictor.predict_scaled = once
    with pytest.raises(Cancelled):
        augmented.predict(np.zeros((8, 8, 3), np.uint8))
    assert len(calls) == 1


def test_contrast_is_about_the_mean_of_the_whole_image(rng, monkeypatch):
    from napari_mpseg.inference import augmented

    monkeypatch.setattr(augmented, "_BLOCK", 32)
    pixels = rng.integers(0, 256, (70, 41, 3), np.uint8)
    events = []
    level = mean_level(Image(da.from_array(pixels)), SCALING, events.append, CancelToken())
    assert level == pytest.approx(pixels.mean() / 255)
    assert (events[-1].done, events[-1].total) == (6, 6)
    stopped = CancelToken()
    stopped.cancel()
    with pytest.raises(Cancelled):
        mean_level(Image(da.from_array(pixels)), SCALING, silent, stopped)
