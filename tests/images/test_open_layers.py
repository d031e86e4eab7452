"""napari layers: look-alikes for the core, and real ones where napari is installed."""

from types import SimpleNamespace

import numpy as np
import pytest

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import ImageError
from napari_mpseg.images import ImageWarning, open_image, open_levels


def layer(data, **attributes):
    ndim = np.ndim(data[0] if attributes.get("multiscale") else data) - bool(attributes.get("rgb"))
    defaults = {
        "name": "my layer",
        "scale": np.ones(ndim),
        "units": ("pixel",) * ndim,
        "rgb": False,
        "multiscale": False,
    }
    return SimpleNamespace(data=data, **{**defaults, **attributes})


def test_grey_layer_with_scale_and_units():
    image = open_image(layer(np.zeros((6, 7)), scale=np.array([2.0, 2.5]), units=("micrometer", "micrometer")))
    assert (image.name, image.source) == ("my layer", "layer my layer")
    assert image.calibration == Calibration((2.0, 2.5), "um", "layer")


def test_rgba_layer():
    pixels = np.arange(6 * 7 * 4, dtype=np.uint8).reshape(6, 7, 4)
    image = open_image(layer(pixels, rgb=True))
    np.testing.assert_array_equal(image.data.compute(), pixels[..., :3])


def test_narrow_stack_is_not_taken_for_colour():
    stack = np.zeros((5, 6, 3))
    assert open_image(layer(stack, scale=(7, 1, 1)), plane=4).shape == (6, 3)


def test_scale_without_a_unit_is_not_a_pixel_size():
    assert not open_image(layer(np.zeros((6, 7)), scale=(0.5, 0.5))).calibration.calibrated
    assert not open_image(layer(np.zeros((6, 7)), scale=(0.5, 0.5), units=None)).calibration.calibrated


def test_one_unit_for_all_axes():
    assert open_image(layer(np.zeros((6, 7)), scale=(3, 3), units="nm")).calibration.unit == "nm"


def test_impossible_scale():
    with pytest.warns(ImageWarning, match="my layer"):
        image = open_image(layer(np.zeros((6, 7)), scale=(0, 1), units=("um", "um")))
    assert not image.calibration.calibrated


def test_multiscale_layer():
    full = np.arange(48).reshape(6, 8)
    multi = layer([full, full[::2, ::2]], multiscale=True, scale=(2, 2), units=("um", "um"))
    assert [level.shape for level in open_levels(multi)] == [(6, 8), (3, 4)]
    np.testing.assert_array_equal(open_image(multi).data.compute(), full)
    assert open_image(multi, level=1).calibration.pixel_size == (4, 4)


def test_layer_that_does_not_say_whether_it_is_rgb():
    plain = SimpleNamespace(data=np.zeros((6, 7, 3), np.uint8), scale=(1, 1), name="x")
    assert open_image(plain).n_channels == 3


@pytest.mark.parametrize("kind", ["Labels", "Points"])
def test_other_layers_are_refused(kind):
    other = type(kind, (SimpleNamespace,), {})(data=np.zeros((6, 7), int), scale=(1, 1), name="mine")
    with pytest.raises(ImageError, match=f"'mine' is a {kind} layer"):
        open_image(other)


def test_layer_of_one_dimension():
    with pytest.raises(ImageError, match="two dimensions"):
        open_image(layer(np.zeros(6)))


def test_real_napari_layers():
    layers = pytest.importorskip("napari.layers", reason="napari is not installed")
    image = open_image(layers.Image(np.zeros((6, 7)), scale=(2, 3), units=("um", "um"), name="real"))
    assert (image.name, image.calibration) == ("real", Calibration((2, 3), "um", "layer"))
    colour = layers.Image(np.zeros((6, 7, 3), np.uint8), rgb=True)
    assert open_image(colour).n_channels == 3
    full = np.zeros((64, 64), np.uint8)
    multi = layers.Image([full, full[::2, ::2]], multiscale=True)
    assert [level.shape for level in open_levels(multi)] == [(64, 64), (32, 32)]
    with pytest.raises(ImageError, match="Labels layer"):
        open_image(layers.Labels(np.zeros((6, 7), int)))
