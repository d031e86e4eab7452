import json

import pytest

from napari_mpseg.comparison.specs import contender_of, contenders_of, parse_spec
from napari_mpseg.errors import MpsegError, SettingsError, UnknownNameError


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("otsu", ("otsu", "otsu", "")),
        ("fixed-level:level=90", ("fixed-level:level=90", "fixed-level", "level=90")),
        ("Low level=fixed-level:level=90", ("Low level", "fixed-level", "level=90")),
        ("Plain=otsu", ("Plain", "otsu", "")),
        (
            "otsu:background=rolling-ball:50",
            ("otsu:background=rolling-ball:50", "otsu", "background=rolling-ball:50"),
        ),
    ],
)
def test_spec_is_heading_method_and_options(spec, expected):
    assert parse_spec(spec) == expected


def test_options_and_what_goes_beside_them():
    one = contender_of("fixed-level:level=90,background=top-hat:20")
    assert one.options == {"level": 90}
    assert one.around == {"background": "top-hat:20"}
    assert contender_of("otsu:particles=dark").options == {"particles": "dark"}


def test_value_with_commas_and_colons_stays_whole():
    one = contender_of("mp-act:ranges=hsb:hue=240-20,brightness=100-255")
    assert one.options == {"ranges": "hsb:hue=240-20,brightness=100-255"}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("fixed-level:nothing=1", "no option 'nothing'"),
        ("fixed-level:level=high", "whole number"),
        ("region-growing", "for every image"),
        ("pixel-forest", "for every image"),
        ("otsu:threshold=7", "probability"),
        ("otsu:background=roling-ball:7", "rolling-ball"),
        ("otsu:background=top-hat:7,background=top-hat:9", "background is given twice"),
        ("fixed-level:level=90,level=100", "level is given twice: 90 and 100"),
        ("otsu:tta=flips", "for networks, and otsu is none"),
        ("default:tta=flops", "flops"),
        ("", "names no method"),
        (":channel=red", "names no method"),
    ],
)
def test_wrong_options_are_refused(spec, message):
    with pytest.raises(MpsegError, match=message):
        contender_of(spec)


def test_a_folder_that_is_no_model_is_refused(tmp_path):
    with pytest.raises(MpsegError, match="card"):
        contender_of(str(tmp_path))


def test_one_text_is_one_method():
    assert [one.label for one in contenders_of("otsu")] == ["otsu"]


def test_unknown_method_names_the_known_ones():
    with pytest.raises(UnknownNameError, match="otsu"):
        contender_of("otzu")


def test_two_rows_of_one_heading_are_refused():
    with pytest.raises(SettingsError, match="another heading"):
        contenders_of(["otsu", "otsu"])
    assert [one.label for one in contenders_of(["otsu", "Again=otsu"])] == ["otsu", "Again"]


def test_no_method_is_refused():
    with pytest.raises(SettingsError, match="at least one"):
        contenders_of([])


def test_cross_validation_without_a_model_is_refused(tmp_path):
    (tmp_path / "folds.json").write_text(json.dumps({"fold_1": []}))
    with pytest.raises(Exception, match="without-fold_1"):
        contender_of(str(tmp_path))
