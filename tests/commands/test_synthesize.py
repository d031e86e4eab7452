"""``napari-mpseg synthesize``."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from napari_mpseg.images.open import open_image
from napari_mpseg.synthesis.microscopes import MICROSCOPES, image_settings, synthetic_image
from napari_mpseg.synthesis.writing import read_settings


def test_an_image_its_truth_and_its_settings_are_written(run, names, tmp_path):
    out = tmp_path / "made" / "field.ome.tif"
    code, said, error = run(
        "synthesize", out, "--look", "sem", "--size", 150, 200, "--seed", 4, "--pixel-size", "0.01um",
        "--set", "blur=1.2", "--set", "coverage=0.2", "--quiet",
    )  # fmt: skip
    assert (code, error) == (0, "")
    assert names(tmp_path / "made") == ["field.ome.tif", "field_settings.json", "field_truth.ome.tif"]
    settings = image_settings("sem", size=(150, 200), seed=4, pixel_size_nm=10.0, blur=1.2, coverage=0.2)
    assert read_settings(tmp_path / "made" / "field_settings.json") == settings
    made = synthetic_image(settings)
    np.testing.assert_array_equal(np.asarray(open_image(out).data), made.image.data.compute())
    assert f"{made.n_particles} particles" in said
    assert "200 x 150 px, 10 nm per pixel" in said


def test_settings_make_the_same_bytes_again(run, tmp_path):
    first, again = tmp_path / "one.ome.tif", tmp_path / "two.ome.tif"
    options = ("--look", "bright-field", "--variant", "camouflage", "--size", 200, "--quiet")
    assert run("synthesize", first, *options)[0] == 0
    assert run("synthesize", again, "--settings", tmp_path / "one_settings.json", "--quiet")[0] == 0
    assert first.read_bytes() == again.read_bytes()
    assert (tmp_path / "one_truth.ome.tif").read_bytes() == (tmp_path / "two_truth.ome.tif").read_bytes()
    assert run("synthesize", again, *options)[0] == 1
    assert run("synthesize", again, *options, "--overwrite", "--seed", 9)[0] == 0
    assert first.read_bytes() != again.read_bytes()


@pytest.mark.parametrize("look", list(MICROSCOPES))
def test_settings_are_listed_with_units_and_help(run, look):
    code, said, _ = run("synthesize", "--look", look, "--list")
    assert code == 0
    for variant in MICROSCOPES[look].variants:
        assert variant in said
    assert "blur=0.8  px\n" in said
    assert "Standard deviation of the" in said


def test_help_names_every_look(run):
    code, said, _ = run("synthesize", "--help")
    assert code == 0
    for look in MICROSCOPES:
        assert look in said


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "Name the file"),
        (["a.png"], "ome.tif"),
        (["a.tif", "--look", "xray"], "bright-field"),
        (["a.tif", "--variant", "gloomy"], "stitched"),
        (["a.tif", "--set", "look.blur"], "KEY=VALUE"),
        (["a.tif", "--set", "look.blurr=1"], "look.blurr"),
        (["a.tif", "--size", "1", "2", "3"], "height and a width"),
        (["a.tif", "--size", "0"], "not a number of pixels"),
        (["a.tif", "--pixel-size", "2x3um"], "one length"),
        (["a.tif", "--pixel-size", "1px"], "one length"),
        (["a.tif", "--settings", "b.json", "--look", "sem"], "Leave --look"),
        (["a.tif", "--settings", "nowhere.json"], "nowhere.json"),
        (["a.tif", "--set", "density_per_mm2=1e6"], "do not fit"),
    ],
)
def test_wrong_arguments_are_2(run, tmp_path, monkeypatch, arguments, told):
    monkeypatch.chdir(tmp_path)
    code, _, error = run("synthesize", *arguments)
    assert code == 2
    assert told in error
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="needs a signal that Windows has not")
def test_ctrl_c_leaves_nothing_behind(tmp_path):
    command = [sys.executable, "-m", "napari_mpseg.cli", "synthesize", str(tmp_path / "large.ome.zarr")]
    work = subprocess.Popen(
        [*command, "--size", "30000"], stderr=subprocess.PIPE, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.rglob("c")) and time.monotonic() < deadline:  # the first chunks of the image
        time.sleep(0.1)
    work.send_signal(signal.SIGINT)
    _, error = work.communicate(timeout=60)
    assert work.returncode == 130
    assert b"Nothing half-made was left behind" in error
    assert not list(tmp_path.iterdir())
