"""``napari-mpseg segment``: one image, and every plane of a stack."""

import json

import numpy as np
import pandas as pd
import pytest
import tifffile
import zarr

ENDINGS = [".ome.zarr", "_overlay.png", "_particles.csv", "_particles.parquet", "_run.json"]


@pytest.fixture
def file(squares, tmp_path):
    tifffile.imwrite(tmp_path / "scan.tif", np.where(squares > 0, 200, 10).astype(np.uint8))
    return tmp_path / "scan.tif"


@pytest.fixture
def stack(squares, tmp_path):
    planes = [squares == 3, squares > 0, squares < 0]
    pixels = np.where(np.stack(planes), 200, 10).astype(np.uint8)
    tifffile.imwrite(tmp_path / "stack.tif", pixels, imagej=True, metadata={"axes": "ZYX"})
    return tmp_path / "stack.tif"


def test_results_and_summary(run, names, file, tmp_path):
    code, said, error = run(
        "segment", file, "--out", tmp_path / "out", "--method", "fixed-level", "--pixel-size", "2.5um", "--quiet"
    )
    assert (code, error) == (0, "")
    assert names(tmp_path / "out") == [f"scan{ending}" for ending in ENDINGS]
    table = pd.read_csv(tmp_path / "out" / "scan_particles.csv")
    assert table["area_um2"].tolist() == [100, 25, 625]
    # 130 x 250 pixels of 2.5 um are 0.203125 mm2; the longest diameters are 14.1, 7.1 and 35.4 um
    for line in (
        "Image     scan: 250 x 130 px, 2.5 um per pixel",
        "Method    fixed-level\n",
        "Particles 3 (of 3 px or more)",
        "      <20 um       2",
        "    20-50 um       1",
        "Area      0.3692 % of the image",
        "Density   14.77 particles per mm2 of image (0.2031 mm2)",
    ):
        assert line in said


def test_results_in_the_way(run, file, tmp_path):
    command = ("segment", file, "--out", tmp_path / "out", "--method", "fixed-level", "--quiet")
    assert run(*command)[0] == 0
    code, said, error = run(*command)
    assert (code, said) == (1, "")
    assert "already holds results" in error
    assert "--overwrite" in error
    assert run(*command, "--overwrite", "--min-size", 50)[0] == 0
    assert len(pd.read_csv(tmp_path / "out" / "scan_particles.csv")) == 1


def test_the_same_name_from_two_folders(run, file, tmp_path):
    (tmp_path / "other").mkdir()
    other = tmp_path / "other" / "scan.tif"
    other.write_bytes(file.read_bytes())
    assert run("segment", file, "--out", tmp_path / "out", "--method", "fixed-level")[0] == 0
    code, _, error = run("segment", other, "--out", tmp_path / "out", "--method", "fixed-level")
    assert code == 1
    assert f"already holds results of {file}:" in error


def test_out_is_a_file(run, file):
    before = file.read_bytes()
    code, _, error = run("segment", file, "--out", file, "--method", "fixed-level")
    assert code == 1
    assert "is a file, and results need a folder" in error
    assert file.read_bytes() == before


def test_options_reach_the_work(run, file, tmp_path):
    code, said, _ = run(
        *("segment", file, "--out", tmp_path / "out", "--method", "max-entropy", "--connectivity", 4),
        *("--channels", "0", "--tile-size", 64, "--min-size", 5, "--threshold", 0.25, "--device", "cpu"),
    )
    assert code == 0
    assert "Particles 2 (of 5 px or more)" in said
    assert "max-entropy chose grey level" in said


