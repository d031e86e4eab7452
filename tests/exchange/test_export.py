"""All formats: what is written, what is left out, and what stays when it goes wrong."""

import json

import pandas as pd
import pyarrow.parquet as pq
import pytest

from napari_mpseg.errors import Cancelled, SettingsError, StoreError, UnknownNameError
from napari_mpseg.exchange import rois
from napari_mpseg.exchange.export import EXPORTS, export
from napari_mpseg.exchange.names import file_stem, labels_stem
from napari_mpseg.progress import CancelToken

FORMATS = list(EXPORTS)


def read(path):
    """Return the labels in a file, whatever its format."""
    if path.suffix == ".zip":
        return [int(roi.name) for roi in pytest.importorskip("roifile").roiread(path)]
    if path.suffix == ".json":
        found = json.loads(path.read_text(encoding="utf-8"))
        return [one["label"] for one in (found if isinstance(found, list) else found["annotations"])]
    frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    return frame["Particle" if "Particle" in frame else "label"].tolist()


@pytest.mark.parametrize("name", FORMATS)
def test_particles_not_kept_are_left_out_unless_asked_for(name, labels, table, tmp_path):
    paths = export(table, tmp_path / "kept", "filter 3", name, labels=labels)
    assert read(paths[name]) == [3, 5, 9, 12]
    paths = export(table, tmp_path / "all", "filter 3", name, labels=labels, everything=True)
    assert read(paths[name]) == [3, 5, 8, 9, 12]
    assert paths[name].name == f"filter_3{EXPORTS[name].ending}"


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_has_a_summary_and_a_file_of_its_own(name):
    assert EXPORTS[name].summary
    assert [entry.ending for entry in EXPORTS.values()].count(EXPORTS[name].ending) == 1


def test_the_record_says_what_was_left_out_and_with_which_versions(labels, table, tmp_path):
    paths = export(table, tmp_path, "a/b", FORMATS, labels=labels)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in paths.values())
    record = json.loads((tmp_path / "a_b_export.json").read_text(encoding="utf-8"))
    assert record["image"] == "a/b"
    assert record["particles"] == {"written": 4, "not kept, left out": 1}
    assert record["settings"] == {"formats": FORMATS, "everything": False}
    assert record["inputs"]["calibration"]["pixel_size"] == [2.0, 2.0]
    assert record["measured"]["note"] == "<by hand>"
    assert "numpy" in record["libraries"]
    assert record["definitions"]["circularity"].startswith("4 pi area")
    assert record["units"]["area_um2"] == "um2"
    # the ring is composite; the two pieces were not kept
    assert record["notes"] == [
        "1 of 4 ROIs has holes or several pieces and is a composite ROI in ImageJ.",
        "1 of 4 particles has a hole and is written as run lengths, not as polygons.",
        "4 of 4 particles have no confidence; their score is 1.",
    ]


def test_numbers_keep_every_digit(table, tmp_path):
    table = table.with_columns(circularity=[1 / 3, 0.1, 0.2, 2 / 7, 1e-17])
    path = export(table, tmp_path, "x", "csv", everything=True)["csv"]
    assert pd.read_csv(path, float_precision="round_trip")["circularity"].tolist() == [1 / 3, 0.1, 0.2, 2 / 7, 1e-17]


def test_parquet_holds_pixel_size_and_provenance(table, tmp_path):
    path = export(table, tmp_path, "x", "parquet")["parquet"]
    about = json.loads(pq.read_table(path).schema.metadata[b"napari_mpseg"])
    assert about["calibration"]["unit"] == "um"
    assert about["provenance"]["note"] == "<by hand>"


def test_earlier_files_stay_unless_asked(table, tmp_path):
    first = export(table, tmp_path, "x", "csv")["csv"]
    before = first.read_bytes()
    with pytest.raises(StoreError, match="already there"):
        export(table, tmp_path, "x", ["csv", "parquet"], everything=True)
    assert first.read_bytes() == before
    assert not (tmp_path / "x_particles.parquet").exists()
    export(table, tmp_path, "x", "csv", everything=True, overwrite=True)
    assert first.read_bytes() != before


def test_all_files_or_none(labels, table, tmp_path):
    labels[labels == 9] = 0  # found out while the last file is written
    with pytest.raises(SettingsError):
        export(table, tmp_path / "new", "x", ["csv", "imagej-rois"], labels=labels)
    assert not (tmp_path / "new").exists()


def test_a_cancelled_export_leaves_nothing(table, tmp_path):
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        export(table, tmp_path / "new", "x", "csv", cancel=token)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("formats", "error", "message"),
    [
        ("imagej", UnknownNameError, "Did you mean 'imagej-ro"),
        ([], SettingsError, "No format was chosen"),
        ("imagej-rois", SettingsError, "needs the labels too"),
    ],
)
def test_what_cannot_be_written_is_said(formats, error, message, table, tmp_path):
    with pytest.raises(error, match=message):
        export(table, tmp_path / "new", "x", formats)
    assert not (tmp_path / "new").exists()


def test_a_missing_library_is_said_before_any_work(labels, table, tmp_path, monkeypatch):
    monkeypatch.setattr(rois, "find_spec", lambda name: None)
    with pytest.raises(Exception, match="pip install"):
        export(table, tmp_path / "new", "x", ["csv", "imagej-rois"], labels=labels)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", FORMATS)
def test_no_particles(name, labels, table, tmp_path):
    table = table.with_columns(keep=[False] * 5)
    assert read(export(table, tmp_path, "x", name, labels=labels)[name]) == []


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("filter 3", "filter_3"),
        ("a/b\\c:d", "a_b_c_d"),
        ("../x", "x"),
        ("", "image"),
        ("..", "image"),
        ("粒" * 100, "粒" * 60),
    ],
)
def test_any_name_makes_a_file_name(name, stem):
    assert file_stem(name) == stem


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("a.tif", "a"),
        ("a.v1.tif", "a.v1"),
        ("a.v2.OME.TIFF", "a.v2"),
        ("a.ome.zarr", "a"),
        ("a.zarr", "a"),
        ("a.tif.png", "a.tif.png"),
    ],
)
def test_only_the_ending_of_labels_is_no_part_of_their_name(name, stem):
    assert labels_stem(f"some.tif/{name}") == stem
