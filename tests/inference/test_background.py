"""Uneven backgrounds go, particles stay, and nothing depends on the tiles."""

import errno

import dask.array as da
import numpy as np
import pytest
import scipy.ndimage as ndi
from skimage.morphology import black_tophat, disk, white_tophat
from skimage.restoration import rolling_ball

from napari_mpseg.errors import Cancelled, MpsegError, SettingsError, StoreError
from napari_mpseg.images.image import Image
from napari_mpseg.inference.background import BACKGROUNDS, BackgroundSettings, find_background, subtracted
from napari_mpseg.inference.background.openings import ball_background, disc_background
from napari_mpseg.inference.background.ways import gaussian_shrink
from napari_mpseg.progress import CancelToken, silent


def without(pixels, settings, tile=2048, on_progress=silent, cancel=None, cache=None):
    """Return all pixels less their background."""
    image = Image(da.from_array(pixels, chunks=50), name="filter")
    with subtracted(
        image,
        find_background(settings),
        cache=cache,
        on_progress=on_progress,
        cancel=cancel or CancelToken(),
        tile_size=tile,
    ) as found:
        assert found.data.shape == pixels.shape
        assert found.dtype == pixels.dtype
        return np.asarray(found.data)


def filter_picture(rng, shape=(131, 97)):
    """Return noise on a slope with bright and dark things on it, uint8."""
    pixels = rng.integers(20, 40, shape) + np.linspace(0, 120, shape[1])[None, :].astype(int)
    pixels[40:46, 30:37] = 250
    pixels[100:104, 80:83] = 5
    pixels[:4, :5] = 240
    return pixels.astype(np.uint8)


def ball(radius):
    """Return footprint and heights of a ball."""
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    left = radius**2 - x**2 - y**2
    return left >= 0, np.sqrt(np.clip(left, 0, None))


@pytest.mark.parametrize("radius", [1, 4, 9])
def test_a_small_ball_is_the_grey_opening_by_a_ball(rng, radius):
    pixels = filter_picture(rng)
    footprint, heights = ball(radius)
    expected = ndi.grey_opening(pixels.astype(float), footprint=footprint, structure=heights)
    np.testing.assert_allclose(ball_background(pixels, radius), expected, atol=1e-4)
    subtracted_pixels = without(pixels, f"rolling-ball:{radius}").astype(int)
    assert np.abs(subtracted_pixels - (pixels - expected)).max() <= 0.5 + 1e-4


def test_scikit_image_s_rolling_ball_is_the_first_half_of_it(rng):
    """It gives the ball's top at every place, which lies below the surface the ball reaches."""
    pixels = filter_picture(rng).astype(float)
    tops = rolling_ball(pixels, radius=6)
    footprint, heights = ball(6)
    surface = ndi.grey_dilation(tops - 6, footprint=footprint, structure=heights)
    np.testing.assert_allclose(ball_background(pixels, 6), surface, atol=1e-4)
    assert (tops <= surface + 1e-9).all()


def test_a_large_ball_is_that_of_the_shrunk_image(rng):
    pixels = filter_picture(rng, (120, 96))
    small = pixels.reshape(60, 2, 48, 2).min((1, 3)).astype(float)
    y, x = np.mgrid[-10:11, -10:11]
    left = 20.0**2 - 4.0 * (x**2 + y**2)  # the ball stays as high and as wide as it was
    opened = ndi.grey_opening(small, footprint=left >= 0, structure=np.sqrt(np.clip(left, 0, None)))
    middles = (np.arange(120) + 0.5) / 2 - 0.5, (np.arange(96) + 0.5) / 2 - 0.5
    blended = ndi.map_coordinates(opened, np.meshgrid(*middles, indexing="ij"), order=1, mode="nearest")
    np.testing.assert_allclose(ball_background(pixels, 20, 2), np.minimum(pixels, blended), atol=1e-3)


@pytest.mark.parametrize("radius", [1, 3, 12])
def test_top_hat_is_that_of_scikit_image(rng, radius):
    pixels = filter_picture(rng)
    np.testing.assert_array_equal(without(pixels, f"top-hat:{radius}"), white_tophat(pixels, disk(radius)))
    np.testing.assert_array_equal(
        without(pixels, f"top-hat:{radius}:light"), 255 - black_tophat(pixels, disk(radius)).astype(int)
    )
    wide = pixels.astype(np.float64) * 3.5
    np.testing.assert_array_equal(wide - disc_background(wide, radius), white_tophat(wide, disk(radius)))


