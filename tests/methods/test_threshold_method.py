"""Thresholds as methods: channels, backgrounds and wider images, however the image is read."""

import dask.array as da
import numpy as np
import pytest

from napari_mpseg.errors import ImageError, SettingsError, UnknownNameError
from napari_mpseg.images.image import Image
from napari_mpseg.images.open import open_image
from napari_mpseg.methods.grey import GreyScale, grey_histogram
from napari_mpseg.methods.grey_channels import CHANNELS, with_channel
from napari_mpseg.methods.registry import METHODS
from napari_mpseg.methods.thresholds import THRESHOLD_RULES
from napari_mpseg.progress import CancelToken, silent

COLOUR = np.array([[[10, 4, 1], [200, 50, 160], [3, 9, 0], [255, 255, 255]]], np.uint8)
BY_HAND = {
    "grey": [5, 137, 4, 255],  # 15/3, 410/3 = 136.67, 12/3
    "weighted-grey": [5, 107, 6, 255],  # 5.45, 107.39, 6.18
    "red": [10, 200, 3, 255],
    "green": [4, 50, 9, 255],
    "blue": [1, 160, 0, 255],
    "red-green": [6, 150, 0, 0],
    "red-green-blue": [5, 0, 0, 0],
}


def _mask(name, pixels, **options):
    image = open_image(pixels)
    prepared = METHODS[name].build(**options).prepare(image)
    return prepared.predictor.predict(np.asarray(prepared.image.data)) > 0, prepared


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32])
def test_channels_by_hand(channel, dtype):
    found = GreyScale(channel=channel).values(COLOUR.astype(dtype))
    if dtype is np.float32 and "grey" in channel:
        assert found[0].tolist() == pytest.approx(BY_HAND[channel], abs=0.5)
    else:
        assert found.tolist() == [BY_HAND[channel]]
    assert found.dtype == {np.uint8: np.uint8, np.float32: np.float64}.get(dtype, np.int64)


def test_the_mean_is_rounded_half_up():
    pixels = np.array([[[1, 0, 0], [1, 1, 0], [255, 255, 255], [10, 11, 12]]], np.uint8)
    assert GreyScale().apply(pixels).tolist() == [[0, 1, 255, 11]]
    assert GreyScale().apply(np.array([[[1, 2]]], np.uint8)).tolist() == [[2]]


def test_colours_are_inverted_before_they_become_grey():
    pixels = np.array([[[1, 0, 0], [1, 1, 0], [255, 0, 3]]], np.uint8)
    assert GreyScale(inverted=True).apply(pixels).tolist() == [[255, 254, 169]]  # 764/3, 763/3, 507/3
    assert GreyScale(1000, 5000, inverted=True).values(np.array([[1000, 4900]], np.uint16)).tolist() == [[5000, 1100]]


def test_channels_are_found_by_name_or_by_place_or_refused():
    assert with_channel(open_image(COLOUR), "red-green").n_channels == 3
    mixed = Image(da.from_array(COLOUR[..., [2, 0, 1]]), channels=("Blue", "Red", "Green"))
    assert np.asarray(with_channel(mixed, "red-green").data).tolist() == COLOUR.tolist()
    grey = open_image(COLOUR[..., 0])
    assert with_channel(grey, "weighted-grey").data.ndim == 2
    with pytest.raises(
        ImageError, match=r"is grey, but red less green.*where the method has the option channel, choose grey"
    ):
        with_channel(grey, "red-green")
    two = Image(da.from_array(COLOUR[..., :2]), channels=("a", "b"))
    assert with_channel(two, "grey").n_channels == 2
    with pytest.raises(ImageError, match=r"has 2 channels.*channels 0,1,2"):
        with_channel(two, "red")


def test_16_bit_images_have_256_bins_up_to_their_greatest_value(rng):
    pixels = rng.integers(1000, 5001, (70, 90)).astype(np.uint16)
    pixels[0, 0], pixels[1, 1] = 1000, 5000
    scale, histogram = grey_histogram(Image(da.from_array(pixels, chunks=32)), silent, CancelToken())
    assert (scale.low, scale.high) == (1000, 5000)
    # a bin is 4001 / 256 = 15.63 wide, and the first one starts half a bin below the least value
    values = [1000, 1007, 1008, 3000, 4992, 5000]
    assert scale.apply(np.array([values], np.uint16)).tolist() == [[0, 0, 1, 128, 255, 255]]
    assert histogram.sum() == pixels.size


def test_limits_of_wider_images_are_in_their_own_values():
    """Three pixels in bin 0 and one in bin 255 have the mean 63: the limit lies 64 of 255 steps above the least."""
    for dtype, low, high in ((np.uint16, 1000, 5000), (np.int16, -2000, 2000), (np.float32, 0.0, 1.0)):
        pixels = np.array([[low, low, low, high]], dtype)
        _, prepared = _mask("mean", pixels)
        limit = low + 64 / 255 * (high - low)
        assert prepared.predictor.lowest == pytest.approx(limit)
        assert f"from {limit:.6g} up" in prepared.notes[0]
        _, light = _mask("mean", pixels, particles="dark")
        assert light.predictor.highest == pytest.approx(low + 63 / 255 * (high - low))
    near = np.array([[0.2495, 0.2505, 0.2511]], np.float32)  # bins 64, 64, 64: ImageJ compares the values themselves
    assert prepared.predictor.scale.apply(near).tolist() == [[64, 64, 64]]
    assert prepared.predictor.predict(near).tolist() == [[0, 0, 1]]


