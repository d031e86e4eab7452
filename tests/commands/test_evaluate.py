"""``napari-mpseg evaluate``: two files, folders of them, results; tables and pictures."""

import json

import numpy as np
import pandas as pd
import pytest
import tifffile
from PIL import Image
from sklearn.metrics import average_precision_score, balanced_accuracy_score, f1_score, precision_score, recall_score


@pytest.fixture
def truth():
    """Three particles: 36, 16 and 4 px."""
    mask = np.zeros((60, 80), bool)
    mask[10:16, 10:16] = mask[30:34, 40:44] = mask[50:52, 70:72] = True
    return mask


@pytest.fixture
def found(truth):
    """The first moved, the second missed, the third as it is, a false one of 6 px and one of 2 px, too small."""
    mask = np.zeros_like(truth)
    mask[12:18, 10:16] = mask[50:52, 70:72] = mask[5:7, 60:63] = True
    mask[40, 5:7] = True
    return mask


@pytest.fixture
def files(tmp_path, found, truth):
    tifffile.imwrite(tmp_path / "found.tif", found.astype(np.uint8) * 255)
    Image.fromarray(truth.astype(np.uint8) * 255).save(tmp_path / "expert.png")
    return tmp_path / "found.tif", tmp_path / "expert.png"


def values(said):
    """Return what the table of a single image says, by metric."""
    lines = said.split("\n\n")[0].splitlines()[2:]
    return {line.rsplit(maxsplit=1)[0].strip(): float(line.rsplit(maxsplit=1)[1]) for line in lines}


def test_two_files(run, files, found, truth):
    code, said, error = run("evaluate", *files, "--quiet")
    assert (code, error) == (0, "")
    told = values(said)
    flat = truth.ravel(), found.ravel()
    for name, function in (
        ("precision", precision_score),
        ("recall", recall_score),
        ("F1", f1_score),
        ("balanced accuracy", balanced_accuracy_score),
    ):
        assert told[name] == pytest.approx(function(*flat), rel=5e-4)  # four digits are told
    # of three true particles two are found; of three predicted ones of 3 px or more one is false
    assert told["particle recall"] == told["particle precision"] == pytest.approx(2 / 3, rel=5e-4)
    assert told["count bias"] == 0
    assert "Particles 3 predicted, 3 in truth (of 3 px or more)" in said


def test_least_size_and_chosen_metrics(run, files):
    code, said, _ = run("evaluate", *files, "--min-size", 1, "--metrics", "count-bias", "particle-precision", "--quiet")
    assert code == 0
    assert values(said) == {"count bias": 1, "particle precision": 0.5}


def test_families_and_all(run, files):
    family = values(run("evaluate", *files, "--metrics", "pixel", "--quiet")[1])
    assert {"F0.5", "rw-F1", "Dice"} <= set(family)
    assert "count bias" not in family


def test_a_family_leaves_out_what_the_labels_do_not_allow(run, files):
    code, said, error = run("evaluate", *files, "--metrics", "all", "--quiet")
    assert (code, error) == (0, "")
    assert "F1" in values(said)
    assert "average precision" not in values(said)
    assert "left out, as they need a probability: average precision" in said
    assert run("evaluate", *files, "--metrics", "probability", "--quiet")[0] == 1  # nothing would be left
    assert run("evaluate", *files, "--metrics", "all", "average-precision", "--quiet")[0] == 1  # asked for by name


def test_a_value_that_is_in_no_truth_is_refused(run, files, tmp_path, truth):
    code, said, error = run("evaluate", *files, "--particle-value", 77, "--quiet")
    assert (code, said) == (2, "")
    assert "77" in error
    assert "there are 0, 255" in error
    # an image without particles has one value throughout, and that is no mistake
    Image.fromarray(np.full(truth.shape, 255, np.uint8)).save(tmp_path / "none.png")
    code, said, _ = run("evaluate", files[0], tmp_path / "none.png", "--particle-value", 0, "--quiet")
    assert code == 0
    assert "0 in truth" in said


def test_a_plane_of_a_stack(run, files, tmp_path, truth):
    tifffile.imwrite(tmp_path / "stack.tif", np.stack([np.zeros_like(truth), truth]).astype(np.uint8))
    code, _, error = run("evaluate", files[0], tmp_path / "stack.tif", "--quiet")
    assert code == 1
    assert "--plane" in error
    plain = run("evaluate", *files, "--quiet")[1]
    assert run("evaluate", files[0], tmp_path / "stack.tif", "--plane", 1, "--quiet")[1] == plain


