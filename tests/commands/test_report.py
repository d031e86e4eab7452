"""``napari-mpseg report``: from results and from tables."""

import json

import numpy as np
import pandas as pd
import pytest
import tifffile


@pytest.fixture
def results(run, squares, tmp_path):
    """Two segmented images."""
    for name in ("a <1>", "b"):
        tifffile.imwrite(tmp_path / f"{name}.tif", np.where(squares > 0, 200, 0).astype(np.uint8))
        code, _, error = run(
            *("segment", tmp_path / f"{name}.tif", "--out", tmp_path / "out", "--method", "fixed-level"),
            *("--pixel-size", "2um", "--quiet"),
        )
        assert (code, error) == (0, "")
    return tmp_path / "out"


QUIET = ("--pattern", "none", "--plot", "none", "--quiet")


def images(folder):
    return pd.read_csv(folder / "report_images.csv")


def test_a_folder_of_results(run, names, results, tmp_path):
    code, said, error = run("report", results, "--out", tmp_path / "rep", "--title", "Müggelsee", *QUIET)
    assert (code, error) == (0, "")
    assert names(tmp_path / "rep") == ["report.html", "report_counts.csv", "report_images.csv", "report_settings.json"]
    assert f"Report    {tmp_path / 'rep' / 'report.html'}" in said
    frame = images(tmp_path / "rep")
    assert frame["image"].tolist() == ["a <1>", "b"]
    # 250 x 130 px of 2 um are 0.13 mm2; 120 px are particle
    np.testing.assert_allclose(frame["particles_per_mm2"], 3 / 0.13)
    np.testing.assert_allclose(frame["area_percent"], 100 * 120 / (250 * 130))
    text = (tmp_path / "rep" / "report.html").read_text(encoding="utf-8")
    assert "<h1>Müggelsee</h1>" in text
    assert "a &lt;1&gt;" in text
    assert text.count("data:image/jpeg") == 2


@pytest.mark.parametrize("which", ["a_1.ome.zarr", "a_1_particles.csv", "a_1_particles.parquet"])
def test_one_result_of_several(run, results, tmp_path, which):
    assert run("report", results / which, "--out", tmp_path / "rep", *QUIET)[0] == 0
    frame = images(tmp_path / "rep")
    assert frame["image"].tolist() == ["a <1>"]
    assert frame["particles_per_mm2"].tolist() == [pytest.approx(3 / 0.13)]


@pytest.fixture
def alone(results, tmp_path):
    """A table far from everything that belongs to it."""
    (tmp_path / "far").mkdir()
    return (results / "b_particles.csv").rename(tmp_path / "far" / "mine.csv")


def test_a_table_alone_has_no_density_and_says_so(run, alone, tmp_path):
    assert run("report", alone, "--out", tmp_path / "rep", *QUIET)[0] == 0
    frame = images(tmp_path / "rep")
    assert frame[["image", "particles", "pixel_width", "pixel_unit"]].iloc[0].tolist() == ["mine", 3, 2, "um"]
    assert frame["area_um2_mean"].tolist() == [4 * 120 / 3]
    assert "The size of the image is not known" in (tmp_path / "rep" / "report.html").read_text(encoding="utf-8")


def test_a_table_alone_with_the_size_of_its_image(run, alone, tmp_path):
    assert run("report", alone, "--out", tmp_path / "rep", "--shape", 130, 250, *QUIET)[0] == 0
    assert images(tmp_path / "rep")["particles_per_mm2"].tolist() == [pytest.approx(3 / 0.13)]


def test_a_table_without_a_pixel_size_stays_in_pixels(run, alone, tmp_path):
    frame = pd.read_csv(alone)
    frame[[name for name in frame.columns if not name.endswith(("_um", "_um2"))]].to_csv(alone, index=False)
    command = ("report", alone, "--out", tmp_path / "rep", "--shape", 130, 250, "--pixel-size", "2um", *QUIET)
    assert run(*command)[0] == 0
    assert images(tmp_path / "rep")["particles_per_Mpx"].tolist() == [pytest.approx(3 / 0.0325)]
    text = (tmp_path / "rep" / "report.html").read_text(encoding="utf-8")
    assert "measured without a pixel size" in text


def test_size_classes_and_shape_classes(run, results, tmp_path):
    command = ("report", results / "b.ome.zarr", "--out", tmp_path / "rep", "--sizes", "10, 25 um", *QUIET)
    assert run(*command, "--rules", "mp-vat")[0] == 0
    counts = pd.read_csv(tmp_path / "rep" / "report_counts.csv")
    found = counts[counts["class"] == "all"].set_index("size_class")["particles"].to_dict()
    # squares of 2, 4 and 10 px of 2 um: diagonals 5.7, 11.3 and 28.3 um
    assert found == {"<10 um": 1, "10-25 um": 1, ">=25 um": 1, "all": 3}
    assert counts["class"].unique().tolist() == ["fibre", "fragment", "particle", "all"]
    record = json.loads((tmp_path / "rep" / "report_settings.json").read_text(encoding="utf-8"))
    assert record["settings"]["sizes"]["edges"] == [10, 25]


def test_an_earlier_report_stays(run, results, tmp_path):
    command = ("report", results, "--out", tmp_path / "rep", *QUIET)
    assert run(*command)[0] == 0
    code, said, error = run(*command)
    assert (code, said) == (1, "")
    assert "already there" in error
    assert run(*command, "--overwrite")[0] == 0
    assert run(*command, "--name", "second")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("{tmp}/none",), 1, "is not there"),
        (("{tmp}",), 1, "holds no table of particles"),
        (("{out}", "--sizes", "20, 10 um"), 2, "rising"),
        (("{out}", "--rules", "mp-vet"), 2, "Did you mean 'mp-vat'"),
    ],
)
def test_what_cannot_be_reported(run, results, tmp_path, arguments, code, message):
    given = [text.format(tmp=tmp_path, out=results) for text in arguments]
    found, said, error = run("report", *given, "--out", tmp_path / "rep", *QUIET)
    assert (found, said) == (code, "")
    assert message in error
    assert not (tmp_path / "rep").exists()


@pytest.mark.parametrize("shape", [["130"], ["0", "5"], ["a", "b"], ["1", "-2"]])
def test_shapes_that_are_none(run, tmp_path, shape):
    code, _, error = run("report", tmp_path, "--shape", *shape)
    assert code == 2
    assert "--shape" in error
