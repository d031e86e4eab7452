"""``napari-mpseg pattern``: tables, labels, masks, and what is written."""

import json

import numpy as np
import pandas as pd
import pytest
import tifffile
from PIL import Image

QUICK = ("--simulations", "99", "--quiet")


@pytest.fixture
def grid():
    """100 squares of 3 x 3 px, 10 px apart."""
    labels = np.zeros((100, 100), np.int32)
    for number in range(100):
        y, x = 10 * (number // 10) + 3, 10 * (number % 10) + 3
        labels[y : y + 3, x : x + 3] = number + 1
    return labels


@pytest.fixture
def labels_file(grid, tmp_path):
    tifffile.imwrite(tmp_path / "labels.tif", grid)
    return tmp_path / "labels.tif"


@pytest.fixture
def table_file(run, labels_file, tmp_path):
    assert run("measure", labels_file, "--out", tmp_path, "--pixel-size", "2um", "--quiet")[0] == 0
    return tmp_path / "labels_particles.parquet"


def test_a_grid_avoids_itself(run, table_file):
    code, said, error = run("pattern", table_file, "--shape", 100, 100, *QUICK)
    assert (code, error) == (0, "")
    assert "Mean         20.0000 um" in said
    assert "whole image, 40000 um2" in said
    assert "Answer       self-avoiding: mean nearest-neighbour distance 20 µm" in said


def test_a_csv_with_the_pixel_size_given_is_the_same(run, table_file):
    said = run("pattern", table_file, "--shape", 100, 100, *QUICK)[1]
    assert run("pattern", table_file.with_suffix(".csv"), "--shape", 100, 100, "--pixel-size", "2um", *QUICK)[1] == said


def test_particles_that_are_not_kept_are_left_out(run, table_file, tmp_path):
    table = pd.read_csv(table_file.with_suffix(".csv")).assign(keep=lambda table: table["label"] <= 30)
    table.to_csv(tmp_path / "reviewed.csv", index=False)
    assert "Particles    30\n" in run("pattern", tmp_path / "reviewed.csv", "--shape", 100, 100, *QUICK)[1]


@pytest.mark.parametrize(("distance", "mean"), [("centroid", 10), ("ultimate", 10), ("edge", 7)])
def test_labels_alone(run, labels_file, distance, mean):
    code, said, _ = run("pattern", "--labels", labels_file, "--distance", distance, *QUICK)
    assert code == 0
    assert f"Mean         {mean:.4f} px" in said


def test_regions(run, labels_file, tmp_path):
    mask = np.zeros((100, 100), np.uint8)
    mask[:50] = 255
    Image.fromarray(mask).save(tmp_path / "upper.png")
    said = run("pattern", "--labels", labels_file, "--region", tmp_path / "upper.png", *QUICK)[1]
    assert "upper.png, 5000 px2" in said
    assert "50 of 100 particles lie outside" in said
    said = run("pattern", "--labels", labels_file, "--round", *QUICK)[1]
    assert "largest circle in the image, 78" in said


def test_several_tests_are_rows_of_one_file(run, table_file, tmp_path):
    command = ("pattern", table_file, "--shape", 100, 100, "--test", "clark-evans", "--test", "biovoxxel", *QUICK)
    assert run(*command, "--out", tmp_path / "pattern.csv")[0] == 0
    rows = pd.read_csv(tmp_path / "pattern.csv")
    assert rows["class"].tolist() == ["self-avoiding"] * 2
    assert rows["mean_nnd_um"].iloc[0] == 20
    assert rows["mean_nnd_px"].iloc[1] == 10
    assert run(*command, "--out", tmp_path / "pattern.json")[0] == 0
    told = json.loads((tmp_path / "pattern.json").read_text(encoding="utf-8"))
    assert [one["test"] for one in told] == ["clark-evans", "biovoxxel"]
    assert told[0]["settings"]["simulations"] == 99

    code, said, error = run(*command, "--out", tmp_path / "pattern.json")
    assert (code, said) == (1, "")
    assert "already there" in error
    assert run(*command, "--out", tmp_path / "pattern.json", "--overwrite")[0] == 0


def test_too_few(run, tmp_path):
    pd.DataFrame({"label": [1], "centroid_y_px": [5.0], "centroid_x_px": [5.0]}).to_csv(
        tmp_path / "one.csv", index=False
    )
    code, said, _ = run("pattern", tmp_path / "one.csv", "--shape", 10, 10, *QUICK)
    assert code == 0
    assert "too few particles to say: 1" in said
    assert "nan" not in said


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "give TABLE, or --labels"),
        (("{table}",), 2, "--shape H W, --region MASK or --labels"),
        (("{table}", "--shape", "0", "5"), 2, "not a number of pixels"),
        (("{table}", "--region", "{table}", "--round"), 2, "--region goes without"),
        (("{table}", "--shape", "9", "9", "--out", "x.txt"), 2, "must end in .csv or .json"),
        (("{table}", "--shape", "9", "9", "--test", "clark"), 2, "clark-evans"),
        (("{table}", "--shape", "100", "100", "--pixel-size", "3um"), 2, "was measured with 2 um"),
        (("{table}", "--shape", "100", "100", "--pixel-size", "1px"), 2, "measure again"),
        (("{table}", "--shape", "9", "9", "--distance", "edge"), 2, "Give the labels too"),
        (("{table}", "--shape", "100", "100", "--simulations", "9"), 2, "give 39 or more"),
        (("nothing.csv", "--shape", "9", "9"), 1, "nothing.csv"),
    ],
)
def test_what_is_wrong_is_said(run, table_file, arguments, code, message):
    found, said, error = run("pattern", *(part.format(table=table_file) for part in arguments))
    assert (found, said) == (code, "")
    assert message in error


