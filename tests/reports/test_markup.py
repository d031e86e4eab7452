"""Numbers, units and names on a page."""

import pytest

from napari_mpseg.reports.markup import Markup, element, heading, joined, number, size_text, table, unit_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (14733, "14733"),
        (0.94812, "0.9481"),
        (19.237, "19.24"),
        (999.96, "1000"),
        (12345.6, "12346"),
        (1e-7, "1e-7"),
        (float("nan"), "–"),
        (None, "–"),
        (float("inf"), "∞"),
        (-2.5, "-2.5"),
    ],
)
def test_numbers(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("unit", "text"),
    [("um", "µm"), ("um2", "µm²"), ("px2", "px²"), ("mm2", "mm²"), ("deg", "°"), ("", ""), ("Mpx", "Mpx")],
)
def test_units(unit, text):
    assert unit_text(unit) == text


def test_headings():
    assert heading("tile_size") == "Tile size"
    assert size_text(">=500 um") == "≥ 500 µm"
    assert size_text("20-50 um") == "20–50 µm"


def test_all_but_markup_is_escaped():
    evil = "<script>alert('x')</script> & \"co\""
    for made in (element("p", evil), element("img", alt=evil), joined([evil]), table(evil, [evil], [[evil, evil]])):
        assert "<script" not in made
        assert "&lt;script&gt;" in made
        assert "'x'" not in made
    assert element("p", Markup("<b>x</b>"), class_="y", title=None) == '<p class="y"><b>x</b></p>'
