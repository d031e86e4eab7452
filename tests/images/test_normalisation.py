"""How grey values become network input, against numpy on the whole array."""

import json

import dask.array as da
import numpy as np
import pytest

from napari_mpseg.errors import Cancelled, ImageError, SettingsError, UnknownNameError
from napari_mpseg.images import Image, Normalisation, Scaling, open_image
from napari_mpseg.images.normalisation import normalisations
from napari_mpseg.progress import CancelToken
from napari_mpseg.settings import from_dict, to_dict


def unreadable(shape, dtype):
    def fail(block):
        raise AssertionError("pixels were read")

    return Image(da.zeros(shape, dtype=dtype).map_blocks(fail, dtype=dtype, meta=np.empty((0, 0), dtype)))


@pytest.mark.parametrize(
    ("kind", "dtype"), [("auto", "uint8"), ("dtype", "uint8"), ("dtype", "uint16"), ("fixed", "f4")]
)
def test_no_pass_over_the_pixels_where_none_is_needed(kind, dtype):
    assert Normalisation(kind).measure(unreadable((50, 60), dtype)).not_finite == 0


def test_uint8_is_divided_by_255():
    tile = np.arange(256, dtype=np.uint8).reshape(16, 16)
    result = Normalisation().measure(open_image(tile)).apply(tile)
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result, tile / np.float32(255))


def test_uint16_and_floats_by_their_dtype():
    tile = np.array([[0, 32768, 65535]], np.uint16)
    np.testing.assert_allclose(Normalisation("dtype").measure(open_image(tile)).apply(tile), [[0, 32768 / 65535, 1]])
    tile = np.array([[0, 0.25, 1]])
    np.testing.assert_array_equal(Normalisation("dtype").measure(open_image(tile)).apply(tile), tile)


@pytest.fixture(params=["uint16", "int16", "int8", "int32", "uint32", "float32", "float64", "float16"])
def picture(request, rng):
    """Return pixels of one dtype with a long tail, negative where the dtype allows."""
    values = rng.gamma(2.0, 20.0, (300, 421)) - (0 if request.param.startswith("u") else 30)
    if request.param == "int8":
        values = values.clip(-128, 127)
    elif request.param in ("int32", "uint32"):
        values = values * 1e6 + (5e7 if request.param == "uint32" else 0)
    return values.astype(request.param)


def test_range_is_minimum_to_maximum(picture):
    scaling = Normalisation("range").measure(Image(da.from_array(picture, chunks=64)))
    assert (scaling.low, scaling.high) == (picture.min(), picture.max())
    result = scaling.apply(picture)
    assert (result.min(), result.max()) == (0, 1)


@pytest.mark.parametrize("limits", [(0.0, 100.0), (0.1, 99.9), (25.0, 50.0)])
def test_percentiles_are_those_of_numpy(picture, limits):
    scaling = Normalisation("percentile", *limits).measure(Image(da.from_array(picture, chunks=64)))
    expected = np.percentile(picture, limits, method="inverted_cdf").astype(float)
    # Values wider than 16 bits are ordered as float32: one part in 2**24.
    np.testing.assert_allclose([scaling.low, scaling.high], expected, rtol=1e-7)
    result = scaling.apply(picture)
    assert (result.min(), result.max()) == (0, 1)


@pytest.mark.parametrize(("brightest", "full"), [(200, 255), (900, 1023), (4000, 4095), (60000, 65535)])
def test_auto_takes_the_full_scale_of_the_camera(rng, brightest, full):
    pixels = rng.integers(10, brightest, (100, 100)).astype(np.uint16)
    scaling = Normalisation().measure(open_image(pixels))
    assert (scaling.low, scaling.high) == (0, full)


def test_auto_is_not_misled_by_one_hot_pixel(rng):
    pixels = rng.integers(1500, 4096, (400, 500)).astype(np.uint16)
    pixels[7, 7] = 65535
    scaling = Normalisation().measure(open_image(pixels))
    assert scaling.high == 4095
    assert scaling.apply(pixels)[7, 7] == 1


def test_auto_does_not_stretch_the_noise_of_an_empty_filter(rng):
    pixels = rng.integers(100, 120, (200, 300)).astype(np.uint16)
    assert Normalisation().measure(open_image(pixels)).apply(pixels).max() < 0.5


def test_auto_of_floats_knows_unit_range_and_negative_values():
    unit = np.linspace(0, 0.9, 600, dtype=np.float32).reshape(20, 30)
    assert Normalisation().measure(open_image(unit)).high == 1
    signed = unit - 0.5
    scaling = Normalisation().measure(open_image(signed))
    assert (scaling.low, scaling.high) == (signed.min(), signed.max())


def test_channels_share_one_scaling():
    pixels = np.zeros((40, 50, 3), np.uint16)
    pixels[..., 0], pixels[..., 2] = 100, 1000
    scaling = Normalisation("range").measure(open_image(pixels))
    np.testing.assert_allclose(scaling.apply(pixels)[0, 0], [0.1, 0, 1])


def test_fixed_is_not_clipped():
    tile = np.array([[90, 100, 200, 400]], np.uint16)
    scaling = Normalisation("fixed", offset=100, scale=200).measure(open_image(tile))
    np.testing.assert_allclose(scaling.apply(tile), [[-0.05, 0, 0.5, 1.5]])


