"""``train --pretrain``: a network learns from made images first, is gone on with where it was; wrong arguments."""

import json

import numpy as np
import pytest
from PIL import Image as Pictures

from napari_mpseg.networks.modelfile import load_model

QUICK = (
    *("--preset", "painted-from-scratch", "--particle-value", 0, "--threads", 1, "--quiet", "--set", "epochs=2"),
    *("--set", "network=quarter-multiresunet", "--set", "patches.size=32", "--set", "patches.per_epoch=4"),
)
TWO = ("--set", "before.count=2")


@pytest.fixture
def data(tmp_path, rng):
    """Five patches of one square; 0 is particle."""
    (tmp_path / "data" / "labels").mkdir(parents=True)
    for number in range(5):
        image = rng.integers(20, 40, (48, 48, 3), np.uint8)
        image[10:20, 10 + number : 20] = 220
        label = np.full((48, 48), 255, np.uint8)
        label[10:20, 10 + number : 20] = 0
        Pictures.fromarray(image).save(tmp_path / "data" / f"{number}.png")
        Pictures.fromarray(label).save(tmp_path / "data" / "labels" / f"{number}.png")
    return tmp_path / "data"


@pytest.mark.parametrize("what", ["synthetic", "semi"])
def test_made_images_are_learnt_from_first(data, tmp_path, run, what):
    out = tmp_path / "model"
    code, said, error = run(
        "train", data, "--out", out, *QUICK, *TWO, "--pretrain", what, "--pretrain-epochs", 3, "--quiet"
    )
    assert code == 0, error
    assert "First     3 epochs on other images, loss" in said
    assert "Epochs    2, loss" in said
    before = load_model(out).card.training["before"]
    assert (before["images"], before["count"], before["epochs_done"]) == (what, 2, 3)
    assert not (tmp_path / "model.training").exists()


def test_a_folder_is_learnt_from_first(data, tmp_path, run):
    labels = tmp_path / "other" / "labels"
    labels.mkdir(parents=True)
    for source in ("0.png", "labels/0.png"):
        pixels = np.asarray(Pictures.open(data / source))
        Pictures.fromarray(pixels[::-1] if "labels" not in source else 255 - pixels[::-1]).save(
            tmp_path / "other" / source
        )
    code, _, error = run(
        "train", data, "--out", tmp_path / "model", *QUICK, "--pretrain", tmp_path / "other", "--pretrain-epochs", 1
    )
    assert code == 0, error
    card = json.loads((tmp_path / "model" / "card.json").read_text())
    assert card["training"]["before"]["folder"] == "other"
    assert "other/0.png" in {one["name"] for one in card["training"]["data"]}


def test_a_recipes_own_stage_is_left_out(data, tmp_path, run):
    recipe = tmp_path / "recipe.json"
    changes = [part for part in QUICK[6:] if part != "--quiet"]
    code, _, error = run("presets", "painted-from-scratch", *changes, "--set", "before=semi", "--out", recipe)
    assert code == 0, error
    asked = ("train", data, "--out", tmp_path / "model", "--preset", recipe, "--particle-value", 0, "--quiet")
    assert run(*asked, "--pretrain", "none")[0] == 0
    assert "before" not in load_model(tmp_path / "model").card.training


def test_a_stopped_run_says_where_it_is_kept_and_goes_on(data, tmp_path, run, monkeypatch):
    from napari_mpseg.training import train

    prepare = train.prepare_training

    def stopped(*args, cancel, **options):
        session = prepare(*args, cancel=cancel, **options)
        go = session.run
        session.run = lambda **more: go(
            **{**more, "on_event": lambda event: cancel.cancel() if event.epoch == 2 else None}
        )
        return session

    asked = ("train", data, "--out", tmp_path / "model", *QUICK, *TWO, "--pretrain", "synthetic")
    monkeypatch.setattr(train, "prepare_training", stopped)
    code, _, error = run(*asked)
    assert code == 130
    assert "model.training: the same command goes on from there" in error
    monkeypatch.setattr(train, "prepare_training", prepare)
    code, said, error = run(*asked)
    assert code == 0, error
    assert "Going on after epoch 2 of 4" in said  # an epoch is one step, and the step at hand is finished


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--pretrain", "nowhere"), "no folder and none of synthetic, semi"),
        (("--pretrain-epochs", 3), "--pretrain synthetic"),
        (("--pretrain", "none", "--pretrain-epochs", 3), "--pretrain synthetic"),
        (("--pretrain", "semi", "--pretrain-epochs", 0), "at least 1"),
        (("--pretrain", "semi", "--pretrain-epochs", "x"), "whole number"),
        (("--set", "before.count=5"), "this preset has none"),
        (("--pretrain", "semi", "--set", "before.network=unet"), "one network goes through both"),
        (("--pretrain", "synthetic", "--set", "before.options.colour=1"), "colour"),
    ],
)
def test_wrong_arguments_are_refused(data, tmp_path, run, arguments, said):
    code, _, error = run("train", data, "--out", tmp_path / "model", *QUICK, *arguments)
    assert code == 2
    assert said in error
    assert not (tmp_path / "model").exists()


def test_the_list_of_presets_tells_what_comes_first(run):
    code, said, _ = run("presets")
    assert code == 0
    assert "learns from semi images first" in " ".join(said.split())


@pytest.mark.parametrize(
    ("score", "said"), [({}, "IoU 0.800"), ({"object_f1": 0.75}, "IoU 0.800, F1 of particles 0.750")]
)
def test_the_epoch_that_is_kept_is_told_with_all_its_scores(score, said, capsys):
    from types import SimpleNamespace

    from napari_mpseg.commands.train import _tell
    from napari_mpseg.networks.modelfile import ModelCard

    kept = {"epoch": 6, "loss": 0.25, "iou": 0.8, **score}
    card = ModelCard("a", "quarter-multiresunet", scores={"validation": kept})
    _tell(SimpleNamespace(history=[SimpleNamespace(loss=0.5)]), SimpleNamespace(card=card))
    assert capsys.readouterr().out.splitlines()[-1] == f"Kept      epoch 6: validation loss 0.25, {said}"
