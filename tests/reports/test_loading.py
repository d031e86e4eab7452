"""Which table of an image is read: the newest, beside labels or inside their store."""

import os
from dataclasses import replace

import numpy as np
import pytest

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import SettingsError, StoreError
from napari_mpseg.reports.loading import measured_files
from napari_mpseg.results.labels_tiff import write_labels_tiff


def dated(path, seconds):
    os.utime(path, (seconds, seconds))


@pytest.mark.parametrize(
    ("csv", "parquet", "read"), [(2000, 1000, "csv"), (1000, 2000, "parquet"), (1000, 1000, "parquet")]
)
def test_of_two_forms_the_newer(table, tmp_path, csv, parquet, read):
    dated(table.to_csv(tmp_path / "a_particles.csv"), csv)
    dated(table.to_parquet(tmp_path / "a_particles.parquet"), parquet)
    (found,) = measured_files(tmp_path)
    assert found.table.name == f"a_particles.{read}"


def test_a_csv_edited_by_hand_keeps_what_parquet_says_of_the_measurement(table, tmp_path):
    about = {"operation": "measure", "inputs": {"name": "filter 1", "shape": [10, 20]}}
    measured = replace(table, provenance=about)
    dated(measured.to_parquet(tmp_path / "a_particles.parquet"), 1)
    table.with_columns(keep=[False] * 7).to_csv(tmp_path / "a_particles.csv")
    item = measured_files(tmp_path)[0].item()
    assert (item.name, item.shape, len(item.table.kept())) == ("filter 1", (10, 20), 0)
    assert item.table.calibration.pixel_size == (2, 2)


def test_another_pixel_size_than_that_of_the_table_is_refused(table, tmp_path):
    table.to_csv(tmp_path / "a_particles.csv")
    (found,) = measured_files(tmp_path)
    assert found.item(calibration=Calibration((2000, 2000), "nm")).table.calibration.pixel_size == (2, 2)
    with pytest.raises(SettingsError, match="measured with 2 um"):
        found.item(calibration=Calibration((5, 5), "um"))


def test_labels_in_tiff_bring_the_table_beside_them(table, tmp_path):
    labels = np.zeros((30, 40), np.int32)
    write_labels_tiff(tmp_path / "a.tif", labels, "a", Calibration((2, 2), "um"))
    with pytest.raises(StoreError, match="There is no table beside the labels"):
        measured_files(tmp_path / "a.tif")
    table.to_csv(tmp_path / "a.csv")
    for given in ("a.tif", "a.csv"):
        (found,) = measured_files(tmp_path / given)
        assert (found.name, found.table.name) == ("a", "a.csv")
        assert found.item().shape == (30, 40)
