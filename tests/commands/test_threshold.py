"""``napari-mpseg threshold``: a model's threshold by an aim, printed and stored."""

import json

import numpy as np
import pytest
import tifffile
from scipy import ndimage
from sklearn.metrics import precision_recall_curve

from napari_mpseg.networks.modelfile import Model, ModelCard, load_card, save_model
from napari_mpseg.networks.registry import NETWORKS
from napari_mpseg.pipeline import segment


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Three images of spots of many heights; the truth of a spot is what is brighter than its half."""
    folder = tmp_path_factory.mktemp("data") / "val"
    (folder / "labels").mkdir(parents=True)
    rng = np.random.default_rng(11)
    for name in "abc":
        peaks = np.zeros((96, 96))
        peaks[rng.integers(6, 90, 9), rng.integers(6, 90, 9)] = rng.uniform(20, 60, 9)
        spots = ndimage.gaussian_filter(peaks, 2)
        image = np.clip(spots * 200 + rng.normal(20, 6, spots.shape), 0, 255).astype(np.uint8)
        tifffile.imwrite(folder / f"{name}.tif", np.stack([image] * 3, -1))
        tifffile.imwrite(folder / "labels" / f"{name}.tif", ndimage.label(spots > 0.25)[0].astype(np.uint16))
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A network that passes grey values through: its probability rises with brightness."""
    import torch

    torch.manual_seed(0)
    network = NETWORKS["quarter-multiresunet"].build(3).eval()
    card = ModelCard("mine", "quarter-multiresunet", threshold=0.4)
    return save_model(Model(network, card), tmp_path_factory.mktemp("models") / "mine")


@pytest.fixture
def copy(model, tmp_path):
    import shutil

    return shutil.copytree(model, tmp_path / "copy")


def rows(said):
    lines = said.split("\n\n")[0].splitlines()
    assert lines[0].split() == ["threshold", "precision", "recall", "F1", "particles"]
    return [line.split() for line in lines[1:]]


def chosen(said):
    found = [row for row in rows(said) if "chosen" in row]
    assert len(found) == 1
    return [float(value.replace(",", "")) for value in found[0][:5]]


@pytest.fixture(scope="module")
def predicted(model, data):
    """Stored probabilities and masks, all pixels in a row."""
    levels, masks = [], []
    for name in "abc":
        result = segment(data / f"{name}.tif", model, measure=False)
        levels.append(result.probability[...])
        masks.append(tifffile.imread(data / "labels" / f"{name}.tif") > 0)
    return levels, masks


def test_best_f1_and_the_table_around_it(run, copy, data, predicted):
    before = json.loads((copy / "card.json").read_text())
    code, said, error = run("threshold", copy, data, "--quiet")
    assert (code, error) == (0, "")
    flat = (
        np.concatenate([np.ravel(mask) for mask in predicted[1]]),
        np.concatenate([np.ravel(each) for each in predicted[0]]),
    )
    precision, recall, levels = precision_recall_curve(*flat)
    scores = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
    best = scores[:-1][levels > 0].max()
    threshold, *told = chosen(said)
    assert told[2] == pytest.approx(best, abs=6e-4)
    found = flat[1] > 255 * threshold
    assert told[0] == pytest.approx(flat[0][found].mean(), abs=6e-4)
    assert told[1] == pytest.approx(found[flat[0]].mean(), abs=6e-4)
    counts = [ndimage.label(each > 255 * threshold, np.ones((3, 3)))[0] for each in predicted[0]]
    assert told[3] == sum((np.bincount(each.ravel())[1:] >= 3).sum() for each in counts)
    assert any(row[-1] == "before" and float(row[0]) == 0.4 for row in rows(said))
    assert "does not say what it has learnt from" in said
    assert json.loads((copy / "card.json").read_text()) == before


def test_recall_of_at_least_is_reached_and_stored(run, copy, data, predicted):
    weights = (copy / "weights.safetensors").read_bytes()
    code, said, error = run("threshold", copy, data, "--aim", "recall-at-least=0.97", "--store", "--quiet")
    assert (code, error) == (0, "")
    card = load_card(copy)
    hits = sum((each[mask] > 255 * card.threshold).sum() for each, mask in zip(*predicted, strict=True))
    assert hits / sum(mask.sum() for mask in predicted[1]) >= 0.97
    assert card.threshold == chosen(said)[0]
    point = card.scores["operating_point"]
    assert (point["aim"], point["value"], point["fulfilled"]) == ("recall-at-least", 0.97, True)
    assert [one["name"] for one in point["chosen_on"]] == ["val/a.tif", "val/b.tif", "val/c.tif"]
    assert (copy / "weights.safetensors").read_bytes() == weights
    assert segment(data / "a.tif", copy, measure=False).threshold == card.threshold


def test_images_that_served_before_are_told_again(run, copy, data):
    """A threshold chosen on images makes them images of selection for whoever comes after."""
    from napari_mpseg.comparison import compare

    assert run("threshold", copy, data, "--store", "--quiet")[0] == 0
    code, said, _ = run("threshold", copy, data, "--aim", "best-f2", "--quiet")
    assert code == 0
    assert "3 of the 3 images have served to select this model or its threshold before" in said
    notes = compare(data, [str(copy)], resamples=0).notes
    assert any("all 3 images" in note and "threshold was chosen on" in note for note in notes)


