"""What leaves the background is found; noise, slopes and steps of light are not."""

import numpy as np
import pytest

from napari_mpseg.inference.screening.background import background_model, unlike_background
from napari_mpseg.inference.screening.cells import CELL


def noise(rng, shape=(256, 320, 3), level=40.0, deviation=4.0):
    return rng.normal(level, deviation, shape)


def as_uint8(values):
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


def test_level_and_spread_are_those_of_the_noise(rng):
    level, spread = background_model(noise(rng, (320, 320, 2), 40.0, 4.0).astype(np.float32))
    np.testing.assert_allclose(level, 40, atol=0.5)
    # the 5 x 5 median of the larger of two estimates lies a little above the truth
    np.testing.assert_allclose(spread, 4, rtol=0.1)


@pytest.mark.parametrize("scale", [1, 100])
def test_noise_alone_is_empty(rng, scale):
    picture = (noise(rng) * scale).astype(np.uint16)
    assert not unlike_background(picture, 7.0).any()


def test_a_slope_of_light_is_background(rng):
    picture = noise(rng) + np.linspace(0, 120, 320)[None, :, None]
    assert not unlike_background(as_uint8(picture), 8.0).any()


@pytest.mark.parametrize("channel", [0, 1, 2])
@pytest.mark.parametrize("step", [60, -60])
def test_three_pixels_of_one_channel_are_found(rng, channel, step):
    picture = noise(rng, level=100)
    picture[100:102, 203, channel] += step
    picture[101, 204, channel] += step
    found = unlike_background(as_uint8(picture), 10.0)
    assert found.sum() == 1
    assert found[100 // CELL, 203 // CELL]
    one_sided = unlike_background(as_uint8(picture), 10.0, bright=step < 0, dark=step > 0)
    assert not one_sided.any()


def test_grey_images_have_one_channel(rng):
    picture = noise(rng)[..., 0]
    picture[30:33, 40:43] += 80
    found = unlike_background(as_uint8(picture), 10.0)
    assert found.shape == (32, 40)
    assert np.argwhere(found).tolist() == [[3, 5], [4, 5]]


@pytest.mark.parametrize("diameter", [6, 40, 90])
def test_a_particle_is_not_its_own_background(rng, diameter):
    picture = noise(rng, (400, 400, 3))
    y, x = np.ogrid[:400, :400]
    disc = (y - 200) ** 2 + (x - 210) ** 2 <= (diameter / 2) ** 2
    picture[disc] += 70
    found = unlike_background(as_uint8(picture), 10.0).repeat(CELL, 0).repeat(CELL, 1)
    assert found[disc].all()


def test_a_background_of_one_value_lets_one_grey_level_pass_and_shows_ten():
    picture = np.full((96, 96), 7, np.uint8)
    picture[10, 10], picture[50, 50] = 8, 40
    assert np.argwhere(unlike_background(picture, 10.0)).tolist() == [[50 // CELL, 50 // CELL]]


def test_values_that_are_no_numbers_are_background(rng):
    picture = noise(rng)[..., 0].astype(np.float32)
    picture[5, 5], picture[60, 60] = np.nan, np.inf
    assert not unlike_background(picture, 10.0).any()
    assert not unlike_background(np.full((40, 40), np.nan), 10.0).any()


@pytest.mark.parametrize("shape", [(1, 1), (7, 33), (65, 100)])
def test_windows_of_any_size_are_covered(shape):
    found = unlike_background(np.zeros((*shape, 3), np.uint8), 10.0)
    assert found.shape == tuple(-(-size // CELL) for size in shape)
