"""Pixel sizes: read as people write them, refused where they cannot be, turned into other units."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from napari_mpseg.calibration import Calibration, normalise_unit
from napari_mpseg.errors import CalibrationError
from napari_mpseg.settings import from_dict, to_dict

METRES = {"nm": 1e-9, "um": 1e-6, "mm": 1e-3, "cm": 1e-2, "m": 1.0, "pm": 1e-12, "angstrom": 1e-10, "in": 0.0254}
sizes = st.floats(1e-6, 1e6, allow_nan=False)
units = st.sampled_from(sorted(METRES))
spellings = st.sampled_from(
    [("um", "um"), ("µm", "um"), ("μm", "um"), ("micron", "um"), ("Micrometer", "um"), ("NM", "nm"), ("mm", "mm")]
)
spaces = st.sampled_from(["", " ", "  "])


@given(sizes, spellings, spaces)
def test_a_number_and_a_unit(size, spelling, space):
    written, unit = spelling
    assert Calibration.parse(f"{space}{size!r}{space}{written}{space}") == Calibration((size, size), unit, "given")


@given(sizes, sizes, units, spaces, st.sampled_from("x×"))
def test_height_and_width(height, width, unit, space, times):
    found = Calibration.parse(f"{height!r}{space}{times}{space}{width!r}{space}{unit}")
    assert found.pixel_size == (height, width)
    assert found.unit == unit


@given(st.text(max_size=12))
def test_any_text_is_a_pixel_size_or_a_clear_error(text):
    try:
        found = Calibration.parse(text)
    except CalibrationError as error:
        assert repr(text) in str(error) or "is not a length" in str(error)  # noqa: PT017
    else:
        assert all(math.isfinite(size) and size > 0 for size in found.pixel_size)


@pytest.mark.parametrize("text", ["0um", "-1um", "0.0 mm", "2.5x0um", "1e999um", "-2x-2um"])
def test_impossible_sizes(text):
    with pytest.raises(CalibrationError, match=r"impossible: it must be above zero"):
        Calibration.parse(text)


@pytest.mark.parametrize("text", ["2.5", "um", "", "2,5um", "2.5 um per pixel", "1x2x3um", "nanum", "1e um", None, 2.5])
def test_what_is_no_pixel_size(text):
    with pytest.raises(CalibrationError, match=r"Write for example 2\.5um"):
        Calibration.parse(text)


@pytest.mark.parametrize("text", ["2.5kg", "3apples", "2s"])
def test_what_is_no_length(text):
    with pytest.raises(CalibrationError, match=r"is not a length\. Use nm, um, mm"):
        Calibration.parse(text)


def test_one_pixel_stands_for_no_pixel_size():
    assert not Calibration.parse("1px").calibrated
    with pytest.raises(CalibrationError, match="says nothing"):
        Calibration.parse("2px")


@pytest.mark.parametrize("size", [(0, 1), (1, -1), (math.nan, 1), (1, math.inf), (1,), (1, 2, 3), "ab", None, 5])
def test_a_calibration_cannot_be_made_of(size):
    with pytest.raises(CalibrationError):
        Calibration(size, "um")


@given(sizes, sizes, units, units)
def test_the_length_in_metre_is_the_same_in_every_unit(height, width, unit, other):
    found = Calibration((height, width), unit).converted(other)
    assert found.unit == other
    assert found.pixel_size[0] * METRES[other] == pytest.approx(height * METRES[unit], rel=1e-12)
    assert found.pixel_size[1] * METRES[other] == pytest.approx(width * METRES[unit], rel=1e-12)


@given(sizes, sizes, units)
def test_the_size_in_micrometre_keeps_the_area(height, width, unit):
    found = Calibration((height, width), unit).pixel_size_um
    assert found**2 == pytest.approx(height * width * (METRES[unit] / 1e-6) ** 2, rel=1e-9)


def test_pixels_are_no_length():
    assert Calibration().pixel_size_um is None
    for calibration, unit in ((Calibration(), "um"), (Calibration((1, 1), "um"), "px")):
        with pytest.raises(CalibrationError, match="not a physical length"):
            calibration.converted(unit)


@given(sizes, sizes, units)
def test_it_travels_as_json(height, width, unit):
    calibration = Calibration((height, width), unit, "OME")
    assert from_dict(Calibration, to_dict(calibration)) == calibration


@given(sizes, st.floats(0.5, 2))
def test_square_pixels(size, factor):
    assume(abs(factor - 1) > 1e-4)
    assert Calibration((size, size), "um").isotropic
    assert not Calibration((size, size * factor), "um").isotropic


@pytest.mark.parametrize(
    ("calibration", "text"),
    [
        (Calibration(), "not calibrated (1 px)"),
        (Calibration((2.5, 2.5), "um"), "2.5 um per pixel"),
        (Calibration((2.5, 2.25), "nm"), "2.5 x 2.25 nm per pixel"),
    ],
)
def test_in_words(calibration, text):
    assert str(calibration) == text


def test_names_of_units():
    assert [normalise_unit(name) for name in ("Å", "inch", "pixels", "", " Meter ")] == [
        "angstrom",
        "in",
        "px",
        "px",
        "m",
    ]
    assert Calibration((1, 1), "um").unit_name == "micrometer"
    assert Calibration((1, 1), "angstrom").unit_name == "angstrom"
    assert Calibration((1, 1), "um").area_suffix == "um2"


def test_the_same_size_in_another_unit():
    assert Calibration((2.5, 2.5), "um").same_size(Calibration((2500, 2500), "nm"))
    assert not Calibration((2.5, 2.5), "um").same_size(Calibration((2.5, 2.25), "um"))
    assert not Calibration((2.5, 2.5), "um").same_size(Calibration())