def test_the_pixel_size_of_the_table_may_be_repeated_in_another_unit(run, table_file):
    said = run("pattern", table_file, "--shape", 100, 100, "--pixel-size", "2000nm", *QUICK)[1]
    assert "Answer       self-avoiding" in said


def test_labels_of_another_image_are_refused(run, table_file, grid, tmp_path):
    tifffile.imwrite(tmp_path / "other.tif", np.where(grid > 40, grid, 0))
    code, said, error = run("pattern", table_file, "--labels", tmp_path / "other.tif", *QUICK)
    assert (code, said) == (2, "")
    assert "40 of the table's 100 particles are not in the labels" in error


@pytest.mark.parametrize("table", [True, False])
def test_a_mask_for_labels_is_refused(run, table_file, grid, tmp_path, table):
    Image.fromarray(np.where(grid > 0, 255, 0).astype(np.uint8)).save(tmp_path / "mask.png")
    given = [table_file] if table else []
    code, said, error = run("pattern", *given, "--labels", tmp_path / "mask.png", *QUICK)
    assert (code, said) == (1, "")
    assert "mask.png holds a single label, 255, in 100 pieces, so it looks like a mask" in error
    assert "napari-mpseg separate" in error


def test_a_folder_of_results(run, table_file, labels_file, tmp_path):
    said = run("pattern", tmp_path, "--shape", 100, 100, *QUICK)[1]
    assert said == run("pattern", table_file, "--shape", 100, 100, *QUICK)[1] != ""
    table_file.rename(tmp_path / "more_particles.parquet")
    code, _, error = run("pattern", tmp_path, "--shape", 100, 100, *QUICK)
    assert code == 2
    assert "holds several tables (labels_particles.csv, more_particles.parquet). Give one of them" in error
    (tmp_path / "empty").mkdir()
    code, _, error = run("pattern", tmp_path / "empty", "--shape", 100, 100, *QUICK)
    assert code == 1
    assert "holds no table of particles" in error


def test_the_help_names_every_test_and_distance(run):
    from napari_mpseg.particles.pattern import DISTANCES, PATTERN_TESTS

    said = " ".join(run("pattern", "--help")[1].split())
    assert all(name in said for name in (*PATTERN_TESTS, *DISTANCES))
