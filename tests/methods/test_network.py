"""The bundled network finds bright particles of any common image kind, and warns where it is unsure."""

from dataclasses import replace

import numpy as np
import pytest

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import ImageError, SettingsError
from napari_mpseg.images.open import open_image
from napari_mpseg.methods.network import NetworkMethod, bundled
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
    assert "3 pixels are not numbers" in prepared.notes[0]
    assert np.isfinite(prepared.predictor.predict(pixels)).all()


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
