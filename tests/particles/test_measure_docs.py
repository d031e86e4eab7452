"""The page on measuring says what the registries hold."""

from pathlib import Path

import pytest

from napari_mpseg.errors import SettingsError
from napari_mpseg.marked_page import with_tables
from napari_mpseg.particles.perimeters import PERIMETERS
from napari_mpseg.particles.properties import PROPERTIES, property_sets
from napari_mpseg.particles.property_table import TABLES
from napari_mpseg.particles.rings import RING_GAP, RING_WIDTH

PAGE = Path(__file__).resolve().parents[2] / "docs" / "measuring.md"


@pytest.fixture
def page() -> str:
    if not PAGE.exists():
        pytest.skip("the documentation is not beside the tests")
    return PAGE.read_text(encoding="utf-8")


def test_every_property_set_and_estimator_is_on_the_page(page: str) -> None:
    for name in (*PROPERTIES, *property_sets(), *PERIMETERS):
        assert f"| `{name}` |" in page, name


def test_tables_are_up_to_date(page: str) -> None:
    fresh = with_tables(page, TABLES)
    assert page == fresh, "Run: python -m napari_mpseg.particles.property_table docs/measuring.md"


def test_the_ring_is_as_wide_as_the_page_says(page: str) -> None:
    assert f"after a gap of {RING_GAP} px" in page
    assert f"is {RING_WIDTH} px wide" in page


def test_definitions_are_sentences_with_a_source() -> None:
    for name, entry in PROPERTIES.items():
        assert entry.definition.rstrip().endswith("."), name
        assert entry.definition[0].isupper() or entry.definition.startswith(("4 pi", "sqrt", "4 area", "fibre_")), name
        assert entry.source, name
        assert "|" not in entry.definition, name


def test_a_page_without_marks_gets_a_reason() -> None:
    with pytest.raises(SettingsError, match="<!-- properties -->"):
        with_tables("# Measuring", TABLES)
