"""``napari-mpseg batch``."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from napari_mpseg.errors import Cancelled


@pytest.fixture
def scans(tmp_path, monkeypatch):
    """Three pictures of one, two and three squares."""
    monkeypatch.setattr("napari_mpseg.batch.tables._PLOTS", ())
    folder = tmp_path / "scans"
    folder.mkdir()
    for count, name in enumerate(("lake_1", "lake_2", "blank_1"), 1):
        picture = np.full((48, 64), 10, np.uint8)
        for number in range(count):
            picture[10:16, 10 * number + 2 : 10 * number + 8] = 220
        Image.fromarray(picture).save(folder / f"{name}.png")
    return folder


@pytest.fixture
def batch(run, scans, tmp_path):
    """Run the command on the pictures."""
    usual = ["--out", tmp_path / "out", "--method", "fixed-level", "--parallel", "chunks"]

    def batch(*more, images=(scans,)):
        return run("batch", *images, *usual, *more)

    return batch


def test_a_folder_becomes_tables(batch, tmp_path):
    (tmp_path / "s.csv").write_text("file;volume_ml\nlake_1;500\nlake_2.png;250\n")
    code, out, err = batch("--pattern", "{sample}_{replicate}", "--sheet", tmp_path / "s.csv", "--quiet")
    assert (code, err) == (0, "")
    assert "Images    3 of 3 done" in out
    assert "Particles 6" in out
    # blank 3; lake 1 and 2, less 3 is nothing
    assert "Sample    lake: 2 filters, 1.5 particles each, 0 without the blanks', 0 per litre" in out
    assert "Sample    blank: 1 filter, 3 particles each" in out
    assert "Note      1 blank: a limit of detection needs three." in out
    assert pd.read_csv(tmp_path / "out" / "batch_summary.csv")["volume_l"].tolist()[1:] == [0.5, 0.25]
    assert (tmp_path / "out" / "batch_report.html").exists()


def test_a_failing_image_is_told_at_the_end_with_exit_code_1(batch, scans, tmp_path):
    (scans / "lake_0.png").write_bytes(b"")
    code, out, _ = batch("--quiet")
    assert code == 1
    assert "Images    3 of 4 done" in out
    assert "Failed    lake_0: " in out
    assert (tmp_path / "out" / "batch_summary.csv").exists()
    assert "(3 of them by an earlier run)" in batch("--quiet")[1]


def test_a_dry_run_shows_what_would_be_done_and_does_nothing(batch, scans, tmp_path):
    (scans / "odd.png").write_bytes(b"")
    code, out, _ = batch("--dry-run", "--pattern", "{sample}_{replicate}.png", "--pixel-size", "2.5um", "--quiet")
    assert code == 0
    lines = out.splitlines()
    assert lines[0].split() == [
        "image",
        "state",
        "width",
        "x",
        "height",
        "pixel",
        "size",
        *("sample", "replicate", "blank"),
    ]
    assert lines[2].split() == ["lake_1", "to", "do", "64", "x", "48", "2.5", "um", "lake", "1", "-"]
    assert "Refused   odd: " in out
    assert "Note      The name odd.png does not fit the pattern" in out
    assert "To do     3 of 4 images, 0.009216 Mpx, one image after the other" in out
    assert "Time      about 1 s" in out
    assert not (tmp_path / "out").exists()


def test_the_summary_is_made_again_without_the_images(batch, run, scans, tmp_path):
    batch("--quiet")
    for image in scans.iterdir():
        image.unlink()
    table = tmp_path / "out" / "lake_2_particles.csv"
    particles = pd.read_csv(table)
    particles.loc[0, "keep"] = False
    particles.to_csv(table, index=False)
    code, out, _ = run("batch", "--summary-only", "--out", tmp_path / "out", "--sizes", "5, 10 px", "--quiet")
    assert code == 0
    assert "Particles 5, and 1 not kept" in out
    assert "size_5-10 px" in pd.read_csv(tmp_path / "out" / "batch_summary.csv")


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--set", "level=100"], 2, 'options was {} and is {"level": 100}'),
        (["--set", "colour=100"], 2, "has no option 'colour'"),
        (["--parallel", "rows"], 2, "Give auto, chunks, images or images:N"),
        (["--pattern", "{sample"], 2, "lonely"),
        (["--sheet", "none.csv"], 2, "none.csv cannot be read"),
        (["--skip-empty", "backgroundd"], 2, "backgroundd"),
        (["--scheduler", "procesess:4"], 2, "procesess"),
        (["--runtime", "torch-fp33", "--method", "default"], 2, "torch-fp33"),
        (["--method", "region-growing"], 2, "region-growing needs seeds"),
        (["--dry-run", "--summary-only"], 2, "exclude each other"),
    ],
)
def test_wrong_arguments_are_told_in_a_sentence(batch, arguments, code, told):
    if arguments[0] == "--set":
        batch("--quiet")
    found, _, err = batch(*arguments, "--quiet")
    assert found == code
    assert told in err


def test_images_must_be_given_and_be_there(run, tmp_path):
    code, _, err = run("batch", "--out", tmp_path)
    assert (code, "Give the images" in err) == (2, True)
    code, _, err = run("batch", tmp_path / "none", "--out", tmp_path / "out")
    assert (code, "is not there" in err) == (2, True)
    for nothing in (tmp_path, tmp_path / "*.png"):
        code, _, err = run("batch", nothing, "--out", tmp_path / "out")
        assert (code, "There is no image" in err) == (2, True)
    code, _, err = run("batch", "--summary-only", "--out", tmp_path / "out")
    assert (code, "holds no batch" in err) == (2, True)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["scans"], "it takes no images"),
        (["--method", "otsu", "--overwrite"], "--method and --overwrite"),
        (["--pixel-size", "2.5um"], "--pixel-size"),
    ],
)
def test_summing_up_refuses_what_it_cannot_use(run, tmp_path, given, told):
    code, _, err = run("batch", *given, "--summary-only", "--out", tmp_path / "out")
    assert code == 2
    assert told in err


def test_a_stopped_batch_says_how_to_go_on(batch, tmp_path, monkeypatch):
    def stop(*given, **more):
        raise Cancelled

    monkeypatch.setattr("napari_mpseg.pipeline.segment", stop)
    code, _, err = batch()
    assert code == 130
    assert f"What is finished is kept in {tmp_path / 'out'}: the same command goes on from there." in err


def test_progress_is_shown_in_pixels_of_all_images(batch):
    assert "Batch of 3 images: 10 of 10 kpx" in batch()[2]
