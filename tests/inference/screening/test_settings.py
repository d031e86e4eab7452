"""What users type for skipping empty space."""

import pytest

from napari_mpseg.errors import SettingsError, UnknownNameError
from napari_mpseg.inference.screening import SCREENS, ScreenSettings, find_screen
from napari_mpseg.settings import from_dict, to_dict


@pytest.mark.parametrize("way", SCREENS)
def test_a_name_alone_takes_the_way_s_own_limit(way):
    assert find_screen(way).level == SCREENS[way].limit


@pytest.mark.parametrize("way", SCREENS)
@pytest.mark.parametrize("particles", ["both", "bright", "dark"])
def test_the_text_of_settings_is_read_back(way, particles):
    settings = ScreenSettings(way, 0.25, particles)
    assert find_screen(str(settings)) == settings
    assert from_dict(ScreenSettings, to_dict(settings)) == settings


@pytest.mark.parametrize("nothing", [None, "none", "", " none "])
def test_nothing_is_no_screen(nothing):
    assert find_screen(nothing) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("background:many", "no number"),
        ("background:-2", "-2"),
        ("background:nan", "nan"),
        ("low-resolution:1.5", "probability"),
        ("background:4:5", "WAY:LIMIT"),
        (7, "no way"),
    ],
)
def test_what_cannot_be_is_refused_with_the_value(text, said):
    with pytest.raises(SettingsError, match=said):
        find_screen(text)


def test_an_unknown_way_names_the_known_ones():
    with pytest.raises(UnknownNameError, match="background"):
        find_screen("backgruond:4")


@pytest.mark.parametrize("wrong", [{"particles": "grey"}, {"block": 4}, {"block": 1000}, {"grow": -1}, {"check": -1}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(SettingsError):
        ScreenSettings(**wrong)
