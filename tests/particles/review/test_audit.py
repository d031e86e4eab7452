"""The record of a review: added to, saved, read again."""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from napari_mpseg.errors import StoreError
from napari_mpseg.particles.review.audit import (
    AuditRecord,
    append_audit,
    audit_of,
    keep_audit,
    own_record,
    read_audit_beside,
    write_audit_beside,
)


def filled() -> AuditRecord:
    record = AuditRecord()
    record.add("reject", [np.int32(3)], {"keep": np.bool_(True)}, {"keep": False})
    record.add("class", [5], {"class": pd.NA}, {"class": "fibre"}, "by hand, with a ; and ü")
    record.add("split", [7, 9], {"pixels": {7: np.int64(40)}}, {"pixels": {7: 25, 9: 15}, "mean": np.nan})
    return record


def test_an_entry_says_when_who_and_what() -> None:
    before = datetime.now(UTC)
    entry = AuditRecord().add("reject", [np.int64(3)], {"keep": np.bool_(True)}, {"keep": False})
    assert abs((datetime.fromisoformat(entry.time) - before).total_seconds()) < 5
    assert datetime.fromisoformat(entry.time).utcoffset().total_seconds() == 0
    assert isinstance(entry.who, str)
    assert entry.labels == (3,)
    assert entry.before == {"keep": True}


def test_values_are_plain_json() -> None:
    stored = json.loads(json.dumps(filled().stored(), allow_nan=False))
    assert stored[1]["before"] == {"class": None}
    assert stored[2]["after"] == {"pixels": {"7": 25, "9": 15}, "mean": None}
    assert AuditRecord(stored).stored() == filled_with_times_of(stored)


def filled_with_times_of(stored: list[dict]) -> list[dict]:
    return [{**new, "time": old["time"]} for new, old in zip(filled().stored(), stored, strict=True)]


def test_there_is_no_way_to_change_an_entry() -> None:
    record = filled()
    with pytest.raises(AttributeError):
        record[0].action = "accept"
    with pytest.raises(TypeError):
        record[0] = record[1]
    list(record).clear()
    assert len(record) == 3


def test_entries_of_another_version_are_kept() -> None:
    strange = [{"action": "reject"}, "text", {**filled().stored()[0], "colour": "red"}]
    record = AuditRecord([*filled().stored(), *strange])
    assert len(record) == 3
    assert record.stored()[3:] == strange


@pytest.mark.parametrize("metadata", [{}, {"mine": 1}, {"napari-mpseg": {"role": "particles"}}, {"napari-mpseg": 3}])
def test_the_record_lies_in_the_layers_metadata(metadata: dict) -> None:
    mine = dict(metadata)
    keep_audit(metadata, filled())
    assert audit_of(metadata).stored() == metadata["napari-mpseg"]["audit"]
    append_audit(metadata, AuditRecord().add("accept", [1]))
    assert [entry.action for entry in audit_of(metadata)] == ["reject", "class", "split", "accept"]
    if isinstance(mine.get("napari-mpseg"), dict):
        assert metadata["napari-mpseg"]["role"] == "particles"
    fresh = dict(mine)
    append_audit(fresh, AuditRecord().add("accept", [1]))
    assert len(audit_of(fresh)) == 1


@pytest.mark.parametrize("metadata", [None, {}, {"napari-mpseg": None}, {"napari-mpseg": {"audit": "x"}}])
def test_no_record_is_an_empty_one(metadata: object, tmp_path: Path) -> None:
    assert len(audit_of(metadata)) == 0
    assert write_audit_beside(metadata, tmp_path / "a.csv") == []


@pytest.mark.parametrize("name", ["filter 7.ome.zarr", "filter 7.csv", "filter 7.ome.tif"])
def test_files_lie_beside_the_export(tmp_path: Path, name: str) -> None:
    metadata: dict = {}
    keep_audit(metadata, filled())
    written = write_audit_beside(metadata, tmp_path / name)
    assert [path.name for path in written] == ["filter 7_audit.jsonl", "filter 7_audit.csv"]
    assert read_audit_beside(tmp_path / name).stored() == audit_of(metadata).stored()
    with written[1].open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["labels"] for row in rows] == ["3", "5", "7 9"]
    assert rows[0]["before"] == "keep=True"
    assert rows[1]["after"] == "class=fibre"
    assert rows[2]["before"] == "pixels=7: 40"
    assert rows[1]["note"] == "by hand, with a ; and ü"


def test_a_damaged_file_gets_a_reason(tmp_path: Path) -> None:
    (tmp_path / "a_audit.jsonl").write_text("{")
    with pytest.raises(StoreError, match=r"a_audit\.jsonl"):
        read_audit_beside(tmp_path / "a.csv")
    assert len(read_audit_beside(tmp_path / "b.csv")) == 0


def test_what_was_taken_back_is_undecided_again() -> None:
    record = filled()
    assert record.reviewed() == {3, 5}  # a split is no decision
    record.add("undo", [5], {"action": "class"})
    record.add("undo", [3], {"action": "paint"})
    record.add("found", [11])
    assert record.reviewed() == {3}
    record.add("redo", [5], {"action": "class"})
    assert record.reviewed() == {3, 5}
    record.add("accept", [3])
    record.add("undo", [3], {"action": "accept"})
    assert record.reviewed() == {3, 5}


def test_copies_of_metadata_do_not_share_the_record() -> None:
    metadata: dict = {"napari-mpseg": {"role": "particles", "assigned": {3: "film"}}}
    keep_audit(metadata, filled())
    twin = dict(metadata)
    append_audit(twin, AuditRecord().add("accept", [1]))
    assert (len(audit_of(metadata)), len(audit_of(twin))) == (3, 4)
    third = dict(metadata)
    own_record(third)
    third["napari-mpseg"]["assigned"][4] = "bead"
    assert metadata["napari-mpseg"]["assigned"] == {3: "film"}
    assert third["napari-mpseg"]["role"] == "particles"