@pytest.mark.parametrize(("sigma", "close"), [(3, 1e-4), (20, 0.02), (50, 0.02)])
def test_gaussian_is_the_blurred_image(rng, sigma, close):
    pixels = (ndi.gaussian_filter(rng.normal(0, 900, (300, 260)), 12) + rng.normal(100, 5, (300, 260))).astype("f4")
    expected = np.maximum(pixels - ndi.gaussian_filter(pixels.astype(float), sigma), 0)
    np.testing.assert_allclose(without(pixels, f"gaussian:{sigma}"), expected, atol=close)
    assert (gaussian_shrink(sigma) > 1) == (sigma > 15)


@pytest.mark.parametrize(("radius", "light"), [(3, False), (12, True), (40, False)])
@pytest.mark.parametrize("way", BACKGROUNDS)
def test_the_tiles_change_nothing(rng, way, radius, light):
    settings = BackgroundSettings(way, radius, light)
    colour = np.stack([filter_picture(rng), rng.integers(0, 256, (131, 97))], 2).astype(np.uint8)
    wide = (filter_picture(rng).astype(np.uint16) * 101)[:77]
    for pixels in (colour, wide):
        whole = without(pixels, settings)
        for tile in (48, 81):
            np.testing.assert_array_equal(without(pixels, settings, tile), whole)
    values = filter_picture(rng) / np.float32(7)
    np.testing.assert_allclose(without(values, settings, 40), without(values, settings), atol=1e-4)


@pytest.mark.parametrize("way", BACKGROUNDS)
def test_a_slope_goes_and_the_particle_stays(way):
    slope = np.tile(np.linspace(20, 180, 200), (150, 1))
    pixels = slope.copy()
    pixels[70:75, 20:25] += 60
    pixels[30:35, 170:175] += 60
    found = without(np.floor(pixels).astype(np.uint8), BackgroundSettings(way, 15)).astype(int)
    particles = pixels > slope
    edge = 16 if way == "gaussian" else 0  # the mirrored slope has a bend there
    inner = np.s_[:, edge : 200 - edge]
    assert found[particles].min() > 40
    assert found[inner][~particles[inner]].max() < 20


@pytest.mark.parametrize("way", BACKGROUNDS)
def test_light_is_dark_on_the_negative(rng, way):
    pixels = filter_picture(rng)
    light = without(pixels, BackgroundSettings(way, 12, light=True)).astype(int)
    dark = without(255 - pixels, BackgroundSettings(way, 12)).astype(int)
    assert np.abs(255 - light - dark).max() <= 1  # halves are rounded up in both
    if way == "top-hat":
        assert light[101, 81] < 150 < np.median(light)


@pytest.mark.parametrize("way", BACKGROUNDS)
@pytest.mark.parametrize("dtype", ["u2", "i2", "f4", "f8"])
@pytest.mark.parametrize("light", ["", ":light"])
def test_no_dtype_goes_below_the_background(rng, way, dtype, light):
    """The same picture gives the same result in every dtype; its range is that of uint8."""
    pixels = filter_picture(rng)
    pixels[0, :2] = 0, 255
    small = without(pixels, f"{way}:7{light}").astype(float)
    found = without(pixels.astype(dtype), f"{way}:7{light}").astype(float)
    assert np.abs(found - small).max() <= 1  # whole numbers are rounded
    assert (found.min() >= 0, found.max() <= 255) == (True, True)


def test_sixteen_bits_see_the_same_ball_as_eight(rng):
    pixels = filter_picture(rng)
    pixels[0, 90], pixels[1, 90] = 0, 255  # so that both have the whole range
    wide = without(pixels.astype(np.uint16) * 257, "rolling-ball:9").astype(int)
    assert np.abs(wide / 257 - without(pixels, "rolling-ball:9")).max() <= 0.51


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "uint64", "float32", "float64"])
@pytest.mark.parametrize("way", BACKGROUNDS)
def test_the_dtype_is_kept_and_nothing_wraps_around(rng, way, dtype):
    pixels = rng.integers(0, 100, (60, 50)).astype(dtype)
    for light in (False, True):
        found = without(pixels, BackgroundSettings(way, 7, light)).astype(float)
        if np.dtype(dtype).kind == "u":
            assert 0 <= found.min() <= found.max() <= (255 if dtype == "uint8" else pixels.max())
        else:
            assert -100 <= found.min() <= found.max() <= 200


