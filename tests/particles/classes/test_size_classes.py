"""Size classes from text and from files."""

import pytest

from napari_mpseg.errors import SettingsError
from napari_mpseg.particles import SizeClasses
from napari_mpseg.particles.classes.rules import RULE_SETS, save_rules
from napari_mpseg.particles.sizes import load_size_classes, save_size_classes


@pytest.mark.parametrize(
    ("text", "edges", "unit"),
    [
        ("20,50,100,500 um", (20, 50, 100, 500), "um"),
        ("20, 50, 100, 500 µm", (20, 50, 100, 500), "um"),
        ("20;50um", (20, 50), "um"),
        (" 0.5 1.5 mm ", (0.5, 1.5), "mm"),
        ("10 px", (10,), "px"),
        ("1e3, 2e3 nm", (1000, 2000), "nm"),
        ("5, m", (5,), "m"),
    ],
)
def test_text_is_read(text, edges, unit):
    classes = SizeClasses.parse(text, by="equivalent_diameter")
    assert classes == SizeClasses(edges, unit, "equivalent_diameter")


@pytest.mark.parametrize("classes", [SizeClasses(), SizeClasses((0.1, 1 / 3), "mm"), SizeClasses((1e-3, 1e6), "nm")])
def test_text_is_written_as_it_is_read(classes):
    again = SizeClasses.parse(classes.text)
    assert again.edges == pytest.approx(classes.edges, rel=1e-14)
    assert again.unit == classes.unit


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("20,50", "their unit"),
        ("", "Write rising borders"),
        ("um", "Write rising borders"),
        ("20-50 um", "Write rising borders"),
        ("20,,50 parsec", "parsec"),
        ("50,20 um", "positive and rising"),
        ("-1, 20 um", "positive and rising"),
        ("inf um", "Write rising borders"),
    ],
)
def test_what_is_no_list_of_sizes_is_told(text, message):
    with pytest.raises(SettingsError, match=message):
        SizeClasses.parse(text)


def test_files(tmp_path):
    classes = SizeClasses((1, 2.5), "mm", "feret_min")
    assert load_size_classes(save_size_classes(classes, tmp_path / "sizes.json")) == classes
    with pytest.raises(SettingsError, match="no size classes of napari-mpseg: it says it is 'rule set'"):
        load_size_classes(save_rules(RULE_SETS["mp-vat"], tmp_path / "rules.json"))
