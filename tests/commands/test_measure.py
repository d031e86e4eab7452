"""``napari-mpseg measure``: labels of every kind, and masks."""

import numpy as np
import pandas as pd
import pytest
import tifffile
import zarr
from PIL import Image

AREAS = [16, 4, 100]


@pytest.fixture
def file(squares, tmp_path):
    tifffile.imwrite(tmp_path / "labels.tif", squares)
    return tmp_path / "labels.tif"


def areas(path):
    return pd.read_csv(path)["area_px"].tolist()


def test_labels_with_gaps_and_an_image(run, names, squares, tmp_path):
    tifffile.imwrite(tmp_path / "labels.tif", squares * 7)
    tifffile.imwrite(tmp_path / "image.tif", np.where(squares > 0, squares * 10, 1).astype(np.uint16))
    code, said, error = run(
        *("measure", tmp_path / "labels.tif", tmp_path / "image.tif", "--out", tmp_path / "out"),
        *("--pixel-size", "2um", "--quiet"),
    )
    assert (code, error) == (0, "")
    assert names(tmp_path / "out") == ["labels_particles.csv", "labels_particles.parquet"]
    table = pd.read_csv(tmp_path / "out" / "labels_particles.csv")
    assert table["label"].tolist() == [7, 14, 21]
    assert table["area_um2"].tolist() == [64, 16, 400]
    assert table["intensity_mean"].tolist() == [10, 20, 30]
    assert "Labels    labels: 250 x 130 px, 2 um per pixel" in said
    assert "Particles 3" in said
    assert "      <20 um       2" in said


def test_the_image_lends_its_pixel_size(run, squares, file, tmp_path):
    tifffile.imwrite(
        tmp_path / "image.ome.tif",
        squares.astype(np.uint8),
        metadata={"axes": "YX", "PhysicalSizeX": 3, "PhysicalSizeY": 3, "PhysicalSizeXUnit": "µm"},
    )
    code, said, _ = run("measure", file, tmp_path / "image.ome.tif", "--out", tmp_path / "out")
    assert code == 0
    assert "3 um per pixel" in said


def test_an_earlier_table_stays(run, file, tmp_path):
    command = ("measure", file, "--out", tmp_path / "out")
    assert run(*command)[0] == 0
    code, said, error = run(*command)
    assert (code, said) == (1, "")
    assert "already holds results: labels_particles.csv" in error
    assert run(*command, "--overwrite")[0] == 0


@pytest.mark.parametrize("which", ["store", "labels", "folder"])
def test_a_result_of_segment(run, names, squares, tmp_path, which):
    tifffile.imwrite(tmp_path / "scan.tif", np.where(squares > 0, 200, 0).astype(np.uint8))
    out = tmp_path / "out"
    run("segment", tmp_path / "scan.tif", "--out", out, "--method", "fixed-level", "--pixel-size", "2um")
    given = {"store": out / "scan.ome.zarr", "labels": out / "scan.ome.zarr" / "labels" / "particles", "folder": out}
    code, said, _ = run("measure", given[which], "--out", tmp_path / "again")
    assert code == 0
    stem = "particles" if which == "labels" else "scan"
    assert names(tmp_path / "again") == [f"{stem}_particles.csv", f"{stem}_particles.parquet"]
    assert areas(tmp_path / "again" / f"{stem}_particles.csv") == AREAS
    assert "2 um per pixel" in said


def test_a_folder_of_several_results(run, squares, tmp_path):
    for name in ("a", "b"):
        tifffile.imwrite(tmp_path / f"{name}.tif", np.where(squares > 0, 200, 0).astype(np.uint8))
        run("segment", tmp_path / f"{name}.tif", "--out", tmp_path / "out", "--method", "fixed-level")
    code, _, error = run("measure", tmp_path / "out")
    assert code == 1
    assert "holds several results. Give one of them: a.ome.zarr, b.ome.zarr" in error