def test_a_pixel_counts_once_however_many_of_its_channels_are_no_numbers():
    pixels = np.linspace(0, 1, 600, dtype=np.float32).reshape(20, 10, 3)
    pixels[3, 4], pixels[5, 6, 1] = np.nan, np.inf
    assert Normalisation("range").measure(open_image(pixels)).not_finite == 2


@pytest.mark.parametrize("kind", ["auto", "range", "percentile"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_nan_and_infinity_are_counted_and_become_the_low_end(kind, dtype):
    pixels = np.linspace(10, 20, 10_000).reshape(100, 100).astype(dtype)
    pixels[0, 0], pixels[0, 1], pixels[0, 2] = np.nan, np.inf, -np.inf
    scaling = Normalisation(kind, low=0, high=100).measure(open_image(pixels))
    assert (scaling.not_finite, scaling.high) == (3, 255 if kind == "auto" else 20)
    result = scaling.apply(pixels)
    assert np.isfinite(result).all()
    assert result[0, :3].tolist() == [0, 0, 0]


@pytest.mark.parametrize("kind", list(normalisations))
@pytest.mark.parametrize("value", [0, 7, np.nan, np.inf])
def test_constant_image_gives_finite_numbers(kind, value):
    pixels = np.full((20, 30), value, np.float32)
    with np.errstate(all="raise"):
        result = Normalisation(kind).measure(open_image(pixels)).apply(pixels)
    assert np.isfinite(result).all()
    assert (result == result[0, 0]).all()


def test_one_pixel():
    pixels = np.array([[255]], np.uint16)
    assert Normalisation().measure(open_image(pixels)).apply(pixels) == 1


def test_extreme_floats():
    pixels = np.array([[-1e300, 0, 1, 1e300]])
    result = Normalisation("range").measure(open_image(pixels)).apply(pixels)
    np.testing.assert_allclose(result, [[0, 0.5, 0.5, 1]])
    result = Normalisation("percentile", 0, 100).measure(open_image(pixels)).apply(pixels)
    assert np.isfinite(result).all()


def test_wide_integers_keep_small_differences():
    pixels = np.array([[2**31, 2**31 + 1, 2**31 + 2]], np.uint32)
    np.testing.assert_array_equal(Normalisation("range").measure(open_image(pixels)).apply(pixels), [[0, 0.5, 1]])


def test_tiles_are_scaled_as_the_whole(grey16):
    scaling = Normalisation("range").measure(open_image(grey16))
    np.testing.assert_array_equal(scaling.apply(grey16)[30:50, 60:90], scaling.apply(grey16[30:50, 60:90]))


def test_tile_is_not_changed(grey16):
    before = grey16.copy()
    Normalisation("range").measure(open_image(grey16)).apply(grey16)
    np.testing.assert_array_equal(grey16, before)
    floats = grey16.astype(np.float32)
    Scaling("range", 5.0, 9.0).apply(floats)
    np.testing.assert_array_equal(floats, before)


@pytest.mark.parametrize("chunks", [(2000, 5000), (1, 5000), (2000, 1), (700, 900)])
def test_windows_cover_the_image_once_in_bounded_memory(chunks):
    largest = []
    data = da.ones((2000, 5000), chunks=chunks, dtype=np.uint16)
    image = Image(data)
    from napari_mpseg.images import grey_histogram

    original = grey_histogram.read_region

    def watched(*window):
        values = original(*window)
        largest.append(values.size)
        return values

    grey_histogram.read_region = watched
    try:
        histogram = grey_histogram.GreyHistogram(image)
    finally:
        grey_histogram.read_region = original
    assert histogram.count == 10_000_000
    assert max(largest) <= 1 << 22


def test_progress_and_cancel():
    image = Image(da.ones((3000, 5000), chunks=1000, dtype=np.uint16))
    events = []
    Normalisation("range").measure(image, on_progress=events.append)
    assert events[-1].fraction == 1
    assert len(events) > 1
    token = CancelToken()
    seen = []
    with pytest.raises(Cancelled):
        Normalisation("range").measure(image, token, lambda event: (seen.append(event), token.cancel()))
    assert len(seen) == 1


def test_settings_and_scaling_are_json():
    rule = Normalisation("percentile", 1, 99)
    assert from_dict(Normalisation, json.loads(json.dumps(to_dict(rule)))) == rule
    scaling = Normalisation("range").measure(open_image(np.arange(20, dtype=np.uint16).reshape(4, 5)))
    assert from_dict(Scaling, json.loads(json.dumps(to_dict(scaling)))) == scaling


@pytest.mark.parametrize(
    "values",
    [
        {"low": 50, "high": 50},
        {"low": -1},
        {"high": 101},
        {"high": float("nan")},
        {"scale": 0},
        {"scale": float("inf")},
        {"offset": float("nan")},
    ],
)
def test_impossible_settings(values):
    with pytest.raises(SettingsError, match="impossible"):
        Normalisation(**values)


def test_unknown_kind_names_the_choices():
    with pytest.raises(UnknownNameError, match="Did you mean 'range'"):
        Normalisation("rang")


def test_impossible_scaling():
    with pytest.raises(SettingsError, match="finite"):
        Scaling("fixed", float("nan"), 1.0)


def test_scale_lost_beside_its_offset():
    with pytest.raises(ImageError, match="larger scale"):
        Normalisation("fixed", offset=1e30, scale=1.0).measure(open_image(np.ones((2, 2))))


def test_unfit_image_is_refused():
    with pytest.raises(ImageError, match="empty"):
        Normalisation().measure(open_image(np.zeros((0, 5))))
