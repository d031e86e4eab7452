"""The bundled network finds bright particles of any common image kind, and warns where it is unsure."""

from dataclasses import replace

import numpy as np
import pytest

import napari_mpseg as mp
from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import ImageError, SettingsError, UnknownNameError
from napari_mpseg.images.open import open_image
from napari_mpseg.methods.network import NetworkMethod, bundled
from napari_mpseg.methods.registry import takes_tta
from napari_mpseg.networks.modelfile import Model, save_model


@pytest.fixture(scope="module")
def method():
    return bundled("cpu")


def test_colour_and_grey_images_are_taken_and_others_refused(method, rng):
    pixels = rng.integers(5, 40, (64, 64, 3)).astype(np.uint8)
    assert not method.prepare(open_image(pixels)).notes
    grey = method.prepare(open_image(pixels[..., 0]))
    assert grey.image.n_channels == 3
    assert "grey" in grey.notes[0]
    with pytest.raises(ImageError, match="2"):
        method.prepare(open_image(pixels[..., :2], channels=[0, 1]))


def test_another_pixel_size_than_the_trained_one_is_told(method):
    card = replace(method.model.card, pixel_size_um=2.5)
    network = NetworkMethod(Model(method.model.network, card), "cpu")
    pixels = np.zeros((32, 32, 3), np.uint8)
    assert not network.prepare(open_image(pixels, calibration=Calibration((2.0, 2.0), "um"))).notes
    assert not network.prepare(open_image(pixels)).notes
    (note,) = network.prepare(open_image(pixels, calibration=Calibration((250, 250), "nm"))).notes
    assert "0.25 um per pixel" in note
    assert "2.5" in note


def test_not_a_number_is_background_and_counted(method):
    pixels = np.zeros((32, 32, 3), np.float32)
    pixels[4, 4] = np.nan
    prepared = method.prepare(open_image(pixels))
    assert "1 pixel is not a number" in prepared.notes[0]
    assert np.isfinite(prepared.predictor.predict(pixels)).all()


@pytest.mark.parametrize("shrink", [1, 2])
def test_a_network_that_likes_the_dark_takes_no_gap_for_a_particle(method, shrink):
    import torch

    class Dark(torch.nn.Module):
        stride = 1

        def forward(self, batch):
            return 20 * (0.5 - batch.mean(1, keepdim=True))

    card = replace(method.model.card, receptive_radius=0, shrink=shrink)
    pixels = np.full((48, 50, 3), 200, np.float32)
    pixels[10:14, 10:14] = 0
    pixels[30:40, 20:30, 1] = np.nan
    pixels[0, :, 2] = np.inf
    result = mp.segment(pixels, NetworkMethod(Model(Dark(), card), "cpu"), tile_size=32)
    inside = np.zeros((48, 50), bool)
    inside[10:14, 10:14] = True
    found = np.asarray(result.labels[...]) > 0
    assert not found[~np.isfinite(pixels).all(2)].any()
    assert found[inside].all()
    if shrink == 1:  # else blocks of which a pixel is missing may be taken
        np.testing.assert_array_equal(found, inside)
    assert "150 pixels are not numbers" in result.notes[0]


def test_unknown_and_absent_devices_are_refused():
    with pytest.raises(SettingsError, match="tpu"):
        bundled("tpu")
    import torch

    if not torch.cuda.is_available():
        with pytest.raises(SettingsError, match="not on this machine"):
            bundled("cuda")


def test_a_saved_model_is_a_method(method, tmp_path):
    from napari_mpseg.methods.registry import resolve_method

    folder = save_model(method.model, tmp_path / "mine")
    built = resolve_method(folder).build(device="cpu")
    assert built.default_threshold == method.default_threshold
    assert built.describe()["model"]["weights_sha256"]


def test_test_time_augmentation_is_a_choice_of_any_network(method, rng):
    pixels = rng.integers(0, 256, (40, 56, 3)).astype(np.uint8)
    image = open_image(pixels)
    augmented = method.with_tta(["flips"])
    assert "tta" not in method.describe()
    assert augmented.describe()["tta"] == ["flips"]
    assert len(augmented.describe()["tta_variants"]) == 8
    plain = method.prepare(image).predictor
    turned = [np.rot90(plain.predict(np.rot90(pixels, turns)), -turns) for turns in range(4)]
    turned += [np.fliplr(np.rot90(plain.predict(np.rot90(np.fliplr(pixels), turns)), -turns)) for turns in range(4)]
    np.testing.assert_allclose(augmented.prepare(image).predictor.predict(pixels), np.mean(turned, 0), atol=1e-5)
    with pytest.raises(UnknownNameError, match="flips"):
        method.with_tta("flops")


def test_contrast_is_changed_about_the_mean_of_the_image(method, rng):
    pixels = rng.integers(0, 100, (40, 56, 3)).astype(np.uint16)
    pixels[0, 0] = 65535 // 16
    predictor = method.with_tta("contrast").prepare(open_image(pixels)).predictor
    assert predictor.level == pytest.approx(pixels.mean() / 4095)


def test_hue_and_saturation_are_left_out_for_grey_images(method, rng):
    grey = open_image(rng.integers(0, 256, (32, 32)).astype(np.uint8))
    prepared = method.with_tta("photometric").prepare(grey)
    assert len(prepared.predictor.variants) == 5
    assert "left out hue and saturation" in prepared.notes[-1]
    assert not any("hue" in note for note in method.with_tta("flips").prepare(grey).notes)
    colour = open_image(rng.integers(0, 256, (32, 32, 3)).astype(np.uint8))
    prepared = method.with_tta("photometric").prepare(colour)
    assert len(prepared.predictor.variants) == 9
    assert not prepared.notes


def test_which_methods_take_test_time_augmentation(tmp_path):
    assert takes_tta("default")
    assert takes_tta(str(tmp_path / "my-model"))
    assert not takes_tta("max-entropy")
    assert not takes_tta("fixed-level")
