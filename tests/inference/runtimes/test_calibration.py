"""What is fastest is chosen, if it agrees; what was measured is kept, and a damaged file is measured again."""

import time

import numpy as np
import pytest
import torch

from napari_mpseg.errors import Cancelled, SettingsError
from napari_mpseg.inference.runtimes.calibration import (
    Calibration,
    Measured,
    calibrate,
    calibration_key,
    disagreement,
    keep_calibration,
    kept_calibration,
)
from napari_mpseg.inference.runtimes.eager import cropped
from napari_mpseg.inference.runtimes.sampling import synthetic_sample
from napari_mpseg.progress import CancelToken

CPU = torch.device("cpu")


def answering(seconds, level=0.5):
    def run(batch, margins=(0, 0, 0, 0)):
        time.sleep(seconds * batch.shape[2] * batch.shape[3] / 512**2)
        return cropped(np.full((len(batch), *batch.shape[2:]), level, np.float32), margins)

    return run


def failing(batch, margins=(0, 0, 0, 0)):
    raise RuntimeError("this operation is unknown")


@pytest.fixture
def sample(image):
    return image


def test_the_fastest_that_agrees_is_best(runtimes, plain, sample):
    runtimes(torch_fp32=answering(0.03), quick=answering(0.01), wrong=answering(0.002, level=0.6), broken=failing)
    found = calibrate(plain, 3, CPU, sample, seconds=60)
    assert found.best().runtime == "quick"
    assert {one.runtime for one in found.measured} == {"torch-fp32", "quick", "wrong"}
    assert found.complete
    assert any("broken" in sentence and "unknown" in sentence for sentence in found.left_out)
    tiles = {one.tile for one in found.measured if one.runtime == "quick"}
    assert len(tiles) > 1
    # 512 x 512 px of result in 0.01 s for as many read are 26 megapixels per second
    assert 10 < found.best().speed < 27


def test_disagreement_of_masks_is_one_less_their_f1():
    first, second = np.zeros((2, 40, 40), np.float32)
    first[:20], second[10:30] = 1, 1  # each 800 px, 400 in common: F1 0.5
    assert disagreement(first, second) == pytest.approx(800 / 1620)
    assert disagreement(first * 0, second * 0) == 0


def test_of_tiles_nearly_as_fast_the_smallest_is_taken():
    tiles = [Measured("torch-fp32", 1024, 3.0), Measured("torch-fp32", 512, 2.95), Measured("torch-fp32", 256, 2.5)]
    assert Calibration(tuple(tiles)).best().tile == 512


def test_when_time_is_up_nothing_new_is_begun_and_nothing_half_done_is_kept(runtimes, plain, sample, own_cache):
    runtimes(torch_fp32=answering(0.01), other=answering(0.001))
    found = calibrate(plain, 3, CPU, sample, seconds=0)
    assert [one.runtime for one in found.measured] == ["torch-fp32"]
    assert not found.complete
    keep_calibration("busy", found)
    assert kept_calibration("busy") is None


def test_what_is_measured_is_kept(own_cache):
    made = Calibration((Measured("torch-fp32", 512, 2.5), Measured("openvino", 640, 3.4, 1e-6)), ("onnx is missing",))
    keep_calibration("speeds", made)
    assert kept_calibration("speeds") == made
    assert [path.name for path in own_cache.iterdir()] == ["speeds.json"]


@pytest.mark.parametrize(
    "damage",
    ["", "{", "[]", "null", '{"measured": 3}', '{"measured": [{"runtime": "gone", "tile": 5, "speed": 1.0}]}'],
)
def test_a_damaged_file_is_as_good_as_none(own_cache, damage):
    keep_calibration("speeds", Calibration((Measured("torch-fp32", 512, 2.5),)))
    (own_cache / "speeds.json").write_text(damage)
    assert kept_calibration("speeds") is None


def test_other_weights_and_other_threads_are_measured_anew(plain):
    first = calibration_key(plain, CPU)
    assert calibration_key(plain, CPU) == first
    before = torch.get_num_threads()
    torch.set_num_threads(before + 1)
    try:
        assert calibration_key(plain, CPU) != first
    finally:
        torch.set_num_threads(before)
    with torch.no_grad():
        plain.last.bias.add_(1)
    assert calibration_key(plain, CPU) != first


def test_cancelling_ends_it(runtimes, plain, sample):
    runtimes(torch_fp32=answering(0.001))
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        calibrate(plain, 3, CPU, sample, cancel=cancel)


def test_a_folder_that_cannot_be_written_is_no_error(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NAPARI_MPSEG_CACHE", str(tmp_path / "file"))
    keep_calibration("speeds", Calibration((Measured("torch-fp32", 512, 2.5),)))
    assert kept_calibration("speeds") is None


@pytest.mark.parametrize("channels", [1, 3, 5])
def test_a_made_up_sample_has_the_network_s_channels(channels):
    sample = synthetic_sample(channels)
    assert sample.shape == (768, 768, channels)
    assert sample.dtype == np.float32
    assert 0 <= sample.min() < 0.1
    assert 0.3 < sample.max() <= 1


def test_a_network_that_a_library_cannot_take_is_told(plain):
    pytest.importorskip("openvino")
    from napari_mpseg.inference.runtimes import RUNTIMES

    class Sorting(type(plain)):
        def forward(self, x):
            return super().forward(x) if x.sum().item() > 0 else x  # what it does depends on the values

    with pytest.raises(SettingsError, match=r"OpenVINO cannot run this network .*'torch-fp32'"):
        RUNTIMES["openvino"].build(Sorting().eval(), CPU, 3)