def test_masks_where_0_is_particle(run, files, tmp_path, truth):
    Image.fromarray(np.where(truth, 0, 255).astype(np.uint8)).save(tmp_path / "inverted.png")
    plain = run("evaluate", *files, "--quiet")[1]
    assert run("evaluate", files[0], tmp_path / "inverted.png", "--particle-value", 0, "--quiet")[1] == plain
    code, said, _ = run("evaluate", files[0], tmp_path / "inverted.png", "--quiet")
    assert code == 0
    assert "give --particle-value 0" in said


def test_folders_are_paired_by_name(run, tmp_path, found, truth):
    predicted, expert = tmp_path / "predicted", tmp_path / "expert"
    predicted.mkdir()
    expert.mkdir()
    nothing = np.zeros_like(truth)
    for name, mask in (("a", found), ("b", truth), ("lonely", found)):
        tifffile.imwrite(predicted / f"{name}.tif", mask.astype(np.uint8))
    for name, mask in (("a_mask", truth), ("b_mask", truth), ("c_mask", nothing)):
        Image.fromarray(mask.astype(np.uint8) * 255).save(expert / f"{name}.png")
    code, said, error = run(
        "evaluate", predicted, expert, "--metrics", "f1", "recall", "--out", tmp_path / "t.csv", "--quiet"
    )
    assert (code, error) == (0, "")
    assert "without truth, not compared: lonely.tif" in said
    assert "without prediction, not compared: c_mask.png" in said
    table = pd.read_csv(tmp_path / "t.csv").set_index("image")
    each = f1_score(truth.ravel(), found.ravel())
    both = f1_score(np.r_[truth.ravel(), truth.ravel()], np.r_[found.ravel(), truth.ravel()])
    assert table["f1"].to_dict() == pytest.approx(
        {"a": each, "b": 1, "(all images)": both, "(mean per image)": (each + 1) / 2}
    )
    assert table.loc["a", ["true_particles", "predicted_particles"]].tolist() == [3, 3]
    assert table.loc["(all images)", "tp"] == (found & truth).sum() + truth.sum()


def test_results_of_segment_are_paired_with_masks(run, tmp_path, truth):
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans" / "labels").mkdir()
    for name, level in (("one", 200), ("two", 90)):
        tifffile.imwrite(tmp_path / "scans" / f"{name}.tif", np.where(truth, level, 10).astype(np.uint8))
        tifffile.imwrite(tmp_path / "scans" / "labels" / f"{name}.tif", truth.astype(np.uint8))
        command = ("segment", tmp_path / "scans" / f"{name}.tif", "--out", tmp_path / "out", "--quiet")
        assert run(*command, "--method", "fixed-level", "--set", "level=100")[0] == 0
    code, said, error = run("evaluate", tmp_path / "out", tmp_path / "scans", "--metrics", "iou", "--quiet")
    assert (code, error) == (0, "")
    assert said.splitlines()[0].split() == ["metric", "all", "images", "mean", "per", "image", "one", "two"]
    assert said.splitlines()[2].split() == ["IoU", "0.5", "0.5", "1", "0"]


def test_probability_of_a_result(run, tmp_path, truth):
    from napari_mpseg.calibration import Calibration
    from napari_mpseg.inference.store import create_store
    from napari_mpseg.results.result_store import write_record

    rng = np.random.default_rng(3)
    levels = np.clip(rng.normal(np.where(truth, 150, 60), 40), 0, 255).astype(np.uint8)
    arrays = create_store(tmp_path / "x.ome.zarr", truth.shape, 64, Calibration(), "x")
    arrays.probability[:] = levels
    arrays.labels[:] = (levels > 127).astype(np.int32)
    write_record(arrays, {"operation": "segment"})
    tifffile.imwrite(tmp_path / "truth.tif", truth.astype(np.uint8))
    expected = average_precision_score(truth.ravel(), levels.ravel())
    code, said, error = run(
        "evaluate", tmp_path / "x.ome.zarr", tmp_path / "truth.tif", "--metrics", "average-precision", "--quiet"
    )
    assert (code, error) == (0, "")
    assert values(said)["average precision"] == pytest.approx(expected, rel=5e-4)
    tifffile.imwrite(tmp_path / "labels.tif", (levels > 127).astype(np.uint8))
    code, said, _ = run(
        "evaluate", tmp_path / "labels.tif", tmp_path / "truth.tif", "--probability", tmp_path / "x.ome.zarr", "--quiet"
    )
    assert values(said)["average precision"] == pytest.approx(expected, rel=5e-4)
    code, _, error = run(
        "evaluate", tmp_path / "labels.tif", tmp_path / "truth.tif", "--metrics", "average-precision", "--quiet"
    )
    assert code == 1
    assert "needs probabilities" in error


