"""What a method can be told is read from the function that builds it."""

from typing import Annotated, Literal

import numpy as np
import pytest

import napari_mpseg as mp
from napari_mpseg.errors import SettingsError
from napari_mpseg.methods.options import Shown, checked_options, options_of, parse_options
from napari_mpseg.methods.registry import METHODS, MethodEntry, MethodInput


def built(
    level: int = 3,
    share: Annotated[float, Shown("Share of all", "%", 0, 100, 5, "as it comes")] = 0.5,
    mode: Annotated[Literal["one", "two"], Shown("Way")] = "one",
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


def test_titles_units_and_bounds_come_from_the_signature(entry):
    level, share, mode, sure = options_of(entry)
    assert [one.title for one in (level, share, mode, sure)] == ["Level", "Share of all", "Way", "Sure"]
    assert (share.shown.unit, share.shown.low, share.shown.high, share.shown.step) == ("%", 0, 100, 5)
    assert (level.shown, mode.choices) == (Shown(), ("one", "two"))
    said = [share.in_words(2.5), share.in_words(0.5), mode.in_words("two"), sure.in_words(True)]
    assert said == ["share of all 2.5 %", "share of all as it comes", "way two", "sure: yes"]


_GIVEN = {"seeds": np.ones((1, 2)), "painted": np.ones((4, 4), int)}


@pytest.mark.parametrize(
    ("name", "option"),
    [(name, one.name) for name in METHODS for one in options_of(name) if type(one.default) in (int, float)],
)
def test_the_bounds_that_are_shown_are_those_of_the_method(name, option):
    entry = METHODS[name]
    one = next(each for each in options_of(name) if each.name == option)
    given = {each.name: _GIVEN[each.name] for each in entry.inputs}
    assert one.shown.title
    for bound, beyond in ((one.shown.low, -1), (one.shown.high, 1)):
        if bound is not None:
            entry.build(**given, **{option: type(one.default)(bound)}, **_WITH.get((option, bound), {}))
            if (option, bound) not in _NOT_REFUSED:
                with pytest.raises(SettingsError):
                    entry.build(**given, **{option: type(one.default)(bound + (beyond if bound else 2 * beyond))})


_WITH = {("sigma_min", 200): {"sigma_max": 200.0}, ("sigma_max", 0.5): {"sigma_min": 0.5}}
_WITH |= {("finest", 64): {"coarsest": 64.0}, ("coarsest", 0.3): {"finest": 0.3}}
_NOT_REFUSED = (("background_label", 1), ("coarsest", 64))  # by the training; no scale of the octaves is above


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
