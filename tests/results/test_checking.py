"""Results on disk are compared with what their runs wrote."""

import json

import numpy as np
import pytest

import napari_mpseg as mp
from napari_mpseg.cli import main
from napari_mpseg.errors import StoreError
from napari_mpseg.results.checking import check_result
from napari_mpseg.results.corrections import correct
from napari_mpseg.results.corrections.place import place_in


@pytest.fixture
def out(tmp_path, rng):
    pixels = np.zeros((150, 170), np.uint8)
    pixels[20:30, 60:75] = 200
    pixels[100:103, 5:9] = 250
    mp.segment(mp.Image(mp.open_image(pixels).data, name="filter"), "fixed-level", out=tmp_path / "out", tile_size=64)
    return tmp_path / "out"


def test_untouched_results_are_as_written(out, capsys):
    found = check_result(out / "filter_run.json")
    assert set(found.values()) == {"as written"}
    assert set(found) == {
        "filter.ome.zarr probability",
        "filter.ome.zarr labels",
        "filter_particles.csv",
        "filter_particles.parquet",
        "filter_overlay.png",
    }
    assert main(["check", str(out)]) == 0
    assert "1 checked; all is as written." in capsys.readouterr().out


def test_every_part_that_was_touched_is_told(out, capsys):
    import zarr

    zarr.open_array(out / "filter.ome.zarr/labels/particles/0", mode="r+")[0, 0] = 9
    (out / "filter_particles.csv").write_text("label\n1\n")
    (out / "filter_overlay.png").unlink()
    found = check_result(out / "filter_run.json")
    assert found["filter.ome.zarr labels"] == "changed since"
    assert found["filter.ome.zarr probability"] == "as written"
    assert found["filter_particles.csv"] == "changed since"
    assert found["filter_overlay.png"] == "missing"
    assert main(["check", str(out / "filter_run.json")]) == 1
    assert "3 parts are not as written" in capsys.readouterr().out


def test_corrections_are_told_as_what_changed_the_labels(out, capsys):
    place = place_in(out / "filter.ome.zarr")
    for box in ((10, 50, 40, 80), (90, 0, 110, 20)):
        correct.correct_region(place, box, np.zeros_like(correct.take_region(place, box)))
    found = check_result(out / "filter_run.json")
    assert found["filter.ome.zarr labels"] == "changed since; 2 corrections are recorded in the store"
    assert found["filter_particles.csv"] == "changed since"
    correct.undo_last(place)
    found = check_result(out / "filter_run.json")
    assert found["filter.ome.zarr labels"] == "changed since; 1 correction is recorded in the store"
    assert main(["check", str(out)]) == 1
    assert "1 correction is recorded in the store" in capsys.readouterr().out
    correct.undo_last(place)
    assert check_result(out / "filter_run.json")["filter.ome.zarr labels"] == "as written"


def test_a_damaged_chunk_is_told(out):
    chunk = max((out / "filter.ome.zarr" / "0" / "c").rglob("*"), key=lambda path: path.stat().st_size * path.is_file())
    content = bytearray(chunk.read_bytes())
    content[len(content) // 2] ^= 255
    chunk.write_bytes(bytes(content))
    assert check_result(out / "filter_run.json")["filter.ome.zarr probability"] != "as written"


def test_the_store_itself_holds_settings_versions_and_checksums(out):
    attributes = json.loads((out / "filter.ome.zarr" / "zarr.json").read_text())["attributes"]["napari-mpseg"]
    assert set(attributes["checksums"]) == {"probability", "labels"}
    assert attributes["particles"] == 2
    assert attributes["settings"]["tile_size"] == 64
    assert {"torch", "numpy"} <= set(attributes["libraries"])


def test_what_is_no_result_is_refused(tmp_path, capsys):
    (tmp_path / "a_run.json").write_text("[]")
    with pytest.raises(StoreError, match="no record of a run"):
        check_result(tmp_path / "a_run.json")
    (tmp_path / "empty").mkdir()
    assert main(["check", str(tmp_path / "empty")]) == 1
    assert "No results there" in capsys.readouterr().err


def test_records_of_batches_and_unfinished_runs_are_told_apart(out, capsys):
    (out / "batch_run.json").write_text('{"operation": "batch"}')
    (out / "other.unfinished").mkdir()
    assert main(["check", str(out)]) == 0
    said = capsys.readouterr().out
    assert "other: a run that is not finished" in said
    assert "1 checked; all is as written." in said


def test_results_without_checksums_are_not_called_as_written(out, capsys):
    record = json.loads((out / "filter_run.json").read_text())
    del record["checksums"], record["sha256"]
    (out / "filter_run.json").write_text(json.dumps(record))
    assert main(["check", str(out)]) == 0
    assert "1 cannot be checked: an earlier version wrote no checksums" in capsys.readouterr().out
