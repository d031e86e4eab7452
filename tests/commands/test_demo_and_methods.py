"""``napari-mpseg demo`` and ``methods``."""

import re

import numpy as np
import tifffile

from napari_mpseg.methods.registry import METHODS


def test_demo_makes_segments_and_counts(run, names, tmp_path):
    code, said, error = run("demo", "--size", 200, "--seed", 3, "--out", tmp_path / "demo", "--quiet")
    assert (code, error) == (0, "")
    assert names(tmp_path / "demo") == [
        "demo_filter.ome.zarr",
        "demo_filter.tif",
        "demo_filter_overlay.png",
        "demo_filter_particles.csv",
        "demo_filter_particles.parquet",
        "demo_filter_run.json",
    ]
    assert "Image     demo_filter: 200 x 200 px, 2.5 um per pixel" in said
    listed = [line.strip() for line in said.partition("Results")[2].splitlines()[1:]]
    assert sorted(listed) == [
        name for name in names(tmp_path / "demo") if name != "demo_filter.tif" and "truth" not in name
    ]
    classes = re.findall(r"^ +(<20 um|20-50 um|50-100 um|100-500 um|>=500 um) +(\d+)$", said, re.MULTILINE)
    assert [name for name, _ in classes] == ["<20 um", "20-50 um", "50-100 um", "100-500 um", ">=500 um"]
    particles = int(re.search(r"^Particles (\d+)", said, re.MULTILINE)[1])
    assert sum(int(count) for _, count in classes) == particles
    assert re.search(r"^Truth +recall [01]\.\d+, precision [01]\.\d+", said, re.MULTILINE)
    with tifffile.TiffFile(tmp_path / "demo" / "demo_filter.tif") as file:
        assert file.pages[0].shape == (200, 200, 3)
        assert file.is_ome
    assert run("demo", "--size", 100, "--out", tmp_path / "demo", "--quiet")[0] == 0


def test_demo_with_an_image_of_ones_own_replaces_nothing(run, squares, tmp_path):
    pixels = np.zeros((130, 250, 3), np.uint8)
    pixels[squares > 0] = 230
    tifffile.imwrite(tmp_path / "mine.tif", pixels, photometric="rgb")
    command = ("demo", tmp_path / "mine.tif", "--out", tmp_path / "out", "--quiet")
    code, said, _ = run(*command)
    assert code == 0
    assert "Image     mine: 250 x 130 px" in said
    assert "Truth" not in said
    code, _, error = run(*command)
    assert code == 1
    assert "already holds results" in error
    assert run(*command, "--overwrite")[0] == 0


def test_every_method_is_listed(run):
    code, said, error = run("methods")
    assert (code, error) == (0, "")
    for name, entry in METHODS.items():
        assert f"\n  {name}\n" in said
        assert entry.title in said
