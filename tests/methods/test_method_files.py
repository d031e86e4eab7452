"""Method files: what is saved is read back and does the same; what is damaged or foreign is refused."""

import json

import numpy as np
import pytest

from napari_mpseg.errors import ModelError, MpsegError, SettingsError, StoreError, UnknownNameError
from napari_mpseg.methods.colour_ranges import colour_threshold
from napari_mpseg.methods.files import entry_of, load_method, save_method
from napari_mpseg.methods.options import options_of
from napari_mpseg.methods.registry import METHODS, resolve_method
from napari_mpseg.pipeline import segment

RANGES = "hsb:hue=240-20,brightness=100-255 or rgb:green=150-255 except lab:b=0-40"


def some_options(name):
    """Return a value for every option: another one than the default where there are choices."""
    return {one.name: one.choices[-1] if one.choices else one.default for one in options_of(name)}


@pytest.fixture
def picture():
    image = np.zeros((60, 80, 3), np.uint8)
    image[5:10, 5:10] = 230, 20, 30
    image[20:24, 30:34] = 20, 200, 40
    return image


@pytest.mark.parametrize("name", METHODS)
def test_any_registered_method_is_saved_and_read_back(name, tmp_path):
    options = some_options(name)
    base = METHODS[name]
    if any(one.kind == "settings" for one in base.inputs):
        options["ranges"] = RANGES
    path = save_method(tmp_path / "mine of today.json", name, options, min_size=7, threshold=0.25, note="made by hand")
    entry = resolve_method(path)
    assert (entry.name, entry.title, entry.summary) == ("mine of today", "mine of today", "made by hand")
    assert entry.options == {**base.options, **options}
    assert (entry.factory, entry.group, entry.network, entry.graded) == (
        base.factory,
        base.group,
        base.network,
        base.graded,
    )
    assert entry.defaults == {"min_size": 7, "threshold": 0.25}
    assert [one.name for one in entry.inputs] == [one.name for one in base.inputs if one.kind != "settings"]
    assert options_of(entry) == ()  # all are set


def test_the_file_is_plain_json(tmp_path):
    save_method(tmp_path / "a.json", "mp-act", {"ranges": colour_threshold("rgb:red=1-2")}, background="top-hat:25")
    assert json.loads((tmp_path / "a.json").read_text()) == {
        "kind": "napari-mpseg method",
        "format": 1,
        "method": "mp-act",
        "options": {
            "ranges": [{"space": "rgb", "low": [1, 0, 0], "high": [2, 255, 255], "inside": [True, True, True]}]
        },
        "background": {"way": "top-hat", "radius": 25.0, "light": False},
    }
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.parametrize("form", [RANGES, colour_threshold(RANGES)])
def test_ranges_come_back_as_they_were(form, tmp_path):
    path = save_method(tmp_path / "a.json", "mp-act", {"ranges": form})
    assert colour_threshold(load_method(path).options["ranges"]) == colour_threshold(RANGES)


def test_segmenting_with_the_file_is_segmenting_with_the_method(picture, tmp_path, run):
    options = {"ranges": "rgb:green=150-255"}
    path = save_method(tmp_path / "green.json", "mp-act", options)
    result = segment(picture, path)
    np.testing.assert_array_equal(result.labels, segment(picture, "mp-act", options=options).labels)
    assert (result.count, result.method) == (1, "green")
    with pytest.raises(SettingsError, match="no option 'ranges'"):
        segment(picture, path, options=options)
    code, out, err = run("methods", path)
    assert code == 0, err
    assert "green" in out


def test_options_left_out_can_still_be_set(tmp_path):
    left = options_of(entry_of(save_method(tmp_path / "a.json", "fixed-level", {"level": 3})))
    assert [one.name for one in left] == [one.name for one in options_of("fixed-level") if one.name != "level"]


@pytest.mark.parametrize(
    ("method", "more", "error", "why"),
    [
        ("no-such", {}, UnknownNameError, "no-such"),
        ("mp-act", {}, SettingsError, "ranges"),
        ("mp-act", {"options": {"ranges": "hsv:"}}, SettingsError, "colour space"),
        ("fixed-level", {"options": {"level": "high"}}, SettingsError, "whole number"),
        ("fixed-level", {"options": {"height": 3}}, SettingsError, r"no option 'height'.*level"),
        ("otsu", {"options": {"rule": "yen"}}, SettingsError, "no option 'rule'"),
        ("fixed-level", {"threshold": 1.5}, SettingsError, "Threshold"),
        ("fixed-level", {"threshold": "half"}, SettingsError, "threshold"),
        ("fixed-level", {"min_size": -1}, SettingsError, "Minimum size"),
        ("fixed-level", {"min_size": 2.5}, SettingsError, "whole number"),
        ("fixed-level", {"background": "candle"}, MpsegError, "candle"),
        ("fixed-level", {"note": 3}, SettingsError, "note"),
    ],
)
def test_what_does_not_fit_is_not_saved(method, more, error, why, tmp_path):
    with pytest.raises(error, match=why):
        save_method(tmp_path / "a.json", method, **more)
    assert not list(tmp_path.iterdir())


