import numpy as np
import pytest

from napari_mpseg.errors import ImageError
from napari_mpseg.images import Image, match_channels, open_image, pick_channels


@pytest.fixture
def image(colour):
    return open_image(colour)


@pytest.mark.parametrize("choice", ["green", "GREEN", 1, "1", ["green"], (1,)])
def test_one_channel_is_two_dimensional(image, colour, choice):
    picked = pick_channels(image, choice)
    assert (picked.data.shape, picked.channels) == ((97, 131), ())
    np.testing.assert_array_equal(picked.data.compute(), colour[..., 1])


def test_several_channels_in_the_order_asked_for(image, colour):
    picked = pick_channels(image, ["blue", 0])
    assert picked.channels == ("blue", "red")
    np.testing.assert_array_equal(picked.data.compute(), colour[..., [2, 0]])


def test_all_channels(image):
    assert pick_channels(image, None) is image


@pytest.mark.parametrize(
    ("choice", "message"), [("infrared", "no channel 'infrared'"), (3, "number 3"), (-1, "number -1")]
)
def test_missing_channel_lists_what_is_there(image, choice, message):
    with pytest.raises(ImageError, match=rf"{message}.*0: red, 1: green, 2: blue"):
        pick_channels(image, choice)


def test_no_channel_chosen(image):
    with pytest.raises(ImageError, match="No channel was chosen"):
        pick_channels(image, [])


def test_channels_of_one_name():
    twins = Image(open_image(np.zeros((4, 5, 2), np.uint16)).data, channels=("a", "a"))
    with pytest.raises(ImageError, match="Choose by number"):
        pick_channels(twins, "a")


def test_grey_image_has_channel_zero():
    grey = open_image(np.ones((4, 5)))
    assert pick_channels(grey, 0).data.shape == (4, 5)
    assert pick_channels(grey, [0, 0]).data.shape == (4, 5, 2)
    with pytest.raises(ImageError, match="single channel"):
        pick_channels(grey, "red")


def test_same_number_stays(image):
    assert match_channels(image, 3) is image


def test_grey_is_repeated_for_a_colour_network():
    pixels = np.arange(20, dtype=np.uint8).reshape(4, 5)
    for source in (pixels, Image(open_image(pixels).data[..., None])):
        matched = match_channels(open_image(source), 3)
        assert matched.channels == ("red", "green", "blue")
        np.testing.assert_array_equal(matched.data.compute(), np.dstack([pixels] * 3))


def test_single_channel_axis_is_dropped_for_a_grey_network():
    assert match_channels(Image(open_image(np.ones((4, 5))).data[..., None]), 1).data.shape == (4, 5)


def test_rgba_to_rgb():
    rgba = np.arange(80, dtype=np.uint8).reshape(4, 5, 4)
    for channels in ((), ("red", "green", "blue", "alpha")):
        matched = match_channels(Image(open_image(rgba.astype(np.uint16)).data.astype("u1"), channels=channels), 3)
        np.testing.assert_array_equal(matched.data.compute(), rgba[..., :3])


@pytest.mark.parametrize(("there", "expected"), [(2, 3), (3, 1), (3, 4), (4, 3)])
def test_what_does_not_fit_says_what_to_do(there, expected):
    image = open_image(np.zeros((9, 9, there), np.uint16))
    with pytest.raises(ImageError, match=rf"has {there} channels, but {expected} .*expected.*0: .*channels="):
        match_channels(image, expected)