def test_plain_zarr_and_one_plane(run, squares, tmp_path):
    zarr.create_array(tmp_path / "stack.zarr", data=np.stack([squares * 0, squares]), dimension_names=["z", "y", "x"])
    code, _, error = run("measure", tmp_path / "stack.zarr", "--out", tmp_path)
    assert code == 1
    assert "--plane" in error
    assert run("measure", tmp_path / "stack.zarr", "--plane", 1, "--out", tmp_path)[0] == 0
    assert areas(tmp_path / "stack_z1_particles.csv") == AREAS


# masks


@pytest.fixture(params=["255", "one", "boolean", "RGB"])
def mask(request, squares, tmp_path):
    """A mask as people have it; two of the squares are joined by a corner."""
    squares[24, 34] = 1
    inside = squares > 0
    if request.param == "boolean":
        np.save(tmp_path / "mask.npy", inside)
        return tmp_path / "mask.npy"
    if request.param == "one":
        tifffile.imwrite(tmp_path / "mask.tif", inside.astype(np.uint16))
        return tmp_path / "mask.tif"
    pixels = np.where(inside, 255, 0).astype(np.uint8)
    Image.fromarray(pixels if request.param == "255" else np.repeat(pixels[..., None], 3, 2)).save(
        tmp_path / "mask.png"
    )
    return tmp_path / "mask.png"


def test_a_mask_is_refused_with_the_way_out(run, mask, tmp_path):
    code, said, error = run("measure", mask, "--out", tmp_path / "out")
    assert (code, said) == (1, "")
    assert "--mask" in error
    assert not (tmp_path / "out").exists()


def test_the_pieces_of_a_mask_are_particles(run, mask, tmp_path):
    assert run("measure", mask, "--mask", "--out", tmp_path / "out", "--quiet")[0] == 0
    assert areas(tmp_path / "out" / "mask_particles.csv") == [17, 4, 100]


def test_the_refusal_counts_the_pieces(run, squares, tmp_path):
    tifffile.imwrite(tmp_path / "mask.tif", np.where(squares > 0, 255, 0).astype(np.uint8))
    error = run("measure", tmp_path / "mask.tif")[2]
    assert "holds a single label, 255, in 3 pieces" in error


def test_one_particle_alone_is_one(run, squares, tmp_path):
    tifffile.imwrite(tmp_path / "one.tif", np.where(squares == 3, 255, 0).astype(np.uint8))
    assert run("measure", tmp_path / "one.tif", "--out", tmp_path)[0] == 0
    assert areas(tmp_path / "one_particles.csv") == [100]


def test_labels_in_pieces_are_left_as_they_are(run, squares, tmp_path):
    squares[squares == 2] = 1
    tifffile.imwrite(tmp_path / "two.tif", squares)
    assert run("measure", tmp_path / "two.tif", "--out", tmp_path)[0] == 0
    assert areas(tmp_path / "two_particles.csv") == [20, 100]


@pytest.mark.parametrize("options", [[], ["--mask"]])
def test_no_particles_but_all_columns(run, file, tmp_path, options):
    tifffile.imwrite(tmp_path / "none.tif", np.zeros((20, 30), np.uint8))
    code, said, _ = run("measure", tmp_path / "none.tif", "--out", tmp_path, *options)
    assert code == 0
    assert "Particles 0" in said
    run("measure", file, "--out", tmp_path)
    empty, full = (pd.read_csv(tmp_path / f"{name}_particles.csv") for name in ("none", "labels"))
    assert empty.empty
    assert empty.columns.tolist() == full.columns.tolist()


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: None, "is not there"),
        (lambda path: np.save(path, np.zeros((5, 5), complex)), "complex"),
        (lambda path: np.save(path, np.full((5, 5), 0.5)), "Labels must be whole numbers"),
        (lambda path: np.save(path, np.full((5, 5), -1)), "-1"),
        (lambda path: path.write_bytes(b"not an array"), "labels.npy"),
    ],
)
def test_what_is_no_labels(run, names, tmp_path, write, message):
    write(tmp_path / "labels.npy")
    before = names(tmp_path)
    code, said, error = run("measure", tmp_path / "labels.npy", "--out", tmp_path / "out")
    assert (code, said) == (1, "")
    assert message in error
    assert names(tmp_path) == before