def test_images_that_were_learnt_from_are_told(run, copy, data):
    from napari_mpseg.training.data.fingerprints import fingerprints
    from napari_mpseg.training.data.pairs import load_folder

    card = json.loads((copy / "card.json").read_text())
    listed = fingerprints(load_folder(data))[:1]
    listed[0]["name"] = "renamed"
    (copy / "card.json").write_text(json.dumps({**card, "training": {"data": listed}}))
    code, said, _ = run("threshold", copy, data, "--store-as", copy.parent / "tuned", "--quiet")
    assert code == 0
    assert "learnt from 1 of the 3 images (val/a.tif)" in said
    tuned = load_card(copy.parent / "tuned")
    assert tuned.scores["operating_point"]["learnt_from"] == ["val/a.tif"]
    assert load_card(copy).threshold == 0.4


def test_forests_have_thresholds_too(run, data, tmp_path):
    from napari_mpseg.methods.forest.forest import load_forest
    from napari_mpseg.methods.forest.training import train_forest
    from napari_mpseg.training.data.pairs import load_folder

    forest = train_forest(load_folder(data)[:2], painted="dense")
    folder = forest.save(tmp_path / "forest")
    trees = (folder / "trees.safetensors").read_bytes()
    code, said, error = run("threshold", folder, data, "--aim", "count-bias-zero", "--store", "--quiet")
    assert (code, error) == (0, "")
    assert "learnt from 2 of the 3 images" in said
    assert load_forest(folder).card.threshold == chosen(said)[0]
    assert (folder / "trees.safetensors").read_bytes() == trees


def test_models_that_tell_particles_apart_are_judged_by_pixels(run, data, tmp_path):
    import torch

    from napari_mpseg.heads.registry import HEADS

    torch.manual_seed(0)
    network = NETWORKS["quarter-multiresunet"].build(3, outputs=HEADS["boundary"].channels).eval()
    card = ModelCard("apart", "quarter-multiresunet", head="boundary")
    folder = save_model(Model(network, card), tmp_path / "apart")
    code, _, error = run("threshold", folder, data, "--aim", "count-bias-zero", "--quiet")
    assert code == 2
    assert "tells touching particles apart" in error
    code, said, error = run("threshold", folder, data, "--store", "--quiet")
    assert code == 0, error
    assert said.splitlines()[0].split() == ["threshold", "precision", "recall", "F1"]
    assert "none are counted" in said
    assert "count_bias" not in load_card(folder).scores["operating_point"]


def test_a_detector_is_looked_at_below_its_threshold(run, data, tmp_path):
    """What is found at a threshold is what the table says there, also below the one that the card has."""
    import torch

    from napari_mpseg.detection.modelfile import DetectorCard, DetectorModel, load_detector_card
    from napari_mpseg.detection.network import build_detector
    from napari_mpseg.detection.settings import DetectorSettings

    torch.manual_seed(0)
    sizes = {"min_size": 64, "max_size": 64, "fpn_channels": 16, "box_features": 32, "mask_layers": (16,)}
    options = DetectorSettings(
        backbone="resnet18", weights=None, **sizes, box_score_thresh=0.0, box_detections_per_img=30
    )
    card = DetectorCard("mine", options, threshold=0.95, window=64, halo=16)
    folder = DetectorModel(build_detector(options, 3).eval(), card).save(tmp_path / "detector")
    code, said, error = run("threshold", folder, data, "--aim", "count-bias-zero", "--store", "--quiet")
    assert code == 0, error
    found = load_detector_card(folder)
    assert found.threshold < 0.95
    counts = [segment(data / f"{name}.tif", folder, measure=False).count for name in "abc"]
    assert sum(counts) > 0
    assert chosen(said)[4] == sum(counts)
    truth = [len(np.unique(tifffile.imread(data / "labels" / f"{name}.tif"))) - 1 for name in "abc"]
    bias = found.scores["operating_point"]["count_bias"]
    assert bias == pytest.approx((sum(counts) - sum(truth)) / 3)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--aim", "best"), 2, "best-f1"),
        (("--aim", "recall-at-least=two"), 2, "not a number"),
        (("--aim", "recall-at-least=2"), 2, "up to 1"),
        (("--aim", "best-f1=0.5"), 2, "no value"),
        (("--store", "--store-as", "x"), 2, "exclude each other"),
        (("--particle-value", "9999"), 2, "--particle-value"),
    ],
)
def test_wrong_arguments(run, model, data, arguments, code, said):
    found, _, error = run("threshold", model, data, "--quiet", *arguments)
    assert found == code
    assert said in error


def test_a_truth_that_seems_inverted_is_said(run, model, data, tmp_path):
    (tmp_path / "labels").mkdir()
    (tmp_path / "a.tif").write_bytes((data / "a.tif").read_bytes())
    truth = tifffile.imread(data / "labels" / "a.tif")
    tifffile.imwrite(tmp_path / "labels" / "a.tif", (truth == 0).astype(np.uint8))
    assert "give --particle-value 0" in run("threshold", model, tmp_path, "--quiet")[1]
    assert "give --particle-value 0" not in run("threshold", model, tmp_path, "--particle-value", 0, "--quiet")[1]


def test_what_has_no_threshold_is_told(run, data, tmp_path):
    assert "gives no probabilities" in run("threshold", "otsu", data)[2]
    assert "made anew for every image" in run("threshold", "pixel-forest", data)[2]
    code, _, error = run("threshold", "default", data, "--store")
    assert code == 1
    assert "--store-as" in error
    assert "no model" in run("threshold", tmp_path / "none.model", data)[2]


@pytest.mark.slow
def test_the_bundled_model_knows_the_patches_of_mpnet(run, shared_data, tmp_path):
    code, said, _ = run(
        "threshold", "default", shared_data / "mpnet" / "fold_2", "--particle-value", 0, "--store-as", tmp_path / "m"
    )
    assert code == 0
    assert "learnt from 15 of the 15 images" in said
    assert load_card(tmp_path / "m").threshold == chosen(said)[0]
