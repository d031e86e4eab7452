"""``napari-mpseg protocol``: lists, describes, runs, and says what is wrong."""

import json

import numpy as np
import pytest
from PIL import Image as Pictures

from napari_mpseg.experiments.registry import PROTOCOLS


@pytest.fixture
def folds(tmp_path, rng):
    """Three folds of two images of 48 px with one particle each; 0 is particle."""
    for fold in ("fold_1", "fold_2", "fold_3"):
        folder = tmp_path / "data" / fold
        (folder / "labels").mkdir(parents=True)
        for number in range(2):
            image = rng.integers(20, 40, (48, 48, 3), np.uint8)
            label = np.full((48, 48), 255, np.uint8)
            image[10:20, 10 + number : 20] = 220
            label[10:20, 10 + number : 20] = 0
            Pictures.fromarray(image).save(folder / f"{number}.png")
            Pictures.fromarray(label).save(folder / "labels" / f"{number}.png")
    return tmp_path / "data"


QUICK = [
    *("--particle-value", "0", "--quiet", "--epochs", "1", "--presets", "baek-unet-2"),
    *("--set", "network=quarter-multiresunet", "--set", "patches.size=32", "--set", "patches.step=32"),
]


def test_protocols_are_listed(run):
    code, out, _ = run("protocol")
    assert code == 0
    assert all(name in out for name in PROTOCOLS)


@pytest.mark.parametrize("name", list(PROTOCOLS))
def test_a_protocol_is_described(run, name):
    code, out, _ = run("protocol", name)
    assert code == 0
    protocol = PROTOCOLS[name]
    for text in (*protocol.presets, protocol.published.where, "What the paper leaves open"):
        assert text in out


def test_three_folds_each_test_once(run, folds, tmp_path):
    """Six trainings: each fold tests, and each of the others validates."""
    command = ["protocol", "baek-2021", folds, "--out", tmp_path / "out", "--methods", "otsu", *QUICK]
    code, out, err = run(*command)
    assert code == 0, err
    assert "| otsu | 1.000 | 1.000 | 1.000 | 1.000 | 1.000 | 1.000 | 1.000 |" in out
    assert "tested on fold_1, fold_2, fold_3; 6 trainings per preset" in out
    assert "baek-unet-2: Baek et al. 2021, changed, 1 epoch\n" in out
    table = json.loads((tmp_path / "out" / "table.json").read_text())
    best = next(row for row in table["rows"] if (row["block"], row["name"]) == ("best", "baek-unet-2"))
    assert [name.split("-")[1] for name in best["rounds"]] == ["fold_1", "fold_2", "fold_3"]
    assert (tmp_path / "out" / "table.md").read_text().strip() in out
    code, _, err = run(*command, "--option", "test=fold_1")
    assert code == 2
    assert "settings test" in err


def test_a_truth_that_seems_inverted_is_said(run, folds, tmp_path):
    command = ["protocol", "babkauskas-2023", folds, "--methods", "otsu", "--quiet", "--presets"]
    said = run(*command, "--out", tmp_path / "out")[1]
    assert said.count("of the pixels of the truth are particle. If 0 means particle") == 2  # at once, and in the table
    assert "1 training per preset" in said
    assert "of the truth" not in run(*command, "--out", tmp_path / "right", "--particle-value", 0)[1]


def test_one_fold_tests_and_methods_are_added_later(run, folds, tmp_path):
    command = ["protocol", "baek-2021", folds, "--out", tmp_path / "out", "--quiet", "--particle-value", "0"]
    command += ["--option", "test=fold_2", "--presets"]
    for methods in (["otsu"], ["otsu", "yen"]):
        code, out, err = run(*command, "--methods", *methods)
        assert code == 0, err
        assert out.count("| otsu |") == 2
    assert out.count("| yen |") == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["baek-2022", "DATA"], "Did you mean 'baek-2021'"),
        (["baek-2021", "DATA"], "--out"),
        (["baek-2021", "DATA", "--out", "OUT", "--option", "test"], "KEY=VALUE"),
        (["baek-2021", "DATA", "--out", "OUT", "--option", "tests=1"], "no setting 'tests'"),
        (["baek-2021", "DATA", "--out", "OUT", "--option", "test=fold_9", "--presets"], "no dataset 'fold_9'"),
        (["baek-2021", "DATA", "--out", "OUT", "--folds", "2", "--presets"], "Three datasets or more are needed"),
        (["baek-2021", "DATA", "--out", "OUT", "--folds", "1", "--presets"], "there is 1."),
        (["baek-2021", "DATA", "--out", "OUT", "--particle-value", "77", "--presets"], "there are 0, "),
        (["baek-2021", "DATA", "--out", "OUT", "--together", "zzz", "--presets"], "in no file name"),
        (["baek-2021", "DATA", "--out", "OUT", "--folds", "7", "--presets"], "cannot be divided into 7"),
        (
            ["baek-2021", "DATA", "--out", "OUT", "--presets", "baek-unet-2", "baek-unet-2"],
            "would be called baek-unet-2",
        ),
        (["baek-2021", "DATA", "--out", "OUT", "--methods", "otsi", "--presets"], "Did you mean 'otsu'"),
        (["baek-2021", "DATA", "--out", "OUT", "--together", "(", "--presets"], "no regular expression"),
        (["baek-2021", "DATA", "--out", "OUT", "--together", "^.", "--presets"], "belong together"),
        (["babkauskas-2023", "DATA", "--out", "OUT", "--folds", "3", "--presets"], "no folds"),
        (["lee-2021", "DATA", "--out", "OUT", "--option", "validation=0.0", "--presets"], "above 0"),
        (["baek-2021", "NOWHERE", "--out", "OUT", "--presets"], "No image found"),
    ],
)
def test_wrong_arguments_say_what_to_do(run, folds, tmp_path, arguments, said):
    places = {"DATA": folds, "OUT": tmp_path / "out", "NOWHERE": tmp_path / "nowhere"}
    if "--presets" in arguments and "--methods" not in arguments:
        arguments = [*arguments, "--methods", "otsu"]
    code, _, err = run("protocol", *(places.get(one, one) for one in arguments), "--quiet")
    assert code == (1 if "NOWHERE" in arguments else 2)
    assert said in err