def test_test_time_augmentation(run, file, tmp_path):
    command = ("segment", file, "--out", tmp_path / "out", "--tta", "mirrors, contrast", "--quiet")
    code, _, error = run(*command)
    assert (code, error) == (0, "")
    settings = json.loads((tmp_path / "out" / "scan_run.json").read_text())["settings"]["options"]
    assert settings["tta"] == ["mirrors", "contrast"]
    assert len(settings["tta_variants"]) == 6


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--channels", "purple"], 1, "purple"),
        (["--channels", "7"], 1, "7"),
        (["--plane", "1"], 1, "single plane"),
        (["--plane", "0", "--all-planes"], 2, "exclude each other"),
        (["--method", "fixd-level"], 2, "Did you mean 'fixed-level'"),
        (["--method", "models/none"], 2, "There is no model at models/none"),
        (["--tta", "flips"], 2, "(flips) is for networks, and fixed-level is none"),
        (["--tta", "flips,brigthness"], 2, "Did you mean 'brightness'"),
    ],
)
def test_what_is_not_possible_is_said(run, file, tmp_path, options, code, message):
    found, said, error = run("segment", file, "--out", tmp_path / "out", "--method", "fixed-level", *options)
    assert (found, said) == (code, "")
    assert message in error
    assert not (tmp_path / "out").exists()


def test_an_input_that_is_not_there_is_said(run, file, tmp_path):
    command = ("segment", file, "--out", tmp_path / "out", "--method", "region-growing", "--input", "seeds=nope.csv")
    code, said, error = run(*command)
    assert (code, said) == (2, "")
    assert "nope.csv is not there" in error


def test_a_result_store_is_no_image(run, file, tmp_path):
    run("segment", file, "--out", tmp_path / "out", "--method", "fixed-level")
    for options in ([], ["--all-planes"]):
        code, _, error = run("segment", tmp_path / "out" / "scan.ome.zarr", "--out", tmp_path / "again", *options)
        assert code == 1
        assert f"Give the image they were made from ({file})" in error
    assert not (tmp_path / "again").exists()


def test_every_plane_has_results_of_its_own(run, names, stack, tmp_path):
    code, said, error = run(
        *("segment", stack, "--out", tmp_path / "out", "--all-planes", "--method", "fixed-level"),
        *("--pixel-size", "2um", "--quiet"),
    )
    assert (code, error) == (0, "")
    assert names(tmp_path / "out") == sorted(f"stack_z{plane}{ending}" for plane in range(3) for ending in ENDINGS)
    counts = [len(pd.read_csv(tmp_path / "out" / f"stack_z{plane}_particles.csv")) for plane in range(3)]
    assert counts == [1, 3, 0]
    assert [line for line in said.splitlines() if line.startswith("Image")] == [
        f"Image     stack_z{plane}: 250 x 130 px, 2 um per pixel" for plane in range(3)
    ]
    assert said.count("Results ") == 1


def test_one_plane_in_the_way_stops_before_the_first(run, names, stack, tmp_path):
    command = ("segment", stack, "--out", tmp_path / "out", "--method", "fixed-level")
    assert run(*command, "--plane", 2)[0] == 0
    code, said, error = run(*command, "--all-planes")
    assert (code, said) == (1, "")
    assert "stack_z2" in error
    assert names(tmp_path / "out") == [f"stack_z2{ending}" for ending in ENDINGS]


def test_a_stack_needs_a_choice(run, stack, tmp_path):
    code, _, error = run("segment", stack, "--out", tmp_path / "out", "--method", "fixed-level")
    assert code == 1
    assert "holds 3 planes" in error
    assert "--plane" in error


def test_all_planes_of_a_plain_image(run, names, file, tmp_path):
    assert run("segment", file, "--out", tmp_path / "out", "--all-planes", "--method", "fixed-level")[0] == 0
    assert names(tmp_path / "out") == [f"scan{ending}" for ending in ENDINGS]


def test_the_image_itself_is_never_replaced(run, squares, tmp_path):
    zarr.create_array(tmp_path / "scan.ome.zarr", data=squares.astype(np.uint8))
    for options in ([], ["--overwrite"], ["--all-planes", "--overwrite"]):
        code, _, error = run(
            "segment", tmp_path / "scan.ome.zarr", "--out", tmp_path, "--method", "fixed-level", *options
        )
        assert code == 1
        assert "would replace the image" in error
    assert np.array_equal(zarr.open_array(tmp_path / "scan.ome.zarr")[...], squares)
