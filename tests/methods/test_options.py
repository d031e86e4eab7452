"""What a method can be told is read from the function that builds it."""

from typing import Literal

import numpy as np
import pytest

import napari_mpseg as mp
from napari_mpseg.errors import SettingsError
from napari_mpseg.methods.options import checked_options, options_of, parse_options
from napari_mpseg.methods.registry import METHODS, MethodEntry, MethodInput


def built(
    level: int = 3,
    share: float = 0.5,
    mode: Literal["one", "two"] = "one",
    sure: bool = False,
    seeds: object = None,
    device: str = "auto",
) -> tuple:
    """Build nothing.

    Parameters
    ----------
    level : int
        How high.
        And why.
    share, mode : float, str
        Told together.

    Raises
    ------
    SettingsError
        Never : ever.
    """
    return level, share, mode, sure, seeds


@pytest.fixture
def entry():
    seeds = MethodInput("seeds", "points", "Points", "where to begin")
    return MethodEntry("mine", "Mine", "Does nothing.", f"{__name__}:built", inputs=(seeds,))


def test_names_defaults_choices_and_help_come_from_signature_and_docstring(entry):
    level, share, mode, sure = options_of(entry)
    assert (level.name, level.default, level.help) == ("level", 3, "How high. And why.")
    assert (share.help, mode.help) == ("Told together.", "Told together.")
    assert mode.choices == ("one", "two")
    assert (sure.title, sure.help) == ("Sure", "")


def test_texts_become_values_of_the_options_type(entry):
    texts = ["level=7", "share=0.25", "mode=two", "sure=yes"]
    assert parse_options(entry, texts) == {"level": 7, "share": 0.25, "mode": "two", "sure": True}


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("level", "NAME=VALUE"),
        ("levels=3", "no option 'levels'"),
        ("level=high", "whole number, not 'high'"),
        ("share=half", "a number, not 'half'"),
        ("mode=three", "one, two"),
        ("sure=perhaps", "yes or no"),
    ],
)
def test_what_does_not_fit_is_said(entry, text, part):
    with pytest.raises(SettingsError, match=part):
        parse_options(entry, [text])


def test_values_and_inputs_are_checked(entry):
    assert checked_options(entry, {"share": 1, "seeds": np.zeros((1, 2))})["share"] == 1
    with pytest.raises(SettingsError, match="needs seeds: where to begin"):
        checked_options(entry, {"level": 2})
    for wrong in ({"level": True}, {"level": "2"}, {"share": "2"}, {"mode": "three"}, {"other": 1}):
        with pytest.raises(SettingsError):
            checked_options(entry, {**wrong, "seeds": np.zeros((1, 2))})


@pytest.mark.parametrize("name", METHODS)
def test_every_option_of_every_method_is_explained(name):
    for option in options_of(name):
        assert len(option.help) > 10, option.name
        assert not option.choices or option.default in option.choices


def test_options_reach_the_method_and_its_record():
    picture = np.zeros((30, 30), np.uint8)
    picture[3:8, 3:8], picture[20:24, 20:24] = 90, 200
    assert mp.segment(picture, "fixed-level", options={"level": 80}).count == 2
    result = mp.segment(picture, "fixed-level", options={"level": 100})
    assert result.count == 1
    assert result.provenance["settings"]["options"]["level"] == 100
    with pytest.raises(SettingsError, match="no option 'levle'"):
        mp.segment(picture, "fixed-level", options={"levle": 100})
    with pytest.raises(SettingsError, match="too late"):
        mp.segment(picture, METHODS["fixed-level"].build(), options={"level": 100})


def test_on_the_command_line(run, tmp_path):
    code, out, _ = run("methods", "fixed-level")
    assert code == 0
    assert "--set level=106" in out
    picture = np.zeros((30, 30), np.uint8)
    picture[3:8, 3:8] = 90
    np.save(tmp_path / "a.npy", picture)
    code, out, err = run(
        "segment", tmp_path / "a.npy", "--method", "fixed-level", "--set", "level=80", "--out", tmp_path / "out"
    )
    assert code == 0, err
    assert "Particles 1" in out
    for wrong in (["--set", "levels=3"], ["--set", "level"], ["--input", "seeds=a.csv"], ["--background", "rollng"]):
        code, _, err = run("segment", tmp_path / "a.npy", "--method", "fixed-level", "--out", tmp_path / "x", *wrong)
        assert code != 0
        assert not (tmp_path / "x").exists()
        assert err.strip()