def test_an_image_of_another_size(run, file, tmp_path):
    tifffile.imwrite(tmp_path / "image.tif", np.zeros((5, 5), np.uint8))
    code, _, error = run("measure", file, tmp_path / "image.tif", "--out", tmp_path / "out")
    assert code == 1
    assert "same height and width" in error
    assert not (tmp_path / "out").exists()


def test_a_full_disk(run, file, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pyarrow.parquet.write_table", full)
    code, said, error = run("measure", file, "--out", tmp_path / "out")
    assert (code, said) == (1, "")
    assert "The disk is full" in error
    assert not (tmp_path / "out").exists()


# what was decided before


def rejected(path):
    frame = pd.read_csv(path)
    return frame["label"][~frame["keep"]].tolist()


def reject(path, label):
    frame = pd.read_csv(path)
    frame.assign(keep=frame["label"] != label).to_csv(path, index=False)


@pytest.mark.parametrize("name", ["mine.ome.zarr", "mine.tif"])
def test_decisions_saved_with_the_labels_stay(run, squares, tmp_path, name):
    labels_files = pytest.importorskip("napari_mpseg.gui.labels_files")
    features = pd.DataFrame({"index": range(4), "area_px": [np.nan, 1, 2, 3], "keep": [None, True, False, True]})
    file = labels_files.LabelsFile(squares, features, (1.0, 1.0))
    (labels_files.write_tiff if name.endswith(".tif") else labels_files.write_zarr)(tmp_path / name, file)
    code, said, error = run("measure", tmp_path / name, "--out", tmp_path / "out", "--quiet")
    assert (code, error) == (0, "")
    assert f"Decisions of {name.replace('.tif', '.csv')} kept" in said
    assert rejected(tmp_path / "out" / "mine_particles.csv") == [2]
    assert areas(tmp_path / "out" / "mine_particles.csv") == AREAS


@pytest.mark.parametrize("more", [[], ["--mask"]])
def test_decisions_in_a_table_that_is_replaced_stay(run, file, tmp_path, more):
    command = ("measure", file, "--out", tmp_path / "out", *more)
    said = run(*command)[1]
    assert "Decisions" not in said
    reject(tmp_path / "out" / "labels_particles.csv", 3)
    for form in ("csv", "parquet"):  # the second time the Parquet file is the newer one
        code, said, _ = run(*command, "--overwrite", "--properties", "all")
        assert code == 0
        assert f"Decisions of labels_particles.{form} kept" in said
        assert rejected(tmp_path / "out" / "labels_particles.csv") == [3]


def test_decisions_beside_a_result_stay(run, squares, tmp_path):
    tifffile.imwrite(tmp_path / "scan.tif", np.where(squares > 0, 200, 0).astype(np.uint8))
    run("segment", tmp_path / "scan.tif", "--out", tmp_path / "out", "--method", "fixed-level")
    reject(tmp_path / "out" / "scan_particles.csv", 1)
    said = run("measure", tmp_path / "out" / "scan.ome.zarr", "--out", tmp_path / "again")[1]
    assert "Decisions of scan_particles.csv kept" in said
    assert rejected(tmp_path / "again" / "scan_particles.csv") == [1]


def test_decisions_on_other_particles_of_that_name_do_not_stay(run, squares, file, tmp_path):
    run("measure", file, "--out", tmp_path / "out")
    reject(tmp_path / "out" / "labels_particles.csv", 1)
    squares[20:24, 30:34], squares[50:52, 60:62], squares[100:110, 200:210] = 3, 1, 2
    (tmp_path / "other").mkdir()
    tifffile.imwrite(tmp_path / "other" / "labels.tif", squares)
    code, said, _ = run("measure", tmp_path / "other" / "labels.tif", "--out", tmp_path / "out", "--overwrite")
    assert code == 0
    assert "Decisions of labels_particles.csv not kept: its particles are others" in said
    assert rejected(tmp_path / "out" / "labels_particles.csv") == []
