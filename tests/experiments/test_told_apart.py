"""Recipes whose models tell particles apart: cross-validated on the particles that they tell apart."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import tifffile

from napari_mpseg.errors import SettingsError
from napari_mpseg.evaluation.crossval_report import report_folds
from napari_mpseg.experiments.operating_point import check_operating_point
from napari_mpseg.experiments.registry import PROTOCOLS
from napari_mpseg.experiments.told_apart import COLUMNS, ToldApartFold, object_scores
from napari_mpseg.training.data.pairs import LabelledImage
from napari_mpseg.training.presets import PRESETS

TINY = {
    "backbone": "resnet18",
    "weights": None,
    "min_size": 64,
    "max_size": 64,
    "fpn_channels": 16,
    "box_features": 32,
    "mask_layers": [16],
    "box_detections_per_img": 20,
    "box_score_thresh": 0.0,
}


@pytest.fixture(scope="module")
def touching(tmp_path_factory):
    """Four images of 64 x 64 px with two touching squares each, in labels of their own."""
    rng = np.random.default_rng(5)
    folder = tmp_path_factory.mktemp("touching") / "pictures"
    (folder / "labels").mkdir(parents=True)
    for number in range(4):
        labels = np.zeros((64, 64), np.uint16)
        y, x = rng.integers(4, 30, 2)
        labels[y : y + 14, x : x + 14], labels[y : y + 14, x + 14 : x + 28] = 1, 2
        image = np.where(labels > 0, 180, 40) + rng.integers(0, 20, labels.shape)
        tifffile.imwrite(folder / f"{number}.tif", image.astype(np.uint8))
        tifffile.imwrite(folder / "labels" / f"{number}.tif", labels)
    return folder


def detector():
    return PRESETS["maskrcnn-light"].changed(
        epochs=1, batch=1, threshold=0.0, network_options=TINY, **{"patches.size": 64, "patches.per_epoch": 1}
    )


def head():
    return PRESETS["touching"].changed(
        network="quarter-multiresunet",
        epochs=1,
        batch=1,
        head="distance",
        **{"patches.size": 64, "patches.per_epoch": 1},
    )


@pytest.mark.parametrize("recipe", [detector, head])
def test_particles_of_a_cross_validation_are_those_the_models_tell_apart(run, touching, tmp_path, recipe):
    recipe().save(tmp_path / "mine.json")
    arguments = ["crossval", touching, "--folds", 2, "--preset", tmp_path / "mine.json", "--out", tmp_path / "cv"]
    code, said, error = run(*arguments, "--device", "cpu", "--quiet")
    assert code == 0, error
    assert "as the models tell them apart" in said
    kept = json.loads((tmp_path / "cv" / "scores.json").read_text())["particles"]
    assert list(kept) == ["fold_1", "fold_2", "mean"]
    assert set(kept["mean"]) == set(COLUMNS)
    again = run(*arguments, "--device", "cpu", "--quiet")[1]  # from the models that are kept
    assert again == said[said.index("| fold held out") :]


def test_a_protocol_takes_detectors(touching, tmp_path):
    protocol = PROTOCOLS["babkauskas-2023"]
    for _ in range(2):  # trained, and taken from where it is kept
        table = protocol.run(touching, tmp_path / "out", presets=[detector()], methods=[], device="cpu")
        assert any(row.name == "maskrcnn-light" and row.rounds for row in table.rows)
    assert next((tmp_path / "out" / "models").rglob("detector.json"))


def test_joined_particles_are_missed_and_told_apart_ones_are_found():
    truth = np.zeros((20, 40), np.int32)
    truth[4:12, 4:12], truth[4:12, 12:20], truth[4:12, 30:38] = 1, 2, 3
    patch = LabelledImage("a", np.full((20, 40, 1), 9, np.uint8), truth > 0, instances=truth)
    joined = np.where(truth == 2, 1, truth)
    chance = (truth > 0).astype(np.float32)
    model = SimpleNamespace(card=SimpleNamespace(threshold=0.5))

    def scores(labels):
        folds = [SimpleNamespace(name=name, patches=(patch,)) for name in ("one", "two")]
        held = [ToldApartFold(fold, model, (chance,), (labels,)) for fold in folds]
        assert report_folds(held).folds[0].f1 == 1
        assert report_folds(held).folds[0].particles == 3
        return object_scores(held)["one"]

    # three of three, each the same; and of the joined ones 128 px share just half of their pixels with either
    right, wrong = scores(truth), scores(joined)
    assert right == {name: 0.0 if "count" in name else 1.0 for name in COLUMNS}
    assert (wrong["count-bias"], wrong["count-mae"]) == (-1, 1)
    assert wrong["particle-recall-iou"] < 1
    assert wrong["panoptic-quality"] < right["panoptic-quality"]


def test_an_aim_that_counts_is_refused_for_a_head_before_training():
    settings = PRESETS["touching"].changed(operating_point="count-bias-zero", validation=0.2).settings
    with pytest.raises(SettingsError, match="tells touching particles apart"):
        check_operating_point(settings)
    check_operating_point(PRESETS["touching"].changed(operating_point="best-f1", validation=0.2).settings)