@pytest.mark.parametrize("way", BACKGROUNDS)
def test_values_that_are_not_finite_stay_and_spoil_nothing(rng, way):
    pixels = rng.normal(100, 3, (80, 70)).astype(np.float32)
    gaps = pixels.copy()
    gaps[20:23, 30], gaps[50, 50] = np.nan, np.inf
    settings = BackgroundSettings(way, 6)
    found, expected = without(gaps, settings), without(pixels, settings)
    np.testing.assert_array_equal(np.isfinite(found), np.isfinite(gaps))
    assert np.abs(found - expected)[np.isfinite(gaps)].max() < 10
    far = np.s_[60:, :30]
    np.testing.assert_allclose(found[far], expected[far], atol=1e-3)
    nothing = np.full((9, 9), np.nan, np.float32)
    np.testing.assert_array_equal(without(nothing, settings), nothing)


@pytest.mark.parametrize("way", BACKGROUNDS)
@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (40, 2)])
def test_any_shape_and_one_value(way, shape):
    found = without(np.full(shape, 90, np.uint8), BackgroundSettings(way, 20))
    assert not found.any()


def test_each_tile_is_computed_once_and_told(rng, tmp_path):
    events, pixels = [], rng.integers(0, 99, (100, 90)).astype(np.uint8)
    image = Image(da.from_array(pixels, chunks=50))
    with subtracted(
        image,
        find_background("top-hat:3"),
        cache=tmp_path,
        on_progress=events.append,
        cancel=CancelToken(),
        tile_size=50,
    ) as found:
        assert any(tmp_path.iterdir())
        before = len(events)
        for y in range(0, 60, 20):
            np.asarray(found.data[y : y + 40, 10:80])
        assert len(events) == before
    assert (events[-1].stage, events[-1].done, events[-1].total) == ("Subtracting the background", 4, 4)
    assert not any(tmp_path.iterdir())


def test_cancelled_work_leaves_nothing(rng, tmp_path):
    cancel = CancelToken()
    with pytest.raises(Cancelled):
        without(filter_picture(rng), "gaussian:5", 30, lambda event: cancel.cancel(), cancel, tmp_path)
    assert not any(tmp_path.iterdir())


def test_a_full_disk_is_told(rng, tmp_path, monkeypatch):
    import zarr

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(zarr.Array, "__setitem__", full)
    with pytest.raises(StoreError, match="disk is full"):
        without(filter_picture(rng), "gaussian:5", cache=tmp_path)
    assert not any(tmp_path.iterdir())


def test_an_error_of_who_uses_the_image_is_not_the_disk_s(rng):
    image = Image(da.from_array(filter_picture(rng)))
    settings = find_background("gaussian:5")
    with (
        pytest.raises(FileNotFoundError),
        subtracted(image, settings, on_progress=silent, cancel=CancelToken()),
    ):
        raise FileNotFoundError("elsewhere")


@pytest.mark.parametrize(
    ("text", "way", "radius", "light"),
    [
        ("rolling-ball:50", "rolling-ball", 50, False),
        ("rolling-ball", "rolling-ball", 50, False),
        ("top-hat:25:light", "top-hat", 25, True),
        ("gaussian:light", "gaussian", 50, True),
        ("gaussian : 7.5 : dark", "gaussian", 7.5, False),
    ],
)
def test_texts_are_read(text, way, radius, light):
    found = find_background(text)
    assert found == BackgroundSettings(way, radius, light)
    assert find_background(str(found)) == found
    assert find_background(found) is found


@pytest.mark.parametrize("text", [None, "none", ""])
def test_no_background(text):
    assert find_background(text) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("roling-ball:50", "rolling-ball"),
        ("rolling-ball:wide", "'wide' is no number"),
        ("rolling-ball:0", "1 to 500"),
        ("rolling-ball:nan", "1 to 500"),
        ("top-hat:9000", "9000 pixels"),
        ("top-hat:5:6", "WAY:RADIUS"),
        (50, "no background"),
    ],
)
def test_texts_that_make_no_sense_are_told(text, says):
    with pytest.raises(MpsegError, match=says):
        find_background(text)
    with pytest.raises(SettingsError):
        find_background("gaussian:-3")
