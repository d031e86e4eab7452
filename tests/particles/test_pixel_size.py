"""The pixel size, from columns in two units."""

import numpy as np
import pandas as pd
import pytest

from napari_mpseg.calibration import Calibration
from napari_mpseg.particles.measure import measure
from napari_mpseg.particles.pixel_size import pixel_size_in


@pytest.mark.parametrize("size", [(0.65, 0.65), (2.5, 2.4), (1 / 3, 0.1)])
@pytest.mark.parametrize("unit", ["um", "nm", "mm"])
def test_a_measured_table_gives_it_back(size, unit, rng):
    table = measure(rng.integers(0, 9, (30, 40)), calibration=Calibration(size, unit))
    found = pixel_size_in(table.frame)
    assert found.unit == unit
    assert found.pixel_size == pytest.approx(size, rel=1e-11)


@pytest.mark.parametrize("size", [(2.0, 0.5), (1 / 3, 0.1)])
@pytest.mark.parametrize("axis", [0, 1])
def test_one_side_and_the_areas_give_the_other(size, axis):
    labels = np.zeros((6, 6), int)
    # All particles in the first row or the first column: their place there is 0 in every unit.
    if axis == 0:
        labels[0, 1:3], labels[0, 5] = 1, 2
    else:
        labels[1:3, 0], labels[5, 0] = 1, 2
    found = pixel_size_in(measure(labels, calibration=Calibration(size, "um")).frame)
    assert found.pixel_size == pytest.approx(size, rel=1e-11)


def test_all_in_the_first_pixel_are_taken_as_square():
    found = pixel_size_in(measure(np.array([[1, 0]]), calibration=Calibration((0.5, 2.0), "um")).frame)
    assert found.pixel_size == pytest.approx((1.0, 1.0))


def test_areas_will_do():
    found = pixel_size_in(pd.DataFrame({"area_px": [np.nan, 4.0], "area_nm2": [np.nan, 36.0]}))
    assert (found.pixel_size, found.unit) == ((3.0, 3.0), "nm")


@pytest.mark.parametrize(
    "columns",
    [
        {"area_px": [1.0]},
        {"area_um2": [1.0]},
        {"area_px": [], "area_um2": []},
        {"area_px": [0.0], "area_um2": [0.0]},
        {"circularity": [1.0], "my_own_um": [3.0]},
    ],
)
def test_without_two_units_there_is_none(columns):
    assert pixel_size_in(pd.DataFrame(columns, dtype=float)) is None
