"""Size classes and counts."""

import numpy as np
import pandas as pd
import pytest

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import SettingsError
from napari_mpseg.particles import ParticleTable, SizeClasses, count_by_size, size_class
from napari_mpseg.particles.measure import measure
from napari_mpseg.settings import from_dict, to_dict


def table(sizes: list[float], unit: str = "um") -> ParticleTable:
    frame = pd.DataFrame({"label": range(1, len(sizes) + 1), f"feret_max_{unit}": sizes})
    return ParticleTable(frame, Calibration((1.0, 1.0), unit))


def test_default_classes_hold_their_lower_border() -> None:
    counts = count_by_size(table([5.0, 19.999, 20.0, 49.0, 50.0, 100.0, 499.0, 500.0, 9000.0]))
    assert counts.index.tolist() == ["<20 um", "20-50 um", "50-100 um", "100-500 um", ">=500 um"]
    assert counts.tolist() == [2, 2, 1, 2, 2]
    assert counts.sum() == 9


def test_classes_without_particles_are_counted_as_zero() -> None:
    counts = count_by_size(table([30.0]))
    assert counts.tolist() == [0, 1, 0, 0, 0]
    assert count_by_size(measure(np.zeros((4, 4), int), calibration=Calibration.parse("1um"))).sum() == 0


def test_other_units_are_converted() -> None:
    assert count_by_size(table([30_000.0, 600_000.0], "nm"), SizeClasses()).tolist() == [0, 1, 0, 0, 1]


def test_pixels_where_there_is_no_pixel_size() -> None:
    labels = np.zeros((40, 60), int)
    labels[1, 1] = 1
    labels[5, 5:35] = 2  # 30 px long
    counts = count_by_size(measure(labels))
    assert counts.index[0] == "<10 px"
    assert counts["<10 px"] == 1
    assert counts["20-50 px"] == 1


def test_pixel_classes_of_a_calibrated_table() -> None:
    frame = measure(np.ones((30, 30), int), calibration=Calibration.parse("2um"))
    assert count_by_size(frame, SizeClasses((10, 100), "px")).tolist() == [0, 1, 0]


def test_size_class_is_an_ordered_category() -> None:
    column = size_class(table([60.0, 3.0]))
    assert column.tolist() == ["50-100 um", "<20 um"]
    assert column.cat.ordered
    assert column.max() == "50-100 um"


def test_own_classes_by_another_size() -> None:
    labels = np.ones((10, 10), int)
    counts = count_by_size(measure(labels), SizeClasses((5, 11), "px", by="equivalent_diameter"))
    assert counts.to_dict() == {"<5 px": 0, "5-11 px": 0, ">=11 px": 1}  # sqrt(400 / pi) = 11.28


def test_settings_survive_json() -> None:
    classes = SizeClasses((1.0, 2.5), "mm", "feret_min")
    assert from_dict(SizeClasses, to_dict(classes)) == classes
    assert SizeClasses((1, 2), "µm").unit == "um"


@pytest.mark.parametrize("edges", [(), (5.0, 5.0), (10.0, 2.0), (0.0, 1.0), (1.0, float("inf"))])
def test_impossible_borders(edges: tuple[float, ...]) -> None:
    with pytest.raises(SettingsError, match="positive and rising"):
        SizeClasses(edges)


def test_what_cannot_be_sorted_gets_a_reason() -> None:
    with pytest.raises(SettingsError, match="no pixel size"):
        count_by_size(measure(np.ones((3, 3), int)), SizeClasses())
    with pytest.raises(SettingsError, match="feret_max"):
        count_by_size(measure(np.ones((3, 3), int), properties="area"))


@pytest.mark.parametrize(
    ("pixel", "unit", "first"), [("2.5um", "um", "<20 um"), ("5nm", "nm", "<20 nm"), ("0.002mm", "um", "<20 um")]
)
def test_default_classes_suit_the_pixel_size(pixel, unit, first):
    classes = SizeClasses.default_for(Calibration.parse(pixel))
    assert (classes.unit, classes.names[0]) == (unit, first)


def test_default_classes_without_a_pixel_size_are_in_pixels():
    assert SizeClasses.default_for(Calibration()).unit == "px"
