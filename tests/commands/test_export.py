"""``napari-mpseg export``: from results and from tables with labels."""

import json

import numpy as np
import pandas as pd
import pytest
import tifffile

from napari_mpseg.exchange.export import EXPORTS


@pytest.fixture
def results(run, squares, tmp_path):
    tifffile.imwrite(tmp_path / "scan.tif", np.where(squares > 0, 200, 0).astype(np.uint8))
    code, _, error = run(
        *("segment", tmp_path / "scan.tif", "--out", tmp_path / "out", "--method", "fixed-level"),
        *("--pixel-size", "2um", "--quiet"),
    )
    assert (code, error) == (0, "")
    return tmp_path / "out"


def test_every_format_from_a_result(run, names, results, tmp_path):
    pytest.importorskip("roifile")
    formats = [part for name in EXPORTS for part in ("--format", name)]
    code, said, error = run("export", results, *formats, "--out", tmp_path / "exp", "--quiet")
    assert (code, error) == (0, "")
    endings = [*(entry.ending for entry in EXPORTS.values()), "_export.json"]
    assert names(tmp_path / "exp") == sorted(f"scan{ending}" for ending in endings)
    assert "Particles 3" in said
    for ending in endings:
        assert str(tmp_path / "exp" / f"scan{ending}") in said


def test_the_help_names_every_format(run):
    said = " ".join(run("export", "--help")[1].split())
    for name in EXPORTS:
        assert name in said


@pytest.fixture
def reviewed(results, tmp_path):
    """A table, away from its store, in which the second particle was rejected."""
    frame = pd.read_csv(results / "scan_particles.csv").assign(keep=[True, False, True])
    frame.to_csv(tmp_path / "mine.csv", index=False)
    return tmp_path / "mine.csv"


def test_particles_not_kept(run, reviewed, tmp_path):
    code, said, _ = run("export", reviewed, "--format", "csv", "--out", tmp_path / "exp", "--pixel-size", "2um")
    assert code == 0
    assert "Particles 2, 1 not kept and left out" in said
    assert pd.read_csv(tmp_path / "exp" / "mine_particles.csv")["area_px"].tolist() == [16, 100]
    record = json.loads((tmp_path / "exp" / "mine_export.json").read_text(encoding="utf-8"))
    assert record["inputs"]["calibration"]["unit"] == "um"
    command = ("export", reviewed, "--format", "csv", "--out", tmp_path / "exp", "--all")
    code, said, error = run(*command)
    assert (code, said) == (1, "")
    assert "already there" in error
    code, said, _ = run(*command, "--overwrite")
    assert code == 0
    assert "Particles 3\n" in said
    assert pd.read_csv(tmp_path / "exp" / "mine_particles.csv")["area_px"].tolist() == [16, 4, 100]


def test_rois_of_a_table_need_its_labels(run, squares, reviewed, tmp_path):
    roifile = pytest.importorskip("roifile")
    command = ("export", reviewed, "--format", "imagej-rois", "--out", tmp_path / "exp")
    code, _, error = run(*command)
    assert code == 2
    assert "--labels LABELS.tif" in error
    tifffile.imwrite(tmp_path / "labels.tif", squares)
    assert run(*command, "--labels", tmp_path / "labels.tif")[0] == 0
    found = roifile.roiread(tmp_path / "exp" / "mine_RoiSet.zip")
    boxes = [(roi.name, roi.left, roi.top, roi.right, roi.bottom) for roi in found]
    assert boxes == [("1", 30, 20, 34, 24), ("3", 200, 100, 210, 110)]


def test_labels_for_one_table_only(run, squares, results, tmp_path):
    tifffile.imwrite(tmp_path / "labels.tif", squares)
    (results / "more_particles.csv").write_bytes((results / "scan_particles.csv").read_bytes())
    code, _, error = run(
        *("export", results, "--format", "csv", "--labels", tmp_path / "labels.tif", "--out", tmp_path / "exp")
    )
    assert code == 2
    assert "several tables (more_particles.csv, scan_particles.parquet)" in error


