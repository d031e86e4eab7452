"""``napari-mpseg compare``."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image


@pytest.fixture
def data(tmp_path):
    """Two images of bright squares; in their truth particle is 0, as in MP-Net."""
    folder = tmp_path / "data"
    (folder / "labels").mkdir(parents=True)
    for number, name in enumerate(("one.png", "two.png")):
        image, truth = np.full((48, 48, 3), 10, np.uint8), np.full((48, 48), 255, np.uint8)
        image[10:16, 10 : 16 + number], truth[10:16, 10 : 16 + number] = 220, 0
        image[40, 4:20] = 110
        Image.fromarray(image).save(folder / name)
        Image.fromarray(truth).save(folder / "labels" / name)
    return folder


@pytest.fixture
def quick(monkeypatch):
    """Leave the figures out."""
    from napari_mpseg.comparison.figures import FIGURES

    monkeypatch.setattr(FIGURES, "_entries", {})
    monkeypatch.setattr("napari_mpseg.comparison.page._figure", lambda name, drawn: name)


def test_table_is_printed_and_written(run, data, tmp_path, quick):
    methods = ["--methods", "fixed-level:level=150", "With streak=fixed-level:level=100"]
    more = ["--particle-value", "0", "--resamples", "20", "--metrics", "f1", "count", "--quiet"]
    code, out, err = run("compare", data, *methods, *more, "--out", tmp_path / "out")
    assert (code, err) == (0, "")
    rows = [line for line in out.splitlines() if line.startswith("|")]
    assert rows[2].startswith("| fixed-level:level=150 | **1.000** (1.000 to 1.000)")
    expected = 2 * 78 / (2 * 78 + 32)  # 36 + 42 true pixels, two streaks of 16
    assert rows[3].startswith(f"| With streak | {expected:.3f} (")
    assert "Note      The intervals rest on 2 images" in out
    frame = pd.read_csv(tmp_path / "out" / "comparison.csv")
    assert frame["count-bias"].tolist() == [0, 1]
    assert (tmp_path / "out" / "comparison.html").exists()
    assert json.loads((tmp_path / "out" / "settings.json").read_text())["all"]["particle_value"] == 0


def test_going_on_with_other_settings_fails_with_a_sentence(run, data, tmp_path, quick):
    start = ["compare", data, "--methods", "fixed-level", "--out", tmp_path / "out", "--resamples", "0", "--quiet"]
    assert run(*start, "--particle-value", "0")[0] == 0
    code, _, err = run(*start)
    assert code == 2
    assert "particle_value was 0 and is None" in err


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--methods", "otzu"], 2, "Did you mean 'otsu'?"),
        (["--methods", "otsu", "--metrics", "f3"], 2, "f3"),
        (["--methods", "otsu", "--images", "0"], 2, "1 or more"),
        (["--methods", "otsu", "--particle-value", "77"], 2, "there are 0, 255"),
        (["--methods", "otsu:tta=flips"], 2, "for networks"),
        (["--methods", ""], 2, "names no method"),
        (["--methods", "otsu", "--resamples", "many"], 2, "whole number"),
        ([], 2, "--methods"),
    ],
)
def test_wrong_arguments_are_told(run, data, tmp_path, arguments, code, told):
    found, _, err = run("compare", data, "--out", tmp_path / "out", *arguments)
    assert found == code
    assert told in err
    assert not (tmp_path / "out").exists()


def test_nothing_that_could_be_run_is_a_failure(run, data, tmp_path, quick):
    for truth in (data / "labels").iterdir():
        Image.fromarray(np.zeros((5, 5), np.uint8)).save(truth)
    code, out, _ = run("compare", data, "--methods", "fixed-level", "--out", tmp_path / "out", "--quiet")
    assert code == 1
    assert "5 x 5 px, the image 48 x 48" in out


def test_one_failed_case_is_a_failure(run, data, tmp_path, quick):
    Image.fromarray(np.zeros((5, 5), np.uint8)).save(data / "labels" / "two.png")
    code, out, _ = run("compare", data, "--methods", "fixed-level", "--out", tmp_path / "out", "--quiet")
    assert code == 1
    assert "fixed-level (1 of 2 images)" in out


def test_help_explains_how_methods_are_named(run):
    code, out, _ = run("compare", "--help")
    assert code == 0
    for text in ("LABEL=METHOD", "METHOD:OPTION=VALUE", "cross-validation", "comparison.html", "per_image.csv"):
        assert text in out
