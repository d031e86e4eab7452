"""Headings, numbers and names as people write them."""

from pathlib import Path

import pytest

from napari_mpseg.batch.metadata import Metadata, read_heading, read_metadata
from napari_mpseg.batch.names import assign_names
from napari_mpseg.batch.numbers import read_number
from napari_mpseg.batch.pattern import read_pattern
from napari_mpseg.errors import SettingsError


@pytest.mark.parametrize(
    ("heading", "value", "litres"),
    [
        ("volume_l", "1.5", 1.5),
        ("Volume_mL", "500", 0.5),
        ("volume filtered (L)", "2", 2.0),
        ("Volume filtered [ml]", "250,5", 0.2505),
        ("volume (m³)", "0.01", 10.0),
        ("Volume litres", "3", 3.0),
        ("Vol. (dL)", "5", 0.5),
    ],
)
def test_volumes_are_read_in_the_unit_of_their_heading(heading, value, litres):
    assert read_metadata({heading: value}).volume_l == pytest.approx(litres)


@pytest.mark.parametrize(
    ("heading", "value", "area"),
    [("filter_area_mm2", "12", 12.0), ("Filter area (cm²)", "1,5", 150.0), ("imaged area [µm2]", "3e6", 3.0)],
)
def test_areas_are_read_in_the_unit_of_their_heading(heading, value, area):
    found = read_metadata({heading: value})
    assert (found.filter_area_mm2 or found.imaged_area_mm2) == pytest.approx(area)


@pytest.mark.parametrize("heading", ["volume", "Volume filtered", "filter area"])
def test_a_quantity_without_a_unit_is_refused(heading):
    with pytest.raises(SettingsError, match="tells no unit"):
        read_heading(heading)


def test_other_columns_are_kept_as_they_are():
    assert read_metadata({"Station no": " 007 ", "sample": "lake"}) == Metadata("lake", more={"Station no": "007"})


@pytest.mark.parametrize(("said", "meant"), [("yes", True), ("No", False), ("x", True), ("-", False), ("ja", True)])
def test_blank_is_yes_or_no(said, meant):
    assert read_metadata({"blank": said}).is_blank is meant


def test_an_empty_cell_says_nothing_of_blanks():
    assert read_metadata({"sample": "blank", "blank": ""}).is_blank
    assert read_metadata({"sample": "lake", "blank": " "}).blank is None
    assert not read_metadata({"sample": "blank", "blank": "no"}).is_blank


def test_a_blank_is_known_by_its_sample_where_nobody_says_otherwise():
    assert Metadata("Procedural blank 2").is_blank
    assert Metadata("BLANK").is_blank
    assert not Metadata("blanket").is_blank
    assert not Metadata("blank", blank=False).is_blank


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1.5", 1.5),
        ("1,5", 1.5),
        ("1.234,5", 1234.5),
        ("1,234.5", 1234.5),
        ("1 000", 1000),
        ("2e-3", 0.002),
        ("0,125", 0.125),
    ],
)
def test_numbers_are_read_with_decimal_point_or_comma(text, number):
    assert read_number(text, "volume") == pytest.approx(number)


@pytest.mark.parametrize(
    ("text", "why"), [("1,234", "may be 1.234 or 1234"), ("1.2.3", "no number"), ("two", "no number")]
)
def test_numbers_that_can_be_read_in_two_ways_or_none_are_refused(text, why):
    with pytest.raises(SettingsError, match=why):
        read_number(text, "volume")


@pytest.mark.parametrize("value", ["0", "-1"])
def test_a_volume_is_above_zero(value):
    with pytest.raises(SettingsError, match="above zero"):
        read_metadata({"volume_l": value})


@pytest.mark.parametrize(
    ("pattern", "path", "found"),
    [
        ("{sample}_{replicate}.tif", "s/lake_A_2.tif", {"sample": "lake_A", "replicate": "2"}),
        ("{sample}_{replicate}", "s/lake_2.ome.tif", {"sample": "lake", "replicate": "2"}),
        ("{sample:letters}{replicate:digits}", "s/lake12.png", {"sample": "lake", "replicate": "12"}),
        ("{sample}/{replicate}.tif", "s/lake/3.TIF", {"sample": "lake", "replicate": "3"}),
        ("{sample}_{volume_l}L_*", "lake_1,5L_today.tif", {"sample": "lake", "volume_l": "1,5"}),
        ("{sample}\\{replicate}.tif", "s/lake/3.tif", {"sample": "lake", "replicate": "3"}),
        ("{sample}_{replicate}", "s/lake_2.v1.zarr", {"sample": "lake", "replicate": "2.v1"}),
    ],
)
def test_names_are_read_by_their_pattern(pattern, path, found):
    assert read_pattern(pattern).read(Path(path)) == found


@pytest.mark.parametrize(
    ("pattern", "name", "why"),
    [
        ("{sample}_{replicate:digits}.tif", "lake-1.tif", r"\{sample\} fits, and then _ is missing"),
        ("{sample:letters}_{replicate:digits}.tif", "12_1.tif", r"does not begin with \{sample:letters\}"),
        (
            "{sample}_{replicate:digits}.tif",
            "lake_one.tif",
            r"\{sample\}_ fits, and then \{replicate:digits\} is missing",
        ),
        ("{sample}_{replicate:digits}", "lake_1b.tif", "there is more behind it"),
    ],
)
def test_a_name_that_does_not_fit_is_told_from_where_on(pattern, name, why):
    with pytest.raises(SettingsError, match=why):
        read_pattern(pattern).read(Path(name))


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("plain.tif", "has no field"),
        ("{sample}_{sample}", "twice"),
        ("{sample", "lonely"),
        ("{sample:words}", "Known are text, letters, digits, number"),
        ("{my sample}", "A field is a word"),
        ("{volume}_{sample}", "tells no unit"),
    ],
)
def test_a_pattern_that_makes_no_sense_is_refused(pattern, why):
    with pytest.raises(SettingsError, match=why):
        read_pattern(pattern)


def named(*paths, given=()):
    found = assign_names([(Path(path), Path(path).stem) for path in paths], dict(given))
    return [found[Path(path)] for path in paths]


def test_images_of_one_name_get_names_of_their_own():
    assert named("/s/may/a.tif", "/s/june/a.tif", "/s/may/b.tif") == ["may_a", "june_a", "b"]
    assert named("/s/a.tif", "/s/a.png") == ["a_tif", "a_png"]
    assert named("/s/1/x/a.tif", "/s/2/x/a.tif") == ["1_x_a_tif", "2_x_a_tif"]
    assert len(set(named("/s/a.tif", "/s/A.tif"))) == 2  # one file where case does not count
    assert len({name.casefold() for name in named("/s/a.tif", "/s/A.tif")}) == 2
    assert named("/s/batch.tif") == ["s_batch"]  # batch_run.json is taken


def test_names_that_were_given_stay_and_are_not_given_again():
    given = {Path("/s/may/a.tif"): "a"}
    assert named("/s/may/a.tif", "/s/june/a.tif", given=given) == ["a", "june_a"]
    assert named("/s/june/a.tif", given=given) == ["june_a"]
