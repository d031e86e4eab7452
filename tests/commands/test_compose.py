"""``napari-mpseg compose``."""

import json

import numpy as np
import PIL.Image
import pytest
import tifffile

from napari_mpseg.synthesis.semi import load_cutouts
from napari_mpseg.training.data.pairs import load_folder
from napari_mpseg.training.data.semi_writing import StoredImages


@pytest.fixture
def labelled(tmp_path):
    """Return a folder of one image with two squares, and its labels."""
    labels = np.zeros((90, 80), np.uint16)
    labels[10:20, 10:20], labels[50:58, 40:60] = 1, 2
    pixels = np.full((90, 80, 3), 40, np.uint8)
    pixels[labels > 0] = (220, 90, 30)
    folder = tmp_path / "labelled"
    (folder / "labels").mkdir(parents=True)
    PIL.Image.fromarray(pixels).save(folder / "a.png")
    tifffile.imwrite(folder / "labels" / "a.tif", labels)
    return folder


def test_images_labels_and_record_are_written(run, labelled, tmp_path):
    out, library = tmp_path / "made", tmp_path / "library"
    code, said, _ = run(
        *("compose", labelled, "--out", out, "--count", 3, "--size", "64x48", "--particles", "2", "--blend", "poisson"),
        *("--background", "empty", "--occlusion", 0.5, "--save-cutouts", library, "--quiet"),
    )
    assert code == 0
    assert "Cutouts   2" in said
    pairs = load_folder(out)
    assert [pair.image.shape for pair in pairs] == [(64, 48, 3)] * 3
    assert all(pair.mask.any() for pair in pairs)
    settings = json.loads((out / "semi_synthetic.json").read_text())["settings"]
    assert (settings["blend"], settings["occlusion"], settings["particles"]) == ("poisson", 0.5, [2, 2])
    assert [one.area for one in load_cutouts(library)] == [100, 160]


def test_a_library_on_a_plain_background_as_zarr(run, labelled, tmp_path):
    library, out = tmp_path / "library", tmp_path / "made.zarr"
    run("compose", labelled, "--out", tmp_path / "first", "--count", 1, "--size", 64, "--save-cutouts", library)
    code, _, _ = run(
        *("compose", library, "--out", out, "--zarr", "--count", 2, "--size", 64, "--background", "plain"),
        *("--background-colour", "10,20,30", "--recolour", "plain", "--colour", "200,0,0", "--blend", "replace"),
    )
    assert code == 0
    made = StoredImages(out)[1]
    np.testing.assert_array_equal(np.unique(made.image[made.mask], axis=0), [[200, 0, 0]])
    np.testing.assert_array_equal(np.unique(made.image[~made.mask], axis=0), [[10, 20, 30]])


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--blend", "mix"], 2, "No blend is called 'mix'"),
        (["--occlusion", "2"], 2, "occlusion 2.0 is impossible"),
        (["--size", "big"], 2, "not a number of pixels"),
        (["--particles", "a-b"], 2, "neither a number nor a range"),
        (["--count", "0"], 2, "no number of images"),
        (["--colour", "red"], 2, "is no colour"),
        (["--recolour", "plain", "--colour", "nan,1,2"], 2, "colour (nan, 1.0, 2.0) is impossible: give levels of 0"),
        (["--recolour", "plain", "--colour", "999,-5,2"], 2, "levels of 0 to 255"),
        (["--background", "plain", "--background-colour", "inf"], 2, "levels of 0 to 255"),
        (["--colour", "1,2,3"], 2, "is for --recolour plain only"),
        (["--background-colour", "1,2,3"], 2, "is for --background plain only"),
        (["--look", "sem"], 2, "is for --background synthetic"),
        (["--weight", "0"], 2, "not be seen"),
        (["--size", "100000"], 2, "at most 268435456 px in all"),
        (["--least-pixels", "5000"], 1, "holds no particle of 5000 px"),
        (["--particle-value", "7"], 2, "No truth holds the value 7"),
    ],
)
def test_what_is_wrong_is_told(run, labelled, tmp_path, arguments, code, told):
    got, _, error = run("compose", labelled, "--out", tmp_path / "made", *arguments)
    assert got == code
    assert told in error
    assert not (tmp_path / "made").exists()


def test_what_is_there_is_kept(run, labelled, tmp_path):
    code, _, error = run("compose", labelled, "--out", labelled, "--overwrite")
    assert (code, "holds the images to compose from" in error) == (2, True)
    for inside in (labelled / "labels" / "x", labelled / "made"):
        code, _, error = run("compose", labelled, "--out", inside)
        assert (code, "lies within the images to compose from" in error) == (2, True)
        assert not inside.exists()
    (tmp_path / "made").mkdir()
    code, _, error = run("compose", labelled, "--out", tmp_path / "made")
    assert (code, "exists" in error) == (1, True)


def test_too_little_memory_names_an_option_of_this_command(run, labelled, tmp_path, monkeypatch):
    def full(*_, **__):
        raise MemoryError

    monkeypatch.setattr("napari_mpseg.training.data.semi_writing.write_pairs", full)
    code, _, error = run("compose", labelled, "--out", tmp_path / "made", "--size", 64, "--quiet")
    assert code == 1
    assert "64 x 64 px" in error
    assert "--size" in error
    assert "--tile-size" not in error
