"""``train-forest`` writes forests that ``segment`` takes, and goes on with a cross-validation where it was."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image as Pictures

from napari_mpseg.methods.forest import training
from napari_mpseg.methods.forest.forest import load_forest

QUICK = ("--sigmas", "1,2", "--trees", "8", "--quiet")


@pytest.fixture
def data(tmp_path, rng):
    """Three folds of two patches, each with one square; 0 is particle."""
    for fold in ("fold_1", "fold_2", "fold_3"):
        (tmp_path / "data" / fold / "labels").mkdir(parents=True)
        for number in range(2):
            image = rng.integers(20, 40, (48, 48, 3), np.uint8)
            image[10:20, 10 + number : 20] = 220
            label = np.full((48, 48), 255, np.uint8)
            label[10:20, 10 + number : 20] = 0
            Pictures.fromarray(image).save(tmp_path / "data" / fold / f"{number}.png")
            Pictures.fromarray(label).save(tmp_path / "data" / fold / "labels" / f"{number}.png")
    return tmp_path / "data"


def test_a_trained_forest_segments(data, tmp_path, run):
    code, said, _ = run("train-forest", data, "--particle-value", 0, "--out", tmp_path / "forest", *QUICK)
    assert code == 0
    assert "570 of particle" in said  # 3 x (100 + 90) pixels
    code, said, _ = run(
        "segment", data / "fold_1" / "0.png", "--method", tmp_path / "forest", "--out", tmp_path / "found", "--quiet"
    )
    assert code == 0
    assert "Particles 1 " in said


def test_strokes_are_learnt_from_pairs(data, tmp_path, run):
    painted = np.zeros((48, 48), np.uint8)
    painted[30:40], painted[12:18, 12:18] = 3, 4
    Pictures.fromarray(painted).save(tmp_path / "strokes.png")
    code, said, _ = run(
        *("train-forest", "--pair", data / "fold_1" / "0.png", tmp_path / "strokes.png", "--painted", "scribbles"),
        *("--background-label", 3, "--name", "mine", "--out", tmp_path / "forest", *QUICK),
    )
    assert code == 0
    assert "36 of particle, 480 of background" in said
    assert load_forest(tmp_path / "forest").card.name == "mine"


def test_a_cross_validation_keeps_its_forests_and_goes_on(data, tmp_path, run, monkeypatch):
    arguments = ("train-forest", data, "--particle-value", 0, "--crossval", "--out", tmp_path / "cv", *QUICK)
    code, said, _ = run(*arguments)
    assert code == 0
    assert sorted(path.name for path in (tmp_path / "cv").iterdir()) == [
        "folds.json",
        "scores.json",
        "without-fold_1",
        "without-fold_2",
        "without-fold_3",
    ]
    names = {
        fold: [image["name"] for image in images]
        for fold, images in json.loads((tmp_path / "cv" / "folds.json").read_text()).items()
    }
    assert names["fold_2"] == ["fold_2/0.png", "fold_2/1.png"]
    learnt = [image["name"] for image in load_forest(tmp_path / "cv" / "without-fold_2").card.training["data"]]
    assert learnt == names["fold_1"] + names["fold_3"]
    assert json.loads((tmp_path / "cv" / "scores.json").read_text())["protocol"]["f1"] > 0.9

    shutil.rmtree(tmp_path / "cv" / "without-fold_3")
    trained = []
    real = training.train_forest
    monkeypatch.setattr(
        "napari_mpseg.methods.forest.crossval.train_forest", lambda *a, **b: trained.append(b["name"]) or real(*a, **b)
    )
    code, again, _ = run(*arguments)
    assert (code, trained) == (0, ["pixel-forest-without-fold_3"])
    assert again == said


def test_a_truth_that_seems_inverted_is_said(data, tmp_path, run):
    said = run("train-forest", data, "--crossval", "--out", tmp_path / "cv", *QUICK)[1]
    assert "of the pixels of the truth are particle. If 0 means particle" in said


def test_forests_of_other_settings_or_data_are_not_mixed(data, tmp_path, run):
    arguments = ("train-forest", data, "--particle-value", 0, "--crossval", "--out", tmp_path / "cv", *QUICK)
    assert run(*arguments)[0] == 0
    code, _, error = run(*arguments, "--seed", 3)
    assert code == 2
    assert "other settings" in error
    (data / "fold_2" / "1.png").unlink()
    code, _, error = run(*arguments)
    assert code == 2
    assert "other images" in error


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (("--sigmas", "a,b"), 2, "list of numbers"),
        (("--features", "colours"), 2, "colours"),
        (("--sigmas", "0"), 2, "Scales"),
        (("--folds", "3"), 2, "--crossval"),
        (("--particle-value", "77"), 2, "there are 0, 255"),
        (("--particle-value", "77", "--crossval"), 2, "there are 0, 255"),
        (("--painted", "scribbles"), 2, "--background-label"),
        (("--crossval", "--pair", "a.png", "b.png"), 2, "--pair"),
        (("--trees", "0"), 2, "trees = 0"),
    ],
)
def test_what_does_not_fit_is_said_before_any_work(data, tmp_path, run, more, code, said):
    found, _, error = run("train-forest", data, "--particle-value", 0, "--out", tmp_path / "forest", *more)
    assert (found, said in error) == (code, True), error
    assert not (tmp_path / "forest").exists()


def test_a_place_that_is_taken_is_refused(data, tmp_path, run):
    (tmp_path / "forest").mkdir()
    (tmp_path / "forest" / "precious.txt").write_text("mine")
    code, _, error = run("train-forest", data, "--particle-value", 0, "--out", tmp_path / "forest", *QUICK)
    assert (code, "exists" in error) == (1, True)
    assert (tmp_path / "forest" / "precious.txt").read_text() == "mine"
    assert run("train-forest", "--out", tmp_path / "other")[0] == 2
