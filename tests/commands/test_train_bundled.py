"""``train-bundled`` says before the training what stands in its way, and replaces nothing unasked."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image as Pictures

from napari_mpseg.cli import main
from napari_mpseg.networks.modelfile import load_model
from napari_mpseg.progress import Progress
from napari_mpseg.training import bundled


@pytest.fixture
def data(tmp_path, rng):
    """Two folds of two patches, each with one square; 0 is particle."""
    for fold in ("fold_1", "fold_2"):
        (tmp_path / "data" / fold / "labels").mkdir(parents=True)
        for number in range(2):
            image = rng.integers(20, 40, (48, 48, 3), np.uint8)
            image[10:20, 10:20] = 220
            label = np.full((48, 48), 255, np.uint8)
            label[10:20, 10:20] = 0
            Pictures.fromarray(image).save(tmp_path / "data" / fold / f"{number}.png")
            Pictures.fromarray(label).save(tmp_path / "data" / fold / "labels" / f"{number}.png")
    return tmp_path / "data"


@pytest.fixture
def quick(monkeypatch):
    patches = replace(bundled.RECIPE.patches, size=32, per_epoch=6, synthetic_share=0.0)
    tiny = replace(bundled.RECIPE, network="quarter-multiresunet", epochs=1, batch=2, patches=patches)
    monkeypatch.setattr(bundled, "RECIPE", tiny)


@pytest.mark.usefixtures("quick")
def test_the_folds_models_are_kept_and_the_scores_are_in_the_card(data, tmp_path, capsys):
    out = tmp_path / "models" / "mine"
    assert main(["train-bundled", str(data), "--out", str(out), "--crossval", "--quiet"]) == 0
    assert "fold_1" in capsys.readouterr().out
    assert sorted(path.name for path in out.parent.iterdir()) == [
        "mine",
        "mine-without-fold_1",
        "mine-without-fold_2",
    ]
    assert load_model(out).card.network == "quarter-multiresunet"
    assert json.loads((out / "card.json").read_text())["scores"]


@pytest.mark.parametrize("taken", ["mine", "mine-without-fold_2"])
def test_a_place_that_is_taken_is_refused_before_any_training(data, tmp_path, monkeypatch, capsys, taken):
    monkeypatch.setattr(bundled, "train_on", lambda *_, **__: pytest.fail("trained before looking"))
    (tmp_path / "models" / taken).mkdir(parents=True)
    (tmp_path / "models" / taken / "precious.txt").write_text("mine")
    assert main(["train-bundled", str(data), "--out", str(tmp_path / "models" / "mine"), "--crossval"]) == 1
    assert taken in capsys.readouterr().err
    assert (tmp_path / "models" / taken / "precious.txt").read_text() == "mine"


@pytest.mark.usefixtures("quick")
def test_stopping_leaves_no_model_of_the_fold_that_was_being_trained(data, tmp_path, monkeypatch):
    train_on = bundled.train_on

    def stopped(patches, settings, *, on_progress, cancel):
        def stop(event: Progress) -> None:
            cancel.cancel()

        return train_on(patches, settings, on_progress=stop, cancel=cancel)

    monkeypatch.setattr(bundled, "train_on", stopped)
    assert main(["train-bundled", str(data), "--out", str(tmp_path / "mine"), "--crossval", "--quiet"]) == 130
    assert main(["train-bundled", str(data), "--out", str(tmp_path / "mine"), "--quiet"]) == 130
    assert not list(tmp_path.glob("mine*"))
