"""The overlay picture: rings where the particles are, a legend that can be read, any kind of image."""

from dataclasses import replace
from types import SimpleNamespace

import dask.array as da
import numpy as np
import pytest
from PIL import Image as Pictures
from PIL import ImageColor

from napari_mpseg.errors import Cancelled
from napari_mpseg.images.image import Image
from napari_mpseg.images.open import open_image
from napari_mpseg.particles.measure import measure
from napari_mpseg.progress import CancelToken
from napari_mpseg.results.legend import with_legend
from napari_mpseg.results.overlay import COLOURS, overlay_picture
from napari_mpseg.results.preview import preview


def made(pixels, labels=None, name="picture"):
    """A result as the overlay needs it."""
    image = replace(open_image(pixels), name=name)
    particles = measure(labels, image) if labels is not None else None
    count = len(particles) if particles is not None else 0
    table = particles.frame if particles is not None else None
    return SimpleNamespace(image=image, particles=particles, count=count, method="by hand", table=table)


def has_colour(picture, colour):
    return (picture == ImageColor.getrgb(colour)).all(2)


@pytest.fixture
def labels():
    """A square of 6 pixels (longest diameter 8.5) and one of 30 (42.4): the first and the third size class."""
    labels = np.zeros((1300, 1250), np.int32)
    labels[200:206, 300:306] = 1
    labels[900:930, 1000:1030] = 2
    return labels


def test_rings_lie_around_the_particles_in_the_colour_of_their_size(labels):
    picture = np.asarray(overlay_picture(made((labels > 0) * np.uint8(200), labels)))
    assert picture.shape[1] == 1250
    for number, (y, x, size) in ((0, (203, 303, 6)), (2, (915, 1015, 30))):
        rows, columns = np.nonzero(has_colour(picture[:1300], COLOURS[number]))
        distance = np.hypot(rows - y, columns - x)
        assert distance.min() > size / 2
        assert distance.max() < size / 2 * np.sqrt(2) + 10
        assert len(rows) > 20
    for number in (1, 3, 4):
        assert not has_colour(picture[:1300], COLOURS[number]).any()
        assert has_colour(picture[1300:], COLOURS[number]).any(), "empty classes are in the legend too"


@pytest.mark.parametrize("shape", [(1, 1), (40, 300), (300, 40), (3, 9000)])
def test_the_legend_can_be_read_below_images_of_any_shape(shape):
    labels = np.zeros(shape, np.int32)
    labels[0, 0] = 1
    picture = np.asarray(overlay_picture(made(np.zeros(shape, np.uint8), labels, name="n" * 300)))
    assert picture.shape[1] >= 640
    rows, columns = np.nonzero((picture > 200).all(2))
    assert np.ptp(rows) >= 12, "letters of some height"
    assert columns.max() < picture.shape[1] - 2, "a long name is shortened, not cut off"


def test_a_20000_pixel_wide_image_shrinks_and_its_rings_with_it():
    labels = np.zeros((90, 20000), np.int32)
    labels[36:54, 17991:18009] = 1
    result = made((labels > 0) * np.uint16(50000), labels)
    picture = np.asarray(overlay_picture(result))
    assert picture.shape[1] == 2223  # every 9 x 9 pixels become one
    rows, columns = np.nonzero(has_colour(picture[:10], COLOURS[2]))
    assert len(rows)
    assert abs(columns.mean() - 2000) < 2
    assert picture[5, 2000].min() > 200
    assert picture[5, 100].max() < 30


def test_without_a_table_only_the_image_is_shown():
    picture = np.asarray(overlay_picture(made(np.full((30, 700), 5, np.uint8))))
    assert not any(has_colour(picture, colour).any() for colour in COLOURS)


def test_small_images_are_enlarged_by_a_whole_number():
    picture = overlay_picture(made(np.zeros((100, 300), np.uint8)))
    assert picture.width == 1200
    assert picture.height > 400


def test_drawing_can_be_cancelled():
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        overlay_picture(made(np.zeros((10, 10), np.uint8)), cancel=token)


def test_a_legend_of_many_entries_takes_several_lines():
    entries = {f"a class with quite a long name {number}": COLOURS[number] for number in range(7)}
    picture = np.asarray(with_legend(Pictures.new("RGB", (700, 10)), "title", entries))
    tops = [np.nonzero(has_colour(picture, colour))[0].min() for colour in COLOURS]
    assert len(set(tops)) > 2
    assert picture.shape[0] > max(tops) + 10


# the image below the rings


def test_a_single_particle_on_black_is_seen():
    pixels = np.zeros((400, 400), np.uint8)
    pixels[7, 7] = 50
    assert preview(open_image(pixels))[7, 7].tolist() == [235, 235, 235]


def test_dim_images_are_stretched():
    pixels = np.full((10, 10), 1000, np.uint16)
    pixels[5, 5] = 1100
    shown = preview(open_image(pixels))
    assert shown[0, 0].tolist() == [0, 0, 0]
    assert shown[5, 5].tolist() == [235, 235, 235]


def test_averages_leave_out_what_is_not_finite():
    pixels = np.array([[1, np.nan, 5, 5], [3, np.inf, 5, 5], [0, 0, np.nan, np.nan], [0, 0, -np.inf, np.nan]])
    shown = preview(open_image(pixels), 2)[..., 0]
    # means 2, 5, 0 and nothing; 0 to the 99.99th percentile of the three, 4.999, become 0 to 235
    assert shown.tolist() == [[94, 235], [0, 0]]


@pytest.mark.parametrize("step", [1, 3])
@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0, 1e300, -1e300])
def test_images_of_one_value_are_black(value, step):
    assert not preview(open_image(np.full((7, 5), value)), step).any()


def test_blocks_fit_together(monkeypatch, rng):
    pixels = rng.integers(0, 255, (50, 70, 3), np.uint8)
    whole = preview(open_image(pixels), 3)
    assert whole.shape == (17, 24, 3)
    monkeypatch.setattr("napari_mpseg.results.preview._BLOCK", 16)
    assert np.array_equal(preview(open_image(pixels), 3), whole)


@pytest.mark.parametrize(("channels", "grey"), [(1, True), (2, True), (3, False), (5, True)])
def test_three_channels_are_colour_others_grey(channels, grey):
    pixels = np.zeros((10, 10, channels), np.uint16)
    pixels[5, 5, 0] = 100
    shown = preview(Image(da.from_array(pixels)))
    assert shown[5, 5, 0] > 0
    assert (shown[5, 5, 1] == shown[5, 5, 0]) == grey