def test_json_tells_definitions(run, files, tmp_path):
    command = ("evaluate", *files, "--metrics", "f1", "--out", tmp_path / "t.json", "--quiet")
    assert run(*command)[0] == 0
    told = json.loads((tmp_path / "t.json").read_text())
    assert told["all_images"] == told["mean_per_image"] == {"f1": told["images"][0]["f1"]}
    assert "2 TP" in told["definitions"]["f1"]
    code, _, error = run(*command)
    assert code == 1
    assert "already there" in error
    assert run(*command, "--overwrite")[0] == 0


@pytest.mark.parametrize("colours", ["paper", "colour-blind"])
def test_error_pictures(run, files, tmp_path, found, truth, colours):
    code, said, error = run(
        "evaluate", *files, "--errors", tmp_path / "errors", "--colours", colours, "--metrics", "f1", "--quiet"
    )
    assert (code, error) == (0, "")
    picture = np.asarray(Image.open(tmp_path / "errors" / "found_errors.png").convert("RGB"))
    kinds = {"found": found & truth, "false": found & ~truth, "missed": ~found & truth, "background": ~found & ~truth}
    shown = {}
    for name, where in kinds.items():
        assert len(np.unique(picture[where], axis=0)) == 1
        shown[name] = tuple(int(part) for part in picture[where][0])
    assert len(set(shown.values())) == 4
    if colours == "paper":  # Baek et al. 2021, figure 4
        assert shown["found"] == (0, 0, 0)
        assert shown["false"][0] > 200 > 100 > max(shown["false"][1:])
        assert shown["missed"][1] > max(shown["missed"][0], shown["missed"][2])
    assert "missed" in said


def test_a_large_picture_loses_no_error():
    from napari_mpseg.commands.evaluate_pictures import error_picture

    errors = np.zeros((100, 250), np.uint8)
    errors[:, :100] = 1
    errors[7, 7], errors[55, 201], errors[55, 202] = 3, 2, 1
    small = np.asarray(error_picture(errors, "paper", largest=25))
    assert small.shape == (10, 25)
    assert small[0, 0] == 3
    assert small[5, 20] == 2
    assert small[1, 1] == 1
    assert small[9, 24] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--metrics", "f11"), "f1"),
        (("--min-size", "0"), "1 or more"),
        (("--out", "t.xlsx"), ".csv or .json"),
        (("--colours", "pink"), "colour-blind"),
    ],
)
def test_wrong_arguments(run, files, arguments, said):
    code, _, error = run("evaluate", *files, *arguments)
    assert code == 2
    assert said in error


def test_what_cannot_be_compared_is_told(run, files, tmp_path, truth):
    tifffile.imwrite(tmp_path / "small.tif", truth[:30].astype(np.uint8))
    code, _, error = run("evaluate", files[0], tmp_path / "small.tif")
    assert code == 1
    assert "80 x 60 px" in error
    assert "80 x 30" in error
    assert "is not there" in run("evaluate", files[0], tmp_path / "nothing.tif")[2]
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 255, (60, 80, 3), dtype=np.uint8)).save(tmp_path / "colour.png")
    assert "colour picture" in run("evaluate", tmp_path / "colour.png", files[1])[2]
    for folder, names in (("p", ("a", "b")), ("t", ("c", "d"))):
        (tmp_path / folder).mkdir()
        for name in names:
            tifffile.imwrite(tmp_path / folder / f"{name}.tif", truth.astype(np.uint8))
    code, _, error = run("evaluate", tmp_path / "p", tmp_path / "t")
    assert code == 1
    assert "need the same name" in error
    (tmp_path / "empty").mkdir()
    assert "holds no labels" in run("evaluate", tmp_path / "empty", files[1])[2]
    tifffile.imwrite(tmp_path / "p" / "a_mask.tif", truth.astype(np.uint8))
    assert "have the same name" in run("evaluate", tmp_path / "p", tmp_path / "t")[2]


def test_metrics_are_explained(run):
    code, said, _ = run("evaluate", "--list")
    assert code == 0
    assert "2 TP / (2 TP + FP + FN)" in said
