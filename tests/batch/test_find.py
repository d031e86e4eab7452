"""Which files are images to be done."""

import numpy as np
import pytest
import tifffile

from napari_mpseg.batch.find import find_images
from napari_mpseg.batch.run import run_batch
from napari_mpseg.errors import SettingsError
from napari_mpseg.results.labels_tiff import write_labels_tiff


def names(found):
    return [path.name for path in found.images]


def test_images_of_a_folder_come_in_natural_order(squares, tmp_path):
    for name in ("a10.png", "a2.png", "B1.png", "a1.png"):
        squares(name, 1)
    squares("deeper.png", 1, tmp_path / "scans" / "more")
    assert names(find_images(tmp_path / "scans")) == ["a1.png", "a2.png", "a10.png", "B1.png"]


def test_patterns_of_names_reach_folders_below(squares, tmp_path):
    squares("a.png", 1)
    squares("a.png", 1, tmp_path / "scans" / "x")
    assert len(find_images(tmp_path / "scans" / "*.png").images) == 1
    assert len(find_images(str(tmp_path / "scans" / "**" / "*.png")).images) == 2


def test_an_image_named_twice_is_done_once(squares, tmp_path):
    path = squares("a.png", 1)
    assert names(find_images([path, tmp_path / "scans", str(tmp_path / "scans" / "*.png")])) == ["a.png"]


def test_one_file_is_done_once_however_it_is_written(squares, tmp_path, monkeypatch):
    path = squares("a.png", 1)
    squares("b.png", 1)
    (tmp_path / "link").symlink_to(tmp_path / "scans")
    monkeypatch.chdir(tmp_path)
    found = find_images(["scans/a.png", "scans/../scans/a.png", path, "link", "link/../scans"])
    assert found.images == (tmp_path / "link" / "b.png", path)  # as it was written first
    assert {(str(one), str(other)) for one, other in found.merged} == {
        (str(path), str(tmp_path / "scans/../scans/a.png")),
        (str(path), str(tmp_path / "link/a.png")),
        (str(path), str(tmp_path / "link/../scans/a.png")),
        (str(tmp_path / "link/b.png"), str(tmp_path / "link/../scans/b.png")),
    }


def test_the_way_back_out_of_a_linked_folder_is_the_one_that_the_disk_takes(squares, tmp_path):
    path = squares("a.png", 1, tmp_path / "deep" / "scans")
    (tmp_path / "link").symlink_to(tmp_path / "deep" / "scans")
    assert find_images(tmp_path / "link" / ".." / "scans" / "a.png").images == (path,)


def test_a_link_keeps_its_own_name(squares, tmp_path):
    path = squares("0001.png", 1, tmp_path / "store")
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans" / "lake_1.png").symlink_to(path)
    assert names(find_images(tmp_path / "scans")) == ["lake_1.png"]


def test_results_labels_and_masks_are_left_out_with_the_reason(squares, tmp_path, settings, no_plots):
    scans = tmp_path / "scans"
    squares("a.png", 1)
    squares("a_mask.png", 1)
    (scans / "notes.docx").write_text("x")
    (scans / "samples.csv").write_text("file\n")
    write_labels_tiff(scans / "painted.tif", np.ones((4, 4), np.int32), "painted")
    run_batch(scans / "a.png", scans, settings)  # its results lie beside the images
    found = find_images(scans)
    assert names(found) == ["a.png"]
    assert {path.name: why for path, why in found.left_out} == {
        "a_mask.png": "a mask or labels by its name",
        "a_overlay.png": "the overlay picture of a result",
        "a.ome.zarr": "a result of napari-mpseg",
        "painted.tif": "labels",
        "notes.docx": "of no kind that can be opened",
    }
    assert names(find_images(str(scans / "**"))) == ["a.png"]  # nothing inside a store is taken for an image
    assert names(find_images(scans / "a_mask.png")) == ["a_mask.png"]  # named itself


def test_a_zarr_store_is_an_image_and_no_folder_of_images(tmp_path):
    import zarr

    zarr.save_array(tmp_path / "s" / "a.zarr", np.zeros((8, 8), np.uint8))
    tifffile.imwrite(tmp_path / "s" / "b.tif", np.zeros((8, 8), np.uint8))
    assert names(find_images(tmp_path / "s")) == ["a.zarr", "b.tif"]
    assert names(find_images(tmp_path / "s" / "a.zarr")) == ["a.zarr"]


def test_nothing_found_is_refused(tmp_path):
    (tmp_path / "a.docx").write_text("x")
    with pytest.raises(SettingsError, match=r"There is no image in .*1 left out, such as a.docx"):
        find_images(tmp_path)
    with pytest.raises(SettingsError, match="is not there"):
        find_images(tmp_path / "none")
