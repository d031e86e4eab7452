"""Cross-validation never shows a network the fold it predicts; folders as folds; commands go on where they were."""

import json

import numpy as np
import pytest
from PIL import Image as Pictures

from napari_mpseg.cli import main
from napari_mpseg.errors import ImageError, SettingsError
from napari_mpseg.networks.modelfile import Model, ModelCard
from napari_mpseg.networks.registry import NETWORKS
from napari_mpseg.training.bundled import load_folds
from napari_mpseg.training.crossval import Fold, cross_validate
from napari_mpseg.training.data.folders import folds_of
from napari_mpseg.training.data.pairs import LabelledImage, load_folder


def write(folder, name, image, mask):
    (folder / "labels").mkdir(parents=True, exist_ok=True)
    Pictures.fromarray(image).save(folder / name)
    if mask is not None:
        Pictures.fromarray(mask).save(folder / "labels" / name)


@pytest.fixture
def data(tmp_path, rng):
    """Two folds of two patches, each with one square; 0 is particle."""
    for fold in ("fold_1", "fold_2"):
        for number in range(2):
            image = rng.integers(20, 40, (48, 48, 3), np.uint8)
            image[10:20, 10:20] = 220
            label = np.full((48, 48), 255, np.uint8)
            label[10:20, 10:20] = 0
            write(tmp_path / "data" / fold, f"{number}.png", image, label)
    return tmp_path / "data"


def test_every_fold_is_predicted_by_a_network_that_never_saw_it(rng):
    images = [LabelledImage(str(n), rng.random((30, 34, 3)) * 255, rng.random((30, 34)) < 0.1) for n in range(6)]
    folds = [Fold(f"fold_{k}", tuple(images[2 * k : 2 * k + 2])) for k in range(3)]
    network = NETWORKS["quarter-multiresunet"].build(3)
    seen = []

    def train(fold, others, on_progress, cancel):
        seen.append({patch.name for patch in others})
        return Model(network, ModelCard("m", "quarter-multiresunet"))

    held = list(cross_validate(folds, train))
    for outcome, names in zip(held, seen, strict=True):
        assert names == {str(n) for n in range(6)} - {patch.name for patch in outcome.fold.patches}
        assert [probability.shape for probability in outcome.probabilities] == [(30, 34)] * 2


def test_folders_of_images_with_masks_are_read(tmp_path):
    image = np.full((8, 9, 3), 50, np.uint8)
    mask = np.full((8, 9), 255, np.uint8)
    mask[2, 3] = 0
    write(tmp_path / "fold_1", "a.png", image, mask)
    (fold,) = load_folds(tmp_path)
    assert fold.name == "fold_1"
    assert np.argwhere(fold.patches[0].mask).tolist() == [[2, 3]]
    assert load_folder(tmp_path / "fold_1")[0].mask.sum() == 8 * 9 - 1


def test_folders_that_cannot_serve_say_why(tmp_path):
    with pytest.raises(ImageError, match="no folder fold_1"):
        load_folds(tmp_path)
    with pytest.raises(ImageError, match="No image found"):
        folds_of(tmp_path)
    write(tmp_path / "f", "a.png", np.zeros((8, 9, 3), np.uint8), None)
    with pytest.raises(ImageError, match="has no mask"):
        load_folder(tmp_path / "f")
    write(tmp_path / "f", "a.png", np.zeros((8, 9, 3), np.uint8), np.zeros((8, 8), np.uint8))
    with pytest.raises(ImageError, match="same size"):
        load_folder(tmp_path / "f")


def test_one_folder_is_cut_into_folds_of_similar_foreground(tmp_path):
    for number, size in enumerate((40, 30, 20, 10, 40, 30, 20, 10)):
        mask = np.zeros((10, 10), np.uint8)
        mask.flat[:size] = 7
        write(tmp_path, f"{number}.png", np.zeros((10, 10), np.uint8), mask)
    folds = folds_of(tmp_path, 2)
    assert [sum(int(patch.mask.sum()) for patch in fold.patches) for fold in folds] == [100, 100]
    assert sorted(patch.name for fold in folds for patch in fold.patches) == sorted(
        f"{tmp_path.name}/{n}.png" for n in range(8)
    )
    with pytest.raises(SettingsError, match="too few for 9 folds"):
        folds_of(tmp_path, 9)
    for few in (0, 1):
        with pytest.raises(SettingsError, match="two or more are needed"):
            folds_of(tmp_path, few)
    write(tmp_path / "d" / "fold_1", "a.png", np.zeros((8, 9, 3), np.uint8), np.zeros((8, 9), np.uint8))
    with pytest.raises(SettingsError, match="has only fold_1: two or more"):
        folds_of(tmp_path / "d")


def test_folds_are_not_cut_again(data):
    assert [fold.name for fold in folds_of(data, particle_value=0)] == ["fold_1", "fold_2"]
    with pytest.raises(SettingsError, match="2 folds already"):
        folds_of(data, 3)


QUICK = [
    *("--preset", "painted-from-scratch", "--quiet", "--particle-value", "0"),
    *("--set", "network=quarter-multiresunet", "--set", "network_options={}", "--set", "epochs=1"),
    *("--set", "patches.size=32", "--set", "patches.per_epoch=4", "--set", "validation=0.0"),
]


def test_the_command_prints_the_table_and_goes_on_where_it_was(data, tmp_path, capsys, monkeypatch):
    command = ["crossval", str(data), "--out", str(tmp_path / "cv"), *QUICK]
    assert main(command) == 0
    first = capsys.readouterr().out
    assert "| balanced accuracy | precision | recall | mean IoU | F0.5 | F1 | F2 |" in first
    assert set(json.loads((tmp_path / "cv" / "scores.json").read_text())["protocol"]) >= {"f1", "mean_iou", "f05"}
    monkeypatch.setattr("napari_mpseg.training.run.loop.Training.run", lambda *_, **__: pytest.fail("it trained again"))
    assert main(command) == 0
    assert capsys.readouterr().out == first


