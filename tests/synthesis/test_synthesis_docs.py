"""The page on synthetic images says what there is."""

from pathlib import Path

import pytest
from PIL import Image

from napari_mpseg.marked_page import with_tables
from napari_mpseg.synthesis.appearances import APPEARANCES
from napari_mpseg.synthesis.microscopes import MICROSCOPES
from napari_mpseg.synthesis.setting_table import TABLES
from napari_mpseg.synthesis.shapes import SHAPES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "synthesis.md"


@pytest.fixture
def page():
    if not PAGE.exists():
        pytest.skip("the documentation is not beside the tests")
    return PAGE.read_text(encoding="utf-8")


def test_tables_of_settings_are_up_to_date(page):
    assert with_tables(page, TABLES) == page


def test_every_look_variant_shape_and_appearance_is_on_the_page(page):
    for look, microscope in MICROSCOPES.items():
        assert f"| `{look}` |" in page
        for variant in microscope.variants:
            assert f"`{variant}`" in page
    for name in SHAPES:
        assert f"*{name.capitalize()}s*" in page
    for name in APPEARANCES:
        assert f"*{name}*" in page.lower()


@pytest.mark.parametrize("look", list(MICROSCOPES))
def test_every_look_has_a_small_picture(page, look):
    assert f"(images/synthetic-{look}.png)" in page
    path = PAGE.parent / "images" / f"synthetic-{look}.png"
    assert path.stat().st_size < 200_000
    assert Image.open(path).size == (300, 300)
