"""``napari-mpseg separate``: masks, probabilities and labels of every kind, and what is said when they do not fit."""

import json

import numpy as np
import pandas as pd
import pytest
import tifffile
from PIL import Image


@pytest.fixture
def discs():
    """Two touching discs of radius 9 and a square of 4 px."""
    y, x = np.mgrid[:40, :60]
    mask = np.minimum(np.hypot(y - 15, x - 15), np.hypot(y - 15, x - 31)) <= 9
    mask[35:37, 50:52] = True
    return mask


@pytest.fixture
def mask(discs, tmp_path):
    Image.fromarray(discs.view(np.uint8) * 255).save(tmp_path / "mask.png")
    return tmp_path / "mask.png"


def labels_in(folder, name="mask"):
    return tifffile.imread(folder / f"{name}_separated_particles.tif")


def test_labels_tables_and_record_are_written(run, names, mask, discs, tmp_path):
    out = tmp_path / "out"
    code, said, error = run(
        *("separate", mask, "--out", out, "--way", "imagej-watershed", "--pixel-size", "2um", "--quiet")
    )
    assert (code, error) == (0, "")
    assert names(out) == [
        "mask_separated_particles.csv",
        "mask_separated_particles.parquet",
        "mask_separated_particles.tif",
        "mask_separated_run.json",
    ]
    labels = labels_in(out)
    assert labels.max() == 3
    assert not labels[~discs].any()
    table = pd.read_csv(out / "mask_separated_particles.csv")
    assert table["area_px"].tolist() == np.bincount(labels.ravel())[1:].tolist()
    assert table["area_um2"].iloc[2] == 16
    record = json.loads((out / "mask_separated_run.json").read_text(encoding="utf-8"))
    assert record["operation"] == "separate"
    assert record["settings"]["way"] == "imagej-watershed"
    assert record["settings"]["options"] == {"tolerance": 0.5}
    assert record["particles"] == 3
    assert "Particles 3, imagej-watershed" in said
    assert table["keep"].all()
    assert set(table["class"]) == {"particle"}  # the circularity of discs is above MP-VAT's 0.6


def test_what_is_written_can_be_measured_again(run, mask, tmp_path):
    out = tmp_path / "out"
    assert run("separate", mask, "--out", out, "--way", "distance-watershed", "--pixel-size", "2um")[0] == 0
    code, said, _ = run("measure", out / "mask_separated_particles.tif", "--out", tmp_path / "again")
    assert code == 0
    assert "2 um per pixel" in said
    first = pd.read_csv(out / "mask_separated_particles.csv")
    again = pd.read_csv(tmp_path / "again" / "mask_separated_particles_particles.csv")
    pd.testing.assert_frame_equal(first, again)


def test_cleaning_steps(run, mask, tmp_path):
    for more, count in (
        ([], 2),
        (["--min-size", "4"], 2),
        (["--min-size", "5"], 1),
        (["--max-size", "4"], 1),
        (["--min-size", "5", "--unit", "um", "--pixel-size", "2um"], 2),
        (["--join", "31", "31"], 1),
        (["--fill-holes", "all", "--exclude-edges"], 2),
        (["--way", "distance-watershed", "--set", "prominence=1"], 3),
        (["--way", "distance-watershed", "--set", "prominence=8"], 2),
        (["--way", "distance-watershed", "--set", "line=yes", "--connectivity", "4"], 3),
    ):
        code, said, error = run("separate", mask, "--out", tmp_path / "out", "--overwrite", *more)
        assert (code, f"Particles {count}," in said) == (0, True), (more, said, error)


def test_a_probability_and_an_image(run, discs, tmp_path):
    y, x = np.mgrid[:40, :60]
    valley = np.exp(-(np.minimum(np.hypot(y - 15, x - 15), np.hypot(y - 15, x - 31)) ** 2) / 60)
    np.save(tmp_path / "p.npy", valley.astype(np.float32))
    tifffile.imwrite(tmp_path / "p.tif", np.floor(valley * 255).astype(np.uint8))
    for name in ("p.npy", "p.tif"):
        code, said, error = run(
            *("separate", tmp_path / name, "--threshold", "0.2", "--way", "intensity-watershed"),
            *("--out", tmp_path / name.replace(".", "_")),
        )
        assert (code, error.count("napari-mpseg:")) == (0, 0)
        assert "Particles 2," in said
        table = pd.read_csv(tmp_path / name.replace(".", "_") / "p_separated_particles.csv")
        np.testing.assert_allclose(table["confidence"].mean(), valley[valley > 0.2].mean(), atol=0.01)
    tifffile.imwrite(tmp_path / "mask.tif", discs.view(np.uint8))
    tifffile.imwrite(tmp_path / "grey.tif", (valley * 1000).astype(np.uint16))
    code, said, error = run(
        *("separate", tmp_path / "mask.tif", tmp_path / "grey.tif", "--way", "intensity-watershed"),
        *("--out", tmp_path / "both"),
    )
    assert "Particles 3," in said
    assert "intensity_mean" in pd.read_csv(tmp_path / "both" / "mask_separated_particles.csv")


