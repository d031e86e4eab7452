"""Names of files, summaries, and opening labels again."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

import napari_mpseg as mp
from napari_mpseg.errors import ImageError, StoreError
from napari_mpseg.results.labels_file import open_labels
from napari_mpseg.results.result_store import read_record
from napari_mpseg.results.saving import check_places, result_paths


@pytest.fixture
def spot():
    image = np.zeros((50, 40), np.uint8)
    image[10:13, 20:24] = 200
    return image


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("filter 3", "filter_3"),
        ("a/b\\c:d", "a_b_c_d"),
        ("../../etc/passwd", "etc_passwd"),
        ("..", "image"),
        ("", "image"),
        ("Müll", "Müll"),
        ("x\x00y\n", "x_y"),
        ("n" * 500, "n" * 180),
        ("粒" * 100, "粒" * 60),
    ],
)
def test_any_name_makes_a_file_name(name, stem, tmp_path):
    paths = result_paths(tmp_path, name)
    assert paths["csv"] == tmp_path / f"{stem}_particles.csv"
    for path in paths.values():
        path.touch()


def test_a_summary_without_pixel_size(spot):
    lines = mp.segment(spot, "fixed-level", min_size=1).summary().splitlines()
    assert lines == [
        "Image     image: 40 x 50 px, not calibrated (1 px)",
        "Method    fixed-level",
        "Particles 1",
        "Size classes (maximum Feret diameter):",
        "     <10 px       1",
        "   10-20 px       0",
        "   20-50 px       0",
        "  50-200 px       0",
        "   >=200 px       0",
        "Classes:",
        "  particle       1",
        "Area      0.6 % of the image is particle",
    ]


def test_a_summary_leaves_out_what_was_rejected(spot):
    from dataclasses import replace

    spot[30:32, 5:7] = spot[40:44, 30:34] = 200  # squares of 4 and 16 px beside the 12 px
    result = mp.segment(spot, "fixed-level", calibration="10um", min_size=3)
    rejected = result.particles.with_columns(keep=[False, True, True])
    lines = replace(result, particles=rejected).summary().splitlines()
    assert "Particles 2 (of 3 px or more), 1 rejected, left out" in lines
    assert sum(int(line.split()[-1]) for line in lines if line.endswith((" 0", " 1", " 2")) and " um " in line) == 2
    assert "  particle       2" in lines
    assert "Area      1 % of the image is particle" in lines  # 20 of 2000 px
    assert "Density   10 particles per mm2 of image (0.2 mm2)" in lines


def test_counts_alone_say_how_many_were_rejected(spot):
    from napari_mpseg.results.summary import class_lines, size_lines

    table = mp.segment(spot, "fixed-level", min_size=1).particles.with_columns(keep=False)
    assert size_lines(table)[0] == "Size classes (maximum Feret diameter, 1 rejected, left out):"
    assert all(line.endswith(" 0") for line in size_lines(table)[1:])
    assert class_lines(table) == []


def test_high_densities_are_written_out(spot):
    # 2000 pixels of 0.0001 mm2 are 0.2 mm2; of 1e-6 mm2, 0.002
    assert (
        "Density   5 particles per mm2 of image (0.2 mm2)"
        in mp.segment(spot, "fixed-level", calibration="10um").summary()
    )
    assert (
        "Density   50000 particles per mm2 of image (2e-05 mm2)"
        in mp.segment(spot, "fixed-level", calibration="100nm").summary()
    )


def test_labels_of_a_result_come_back_under_its_name(spot, tmp_path):
    tifffile.imwrite(tmp_path / "scan.tif", spot)
    result = mp.segment(tmp_path / "scan.tif", "fixed-level", out=tmp_path / "out", calibration="2um")
    for path in (result.store, tmp_path / "out"):
        labels = open_labels(path)
        assert labels.name == "scan"
        assert labels.calibration.pixel_size == (2, 2)
        assert np.array_equal(labels.data, np.asarray(spot > 0, int))
    assert open_labels(result.store, mp.Calibration.parse("3um")).calibration.pixel_size == (3, 3)
    assert read_record(result.store)["inputs"]["name"] == "scan"


def test_labels_that_are_not_there(tmp_path):
    with pytest.raises(ImageError, match="is not there"):
        open_labels(tmp_path / "none.tif")
    with pytest.raises(ImageError, match="is a folder, but no zarr store"):
        open_labels(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", '{"attributes": 3}', '{"attributes": {"napari-mpseg": 1}}'])
def test_other_folders_are_no_results(tmp_path, text):
    assert read_record(tmp_path) is None
    (tmp_path / "zarr.json").write_text(text)
    assert read_record(tmp_path) is None


def test_results_by_hand_in_the_way_are_named(tmp_path):
    paths = result_paths(tmp_path, "a")
    check_places(paths)
    paths["overlay"].touch()
    with pytest.raises(StoreError, match=r"already holds results: a_overlay\.png\. Choose another"):
        check_places(paths)
    check_places(paths, overwrite=True)


def test_adding_to_a_viewer(spot, monkeypatch):
    """What is handed to the layers; how they look there is tested with a viewer."""
    result = mp.segment(spot, "fixed-level")
    given = []
    monkeypatch.setattr("napari_mpseg.layers.add_result", lambda *what: given.append(what) or ("image", "labels"))
    assert result.add_to("viewer", layer="layer") == ("image", "labels")
    assert given == [("viewer", result, "layer")]


def test_a_relative_folder_is_that_of_the_moment(spot, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = mp.segment(spot, "fixed-level", out=".")
    assert result.store == tmp_path / "image.ome.zarr"
    monkeypatch.chdir("/")
    assert np.asarray(result.labels[...]).sum() == 12
    assert Path(result.store).is_dir()