def test_a_preset_with_test_time_augmentation_predicts_with_it(data, tmp_path, capsys):
    assert main(["presets", "painted-from-scratch", "--out", str(tmp_path / "p.json")]) == 0
    values = json.loads((tmp_path / "p.json").read_text()) | {"tta": ["mirrors"]}
    (tmp_path / "p.json").write_text(json.dumps(values))
    command = ["crossval", str(data), "--out", str(tmp_path / "cv"), *QUICK, "--preset", str(tmp_path / "p.json")]
    assert main(command) == 0
    card = json.loads((tmp_path / "cv" / "without-fold_1" / "card.json").read_text())
    assert card["tta"] == ["mirrors"]
    image = str(data / "fold_1" / "0.png")
    model = str(tmp_path / "cv" / "without-fold_1")
    assert main(["segment", image, "--method", model, "--out", str(tmp_path / "out"), "--quiet"]) == 0
    assert json.loads((tmp_path / "out" / "0_run.json").read_text())["settings"]["options"]["tta"] == ["mirrors"]


def test_models_of_another_preset_are_not_mixed_in(data, tmp_path, capsys):
    command = ["crossval", str(data), "--out", str(tmp_path / "cv"), *QUICK]
    assert main(command) == 0
    assert main([*command, "--set", "batch=3"]) == 2
    assert "different: batch" in capsys.readouterr().err


def test_the_train_command_writes_a_model_and_cleans_up(data, tmp_path, capsys):
    out = tmp_path / "model"
    command = ["train", str(data / "fold_1"), "--out", str(out), *QUICK]
    assert main(command) == 0
    assert f"Model     {out}" in capsys.readouterr().out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "model"]
    assert main(command) == 1
    assert "exists" in capsys.readouterr().err
    assert main(["train", "--out", str(tmp_path / "b")]) == 2
    assert "nothing to learn from" in capsys.readouterr().err


def test_the_train_command_takes_scribbled_pairs(data, tmp_path, capsys):
    painted = np.zeros((48, 48), np.uint8)
    painted[12:18, 12:18] = 2
    painted[30:40, 30:40] = 1
    Pictures.fromarray(painted).save(tmp_path / "painted.png")
    pair = ["--pair", str(data / "fold_1" / "0.png"), str(tmp_path / "painted.png")]
    assert main(["train", *pair, "--painted", "scribbles", "--out", str(tmp_path / "m"), *QUICK]) == 0
    assert (
        main(["train", *pair, "--painted", "scribbles", "--background-label", "9", "--out", str(tmp_path / "n")]) == 2
    )
    assert "9" in capsys.readouterr().err


def test_presets_are_listed_shown_and_saved(tmp_path, capsys):
    assert main(["presets"]) == 0
    listed = capsys.readouterr().out
    assert "baek-unet-1" in listed
    assert "Baek et al. 2021" in listed
    assert main(["presets", "baek-unet-1", "--set", "epochs=3"]) == 0
    assert json.loads(capsys.readouterr().out)["settings"]["epochs"] == 3
    assert main(["presets", "baek-unet-1", "--out", str(tmp_path / "p.json")]) == 0
    assert main(["presets", "baek-unet-1", "--out", str(tmp_path / "p.json")]) == 1
    assert main(["presets", "--set", "epochs=3"]) == 2
    assert main(["presets", "baek-unet-1", "--set", "epochs"]) == 2
    assert "KEY=VALUE" in capsys.readouterr().err


def test_folders_of_scribbles_are_scribbles(tmp_path, rng, capsys):
    """A folder of painted labels goes the same way as single pairs: what is not painted is not learnt from."""
    painted = np.zeros((48, 48), np.uint8)
    painted[12:18, 12:18] = 2
    painted[30:40, 30:40] = 1
    for name in ("a.png", "b[1].png"):
        write(tmp_path / "d", name, rng.integers(0, 255, (48, 48, 3), np.uint8), painted)
    command = ["train", str(tmp_path / "d"), *QUICK[:3], *QUICK[5:], "--painted", "scribbles"]
    assert main([*command, "--out", str(tmp_path / "m")]) == 0
    card = json.loads((tmp_path / "m" / "card.json").read_text())
    assert [entry["name"] for entry in card["training"]["data"]] == ["a", "b[1]"]
    digest = {entry["labels_sha256"] for entry in card["training"]["data"]}
    assert len(digest) == 1
    assert main([*command, "--out", str(tmp_path / "n"), "--particle-value", "2"]) == 2
    assert "dense" in capsys.readouterr().err


def test_sixteen_bit_folders_are_scaled_as_when_segmented(tmp_path, rng):
    import tifffile

    image = rng.integers(16100, 43138, (40, 40), np.uint16)
    (tmp_path / "labels").mkdir()
    tifffile.imwrite(tmp_path / "a.tif", image)
    tifffile.imwrite(tmp_path / "labels" / "a.tif", np.ones((40, 40), np.uint8))
    (pair,) = load_folder(tmp_path)
    np.testing.assert_allclose(pair.image[..., 0], image / 65535 * 255, rtol=1e-5)


def test_models_of_other_folds_are_not_reused(data, tmp_path, capsys):
    command = ["crossval", str(data), "--out", str(tmp_path / "cv"), *QUICK]
    assert main(command) == 0
    Pictures.fromarray(np.full((48, 48), 0, np.uint8)).save(data / "fold_1" / "labels" / "0.png")
    assert main(command) == 2
    assert "other images or other folds" in capsys.readouterr().err
