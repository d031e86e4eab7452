"""Small images take PyTorch in 32 bit; what is asked for by name is taken, or told why not."""

import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_mpseg.errors import SettingsError, UnknownNameError
from napari_mpseg.images.open import open_image
from napari_mpseg.inference.runtimes import RUNTIMES, choice, requirements
from napari_mpseg.inference.runtimes.calibration import Calibration, Measured, calibration_key, keep_calibration
from napari_mpseg.inference.runtimes.choice import LEAST_PIXELS, Choice, choose_runtime
from napari_mpseg.methods.network import NetworkMethod, bundled
from napari_mpseg.networks.bundled import bundled_model
from napari_mpseg.networks.modelfile import Model, ModelCard

CPU = torch.device("cpu")
EXTRAS = {"openvino": "openvino", "openvino-bf16": "openvino", "onnx": "onnx", "openvino-int8": "openvino,onnx"}


def choose(name, network, pixels, sample=None):
    return choose_runtime(name, network, 3, CPU, pixels=pixels, sample=sample)


def never():
    raise AssertionError("nothing is measured")


def test_small_images_are_left_to_torch_in_32_bit(plain, own_cache):
    assert choose("auto", plain, LEAST_PIXELS - 1, never) == Choice("torch-fp32", 640)
    keep_calibration(calibration_key(plain, CPU), Calibration((Measured("openvino", 512, 9.0),)))
    assert choose("auto", plain, LEAST_PIXELS - 1, never) == Choice("torch-fp32", 640)


def test_what_was_measured_decides_for_large_images(plain, own_cache, monkeypatch):
    pair = (Measured("torch-fp32", 512, 9.0), Measured("torch-fp32", 256, 9.5))
    keep_calibration(calibration_key(plain, CPU), Calibration(pair))
    assert choose("auto", plain, 10**9, never) == Choice("torch-fp32", 256)


def test_what_is_quicker_than_measuring_is_not_measured(plain, own_cache, image, monkeypatch):
    monkeypatch.setattr(choice, "_seconds_for", lambda *_: choice.SECONDS - 1)
    monkeypatch.setattr(choice, "calibrate", lambda *_, **__: never())
    assert choose("auto", plain, 10**7, lambda: image) == Choice("torch-fp32", 640)


def test_what_takes_longer_is_measured_once(plain, own_cache, image, monkeypatch):
    calls = []

    def calibrated(*given, **more):
        calls.append(given)
        return Calibration((Measured("torch-fp32", 512, 9.0), Measured("torch-fp32", 1024, 12.0)))

    monkeypatch.setattr(choice, "_seconds_for", lambda *_: choice.SECONDS + 1)
    monkeypatch.setattr(choice, "calibrate", calibrated)
    assert choose("auto", plain, 10**7, lambda: image) == Choice("torch-fp32", 1024)
    assert choose("auto", plain, 10**7, never) == Choice("torch-fp32", 1024)
    assert len(calls) == 1


def test_a_runtime_that_has_gone_since_is_not_chosen(plain, own_cache, monkeypatch):
    keep_calibration(calibration_key(plain, CPU), Calibration((Measured("openvino", 512, 9.0),)))
    monkeypatch.setitem(sys.modules, "openvino", None)
    assert choose("auto", plain, 10**9, never).runtime == "torch-fp32"


@pytest.mark.parametrize(("name", "extra"), EXTRAS.items())
def test_a_missing_library_is_told_with_its_extra(name, extra, monkeypatch):
    for package in ("openvino", "onnx", "onnxruntime"):
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(SettingsError, match=rf'pip install "napari-mpseg\[{extra}\]"'):
        bundled("cpu").with_runtime(name)


def test_a_processor_without_bfloat16_is_told(monkeypatch):
    monkeypatch.setattr(requirements, "processor_flags", lambda: frozenset({"avx2"}))
    with pytest.raises(SettingsError, match="does not multiply bfloat16"):
        bundled("cpu").with_runtime("torch-bf16")


def test_the_wrong_device_and_an_unknown_name_are_told():
    with pytest.raises(SettingsError, match="runs on cuda, not on cpu"):
        bundled("cpu").with_runtime("cuda-mixed")
    with pytest.raises(UnknownNameError, match="Did you mean 'openvino'"):
        bundled("cpu").with_runtime("openvin")


def test_the_variable_decides_where_nothing_was_asked_for(monkeypatch):
    monkeypatch.setenv("NAPARI_MPSEG_RUNTIME", "onnx")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(SettingsError, match="asked for by the variable NAPARI_MPSEG_RUNTIME"):
        bundled("cpu")
    monkeypatch.setenv("NAPARI_MPSEG_RUNTIME", "torch-fp32")
    assert bundled("cpu").runtime == "torch-fp32"
    monkeypatch.setenv("NAPARI_MPSEG_RUNTIME", "")
    assert bundled("cpu").runtime == "auto"


def test_a_method_says_what_was_asked_for_and_its_predictor_what_was_chosen(rng):
    model = bundled_model()
    shrinking = replace(model, card=replace(model.card, shrink=2, tta=("flips",)))
    image = open_image(rng.integers(0, 255, (40, 60, 3)).astype(np.uint8))
    method = NetworkMethod(shrinking, "cpu")
    assert "runtime" not in method.describe()
    assert method.prepare(image).predictor.runtime_name == "torch-fp32"
    chosen = method.with_runtime("torch-fp32")
    assert chosen.describe()["runtime"] == "torch-fp32"
    assert method.runtime == "auto"


@pytest.mark.parametrize(
    "name", [name for name, entry in RUNTIMES.items() if "cpu" in entry.devices and not entry.samples]
)
def test_every_runtime_prepares_an_image_and_predicts_the_same(name, layered, rng):
    if RUNTIMES[name].available(CPU) is not None:
        pytest.skip(RUNTIMES[name].available(CPU))
    network, radius = layered
    card = ModelCard("small", "quarter-multiresunet", receptive_radius=radius)
    image = open_image(rng.integers(0, 255, (50, 60, 3)).astype(np.uint8))
    predictor, plain = (
        NetworkMethod(Model(network, card), "cpu", runtime=runtime).prepare(image).predictor
        for runtime in (name, "torch-fp32")
    )
    assert predictor.runtime_name == name
    assert predictor.preferred_tile == RUNTIMES[name].tile
    found, expected = (one.predict(image.data.compute()) for one in (predictor, plain))
    np.testing.assert_allclose(found, expected, atol=1e-5 if RUNTIMES[name].full_precision else 0.1)
    assert expected.std() > 0.05
