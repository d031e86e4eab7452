"""The page on metrics says what the registries hold."""

from pathlib import Path

import pytest

from napari_mpseg.errors import SettingsError
from napari_mpseg.evaluation.metric import METRICS
from napari_mpseg.evaluation.metric_table import FAMILIES, TABLES
from napari_mpseg.evaluation.operating_points import AIMS
from napari_mpseg.marked_page import with_tables

PAGE = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"


@pytest.fixture
def page() -> str:
    if not PAGE.exists():
        pytest.skip("the documentation is not beside the tests")
    return PAGE.read_text(encoding="utf-8")


def test_every_metric_and_aim_is_on_the_page(page: str) -> None:
    for name in (*METRICS, *AIMS):
        assert f"| `{name}` |" in page, name


def test_tables_are_up_to_date(page: str) -> None:
    assert page == with_tables(page, TABLES), "Run: python -m napari_mpseg.evaluation.metric_table docs/metrics.md"


def test_definitions_are_sentences_with_a_source() -> None:
    for name, entry in METRICS.items():
        assert entry.name == name
        assert entry.definition.endswith("."), name
        assert entry.undefined.endswith("."), name
        assert entry.source, name
        assert entry.better in ("higher", "lower", "zero"), name
        assert "|" not in entry.definition + entry.undefined, name
    assert set(FAMILIES) == {"pixel", "probability", "particle", "count", "size"}


def test_a_page_without_marks_gets_a_reason() -> None:
    with pytest.raises(SettingsError, match="<!-- pixel -->"):
        with_tables("# Metrics", TABLES)