def test_an_unknown_format(run, results, tmp_path):
    code, _, error = run("export", results, "--format", "imagej-rois2", "--out", tmp_path / "exp")
    assert code == 2
    assert "Did you mean 'imagej-rois'" in error
    assert not (tmp_path / "exp").exists()


def test_all_images_or_none(run, names, results, tmp_path):
    (results / "more_particles.csv").write_bytes((results / "scan_particles.csv").read_bytes())
    (tmp_path / "exp").mkdir()
    (tmp_path / "exp" / "scan_particles.csv").write_text("mine")
    code, _, error = run("export", results, "--format", "csv", "--out", tmp_path / "exp")
    assert code == 1
    assert "scan_particles.csv: already there" in error
    assert names(tmp_path / "exp") == ["scan_particles.csv"]


def test_two_images_never_become_one_file(run, results, tmp_path):
    for name in ("a b", "a_b"):
        (results / f"{name}_particles.csv").write_bytes((results / "scan_particles.csv").read_bytes())
    code, _, error = run("export", results, "--format", "csv", "--out", tmp_path / "exp")
    assert code == 1
    assert "would both become" in error
    assert not (tmp_path / "exp").exists()


@pytest.fixture(params=["mine.ome.zarr", "mine.tif"])
def review(request, squares, tmp_path):
    """Labels as napari saves them after a review that rejected the second particle."""
    labels_files = pytest.importorskip("napari_mpseg.gui.labels_files")
    features = pd.DataFrame({"index": range(4), "area_px": [np.nan, 16, 4, 100], "keep": [None, True, False, True]})
    entry = {"time": "2024-01-02T03:04:05Z", "who": "me", "action": "reject", "labels": [2], "before": {}, "after": {}}
    metadata = {"role": "particles", "audit": [entry]}
    file = labels_files.LabelsFile(squares, features, (2.0, 2.0), (), "micrometer", "mine", metadata)
    place = tmp_path / request.param
    (labels_files.write_tiff if place.suffix == ".tif" else labels_files.write_zarr)(place, file)
    return place


def test_a_review_and_its_record(run, names, review, tmp_path):
    pytest.importorskip("roifile")
    formats = ("--format", "csv", "--format", "imagej-rois")
    code, said, error = run("export", review, *formats, "--out", tmp_path / "exp", "--quiet")
    assert (code, error) == (0, "")
    assert "Particles 2, 1 not kept and left out" in said
    endings = ("RoiSet.zip", "audit.csv", "audit.jsonl", "export.json", "particles.csv")
    assert names(tmp_path / "exp") == [f"mine_{ending}" for ending in endings]
    assert pd.read_csv(tmp_path / "exp" / "mine_particles.csv")["area_px"].tolist() == [16, 100]
    (line,) = (tmp_path / "exp" / "mine_audit.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["labels"] == [2]
    assert json.loads((tmp_path / "exp" / "mine_export.json").read_text())["settings"]["formats"] == [
        "csv",
        "imagej-rois",
    ]


def test_a_review_is_reported(run, review, tmp_path):
    code, _, error = run(
        *("report", review, "--out", tmp_path / "rep", "--pattern", "none", "--plot", "none", "--quiet")
    )
    assert (code, error) == (0, "")
    frame = pd.read_csv(tmp_path / "rep" / "report_images.csv")
    assert frame[["image", "particles"]].iloc[0].tolist() == ["mine", 2]


@pytest.mark.parametrize("review", ["mine.ome.zarr"], indirect=True)
def test_a_review_in_a_folder_of_results(run, review, tmp_path):
    code, said, _ = run("export", tmp_path, "--format", "csv", "--out", tmp_path / "exp")
    assert code == 0
    assert "Particles 2, 1 not kept" in said