def test_dark_particles_are_the_rest_and_never_nan_or_infinite(rng):
    pixels = rng.integers(0, 256, (40, 40)).astype(np.uint8)
    dark, _ = _mask("otsu", pixels)
    light, _ = _mask("otsu", pixels, particles="dark")
    assert (dark ^ light).all()
    values = pixels.astype(np.float32)
    values[3, 4], values[5, 6] = np.nan, np.inf
    dark, _ = _mask("otsu", values)
    light, prepared = _mask("otsu", values, particles="dark")
    assert (dark[3, 4], light[3, 4]) == (False, False)
    assert (dark[5, 6], light[5, 6]) == (False, False)
    assert "up to" in prepared.notes[0]


@pytest.mark.parametrize("rule", THRESHOLD_RULES)
@pytest.mark.parametrize("value", [np.nan, np.inf, 3.0])
def test_images_without_a_range_give_no_particles(rule, value):
    for particles in ("bright", "dark"):
        found, prepared = _mask(rule, np.full((20, 20), value, np.float32), particles=particles)
        assert not found.any()
        assert "same grey value" in prepared.notes[0]


def test_a_level_that_was_not_found_is_told():
    steps = np.repeat(np.arange(40, dtype=np.uint8), np.arange(40, 0, -1))  # the histogram falls and never rises
    found, prepared = _mask("minimum", steps[np.newaxis])
    assert found.sum() == (steps > 0).sum()
    assert "no level" in prepared.notes[0]
    assert "Taken is grey level 0 of 255" in prepared.notes[1]


def test_fixed_level_is_exclusive_and_checked():
    grey = np.array([[99, 100, 101]], np.uint8)
    assert _mask("fixed-level", grey, level=100)[0].tolist() == [[False, False, True]]
    assert _mask("fixed-level", grey, level=100, particles="dark")[0].tolist() == [[True, True, False]]
    assert _mask("fixed-level", COLOUR, level=100, channel="red-green")[0].tolist() == [[False, True, False, False]]
    brightest = np.array([[254, 255]], np.uint8)
    assert _mask("fixed-level", brightest, level=254)[0].tolist() == [[False, True]]
    assert _mask("fixed-level", brightest, level=255)[0].tolist() == [[False, False]]
    assert _mask("fixed-level", brightest, level=255, particles="dark")[0].tolist() == [[True, True]]
    wide = np.array([[0, 2000, 2010, 4000]], np.uint16)  # 8-bit 128 is 0 + 128/256 of 4001, less half a bin
    assert _mask("fixed-level", wide, level=127)[0].tolist() == [[False, True, True, True]]
    for wrong in ({"level": 300}, {"particles": "light"}):
        with pytest.raises(SettingsError, match=str(next(iter(wrong.values())))):
            METHODS["fixed-level"].build(**wrong)
    with pytest.raises(UnknownNameError, match="reds"):
        METHODS["otsu"].build(channel="reds")


def test_an_8_bit_image_is_read_once_for_a_rule_and_never_for_a_level():
    reads = []

    def block(info):
        reads.append(info[None]["chunk-location"])
        return np.full((30, 40), sum(reads[-1]), np.uint8)

    lazy = da.map_blocks(
        lambda block_info: block(block_info),
        chunks=((30,) * 3, (40,) * 3),
        dtype=np.uint8,
        meta=np.empty((0, 0), np.uint8),
    )
    reads.clear()
    METHODS["fixed-level"].build().prepare(Image(lazy))
    assert reads == []
    METHODS["otsu"].build().prepare(Image(lazy))
    assert sorted(reads) == [(y, x) for y in range(3) for x in range(3)]


def test_margins_are_left_out():
    prepared = METHODS["fixed-level"].build(level=0).prepare(open_image(np.zeros((2, 2), np.uint8)))
    window = np.zeros((6, 8), np.uint8)
    window[2, 3] = 9
    found = prepared.predictor.predict(window, (2, 1, 3, 1))
    assert found.shape == (3, 4)
    assert found[0, 0] == 1


def test_a_cancelled_histogram_stops():
    from napari_mpseg.errors import Cancelled

    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        METHODS["otsu"].build().prepare(open_image(COLOUR), on_progress=silent, cancel=token)


@pytest.mark.parametrize("name", [*THRESHOLD_RULES, "fixed-level"])
def test_every_threshold_is_described_and_predicts_a_grey_and_a_colour_image(name, rng):
    method = METHODS[name].build(channel="weighted-grey", particles="dark")
    described = method.describe()
    assert described["channel"] == "weighted-grey"
    assert described["particles"] == "dark"
    assert described.get("rule", name) == name
    for shape in ((40, 52), (40, 52, 3)):
        pixels = rng.integers(0, 60, shape).astype(np.uint8)
        prepared = method.prepare(open_image(pixels))
        found = prepared.predictor.predict(np.asarray(prepared.image.data))
        assert found.shape == (40, 52)
        assert found.dtype == np.float32
        assert set(np.unique(found)) <= {0.0, 1.0}