def test_what_belongs_to_one_image_is_not_saved(tmp_path):
    with pytest.raises(SettingsError, match="belong to one image"):
        save_method(tmp_path / "a.json", "region-growing", {"seeds": np.zeros((1, 2))})


def test_the_file_keeps_its_ending_and_what_is_there(tmp_path):
    with pytest.raises(SettingsError, match=r"a\.json"):
        save_method(tmp_path / "a.txt", "fixed-level")
    save_method(tmp_path / "a.json", "fixed-level", {"level": 3})
    with pytest.raises(StoreError):
        save_method(tmp_path / "a.json", "fixed-level", {"level": 4}, overwrite=False)
    assert load_method(tmp_path / "a.json").options == {"level": 3}


GOOD = {"kind": "napari-mpseg method", "format": 1, "method": "fixed-level", "options": {"level": 3}}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"kind": "rule set"}, "no method file"),
        ({"format": 2}, r"format 2.*newer napari-mpseg"),
        ({"format": 0}, "damaged"),
        ({"format": True}, "damaged"),
        ({"format": "1"}, "damaged"),
        ({"colour": "red"}, "unknown colour"),
        ({"method": None}, "must be a name"),
        ({"method": "no-such"}, "no-such"),
        ({"method": "/models/mine"}, "/models/mine"),
        ({"options": [1]}, "an object"),
        ({"options": {"level": 300.5}}, "whole number"),
        ({"options": {"hight": 3}}, "no option 'hight'"),
        ({"options": {"device": "cpu"}}, "no option 'device'"),
        ({"background": {"way": "rolling-ball", "size": 3}}, "size"),
        ({"background": "rolling-ball"}, "JSON object"),
        ({"threshold": "a"}, "threshold"),
        ({"min_size": True}, "whole number"),
        ({"note": 1}, "note"),
        ({"method": "mp-act", "options": {}}, "ranges"),
        ({"method": "mp-act", "options": {"ranges": [{"space": "hsb", "low": [1, 2, 300]}]}}, "0 to 255"),
        ({"method": "region-growing", "options": {"seeds": [[1, 2]]}}, "belong to one image"),
    ],
)
def test_damaged_and_foreign_files_are_refused(change, why, tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps({**GOOD, **change}))
    with pytest.raises(ModelError, match=why) as caught:
        resolve_method(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "3", '{"kind": "napari-mpseg method", "kind": "x"}', "\x00\xff", "[" * 100_000, '{"format": NaN}'],
)
def test_what_is_no_json_object_is_refused(text, tmp_path):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(ModelError, match=r"a\.json"):
        load_method(path)


def test_missing_folders_binaries_and_large_files_are_refused(tmp_path):
    with pytest.raises(ModelError, match="cannot be read"):
        load_method(tmp_path / "none.json")
    with pytest.raises(ModelError, match="cannot be read"):
        load_method(tmp_path)
    (tmp_path / "a.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ModelError, match="no JSON"):
        load_method(tmp_path / "a.json")
    (tmp_path / "b.json").write_text(json.dumps({**GOOD, "note": "x" * 2**20}))
    with pytest.raises(ModelError, match="too large"):
        load_method(tmp_path / "b.json")


def test_what_the_pipeline_was_asked_is_asked_again_unless_told_otherwise(picture, tmp_path):
    path = save_method(
        tmp_path / "large.json", "mp-act", {"ranges": "rgb:red=200-255 or rgb:green=150-255"}, min_size=20
    )
    assert segment(picture, path).count == 1  # 25 and 16 px
    assert segment(picture, path, min_size=3).count == 2


def test_the_record_names_the_method_behind_a_file(tmp_path):
    save_method(tmp_path / "ours.json", "local-threshold", {"window": 31})
    picture = np.zeros((40, 40), np.uint8)
    picture[10:14, 10:14] = 200
    settings = segment(picture, tmp_path / "ours.json", measure=False).provenance["settings"]
    assert (settings["method"], settings["based_on"]) == ("ours", "local-threshold")
    assert settings["options"]["window"] == 31
    for plain in ("otsu", "default"):
        assert "based_on" not in segment(picture, plain, measure=False).provenance["settings"]