def test_seeds_from_a_file(run, mask, discs, tmp_path):
    pd.DataFrame({"y": [15, 15], "x": [15, 31]}).to_csv(tmp_path / "seeds.csv", index=False)
    seeds = np.zeros(discs.shape, np.uint8)
    seeds[15, 15], seeds[15, 31] = 1, 2
    tifffile.imwrite(tmp_path / "seeds.tif", seeds)
    for file in ("seeds.csv", "seeds.tif"):
        code, said, _ = run(
            *("separate", mask, "--way", "distance-watershed", "--set", "prominence=50", "--seeds", tmp_path / file),
            *("--out", tmp_path / "out", "--overwrite"),
        )
        assert code == 0
        assert "Particles 3," in said


def test_labels_keep_their_borders(run, tmp_path):
    labels = np.zeros((30, 30), np.uint16)
    labels[5:15, 5:15], labels[5:15, 15:25] = 4, 9
    tifffile.imwrite(tmp_path / "labels.tif", labels)
    for more, count in (((), 1), (("--within-labels",), 2)):
        _, said, _ = run("separate", tmp_path / "labels.tif", "--out", tmp_path / "out", "--overwrite", *more)
        assert f"Particles {count}," in said


def test_a_result_of_segment_gives_its_labels_or_its_probability(run, tmp_path):
    image = np.zeros((80, 90), np.uint8)
    image[20:40, 20:40] = 200
    np.save(tmp_path / "spots.npy", image)
    assert run("segment", tmp_path / "spots.npy", "--method", "fixed-level", "--out", tmp_path / "found")[0] == 0
    store = tmp_path / "found" / "spots.ome.zarr"
    for more in ((), ("--threshold", "0.5")):
        code, said, error = run("separate", store, "--out", tmp_path / "found", "--overwrite", *more)
        assert (code, "Particles 1," in said) == (0, True), error


def test_a_coloured_mask(run, discs, tmp_path):
    colour = np.zeros((*discs.shape, 3), np.uint8)
    colour[discs] = 0, 200, 0
    Image.fromarray(colour).save(tmp_path / "drawn.png")
    code, said, _ = run("separate", tmp_path / "drawn.png", "--out", tmp_path / "out")
    assert code == 0
    assert "Particles 2," in said
    code, _, error = run("separate", tmp_path / "drawn.png", "--threshold", "0.5", "--out", tmp_path / "other")
    assert code == 1
    assert "picture with 3 channels" in error


def test_an_earlier_result_stays(run, mask, tmp_path):
    command = ("separate", mask, "--out", tmp_path / "out")
    assert run(*command)[0] == 0
    code, _, error = run(*command)
    assert code == 1
    assert "already holds results" in error


@pytest.mark.parametrize(
    ("more", "code", "text"),
    [
        (["--way", "watershed"], 2, "invalid choice"),
        (["--min-size", "-1"], 2, "not a size"),
        (["--fill-holes", "some"], 2, "not a size"),
        (["--threshold", "1.5"], 2, "not a probability"),
        (["--set", "prominence"], 2, "not NAME=VALUE"),
        (["--set", "prominence=1"], 2, "has no setting 'prominence'"),
        (["--way", "imagej-watershed", "--set", "tolerance=-3"], 2, "give a number from 0"),
        (["--way", "imagej-watershed", "--set", "tolerance=much"], 2, "neither a number"),
        (["--way", "intensity-watershed"], 2, "needs an image"),
        (["--min-size", "9", "--max-size", "5"], 2, "nothing would be left"),
        (["--min-size", "9", "--unit", "um"], 2, "no pixel size"),
        (["--join", "9", "15"], 2, "eat particles away"),
        (["--join", "8", "2"], 2, "odd number, such as 9"),
        (["--seeds", "nowhere.csv"], 1, "cannot be read"),
    ],
)
def test_wrong_arguments_are_told_and_nothing_is_written(run, mask, tmp_path, more, code, text):
    found, said, error = run("separate", mask, "--out", tmp_path / "out", *more)
    assert (found, said) == (code, "")
    assert text in error
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_help_tells_the_settings_of_every_way(run):
    code, said, _ = run("separate", "--help")
    assert code == 0
    text = " ".join(said.split())
    for words in ("tolerance=0.5", "prominence=0.75", "smoothing=1.0", "line=false"):
        assert words in text
