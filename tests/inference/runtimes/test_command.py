"""``napari-mpseg runtimes``."""

import sys

import numpy as np

from napari_mpseg.inference.runtimes import RUNTIMES


def test_it_lists_every_runtime_and_the_choice(run, own_cache):
    code, said, error = run("runtimes", "--device", "cpu")
    assert (code, error) == (0, "")
    for name, entry in RUNTIMES.items():
        assert name in said
        assert entry.title in said
    assert "cuda-mixed (not here)" in said
    assert "Nothing was measured" in said
    assert "Chosen    torch-fp32, tiles of 640 px" in said


def test_it_names_the_extra_of_what_is_missing(run, own_cache, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    said = run("runtimes", "--device", "cpu")[1]
    assert "openvino (not here)" in said
    assert 'pip install "napari-mpseg[openvino]"' in " ".join(said.split())


def test_it_says_when_the_variable_decides(run, own_cache, monkeypatch):
    monkeypatch.setenv("NAPARI_MPSEG_RUNTIME", "torch-fp32")
    assert "torch-fp32, by the variable NAPARI_MPSEG_RUNTIME" in run("runtimes", "--device", "cpu")[1]


def test_calibrating_is_kept_and_shown(run, own_cache, runtimes):
    def nothing(batch, margins):
        top, bottom, left, right = margins
        return np.zeros((1, batch.shape[2] - top - bottom, batch.shape[3] - left - right), np.float32)

    runtimes(torch_fp32=nothing, quick=nothing)
    code, said, _ = run("runtimes", "--device", "cpu", "--calibrate")
    assert code == 0
    table = said.partition("DISAGREEMENT")[2]
    assert table.split()[0] == "torch-fp32"
    assert [path.name[:7] for path in own_cache.glob("*.json")] == ["speeds-"]
    assert run("runtimes", "--device", "cpu")[1].partition("DISAGREEMENT")[2] == table


def test_a_wrong_model_is_told(run, tmp_path):
    code, _, error = run("runtimes", "--model", tmp_path)
    assert code == 1
    assert "holds no card.json" in error
