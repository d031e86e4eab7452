"""Means of numbers and of directions."""

import numpy as np
import pytest

from napari_mpseg.reports.averages import averages, axial_mean


def by_stem(table):
    return {each.stem: each for each in averages(table)}


def test_kept_particles_by_hand(table):
    found = by_stem(table.kept())
    assert list(found) == ["confidence", "area", "feret_max", "feret_angle", "circularity"]
    area = found["area"]
    # 400, 800 ... 2400 um2: mean 1400; squared deviations 1000^2 + 600^2 + 200^2, twice, over 5
    assert (area.column, area.unit, area.mean, area.median, area.count) == ("area_um2", "um2", 1400.0, 1400.0, 6)
    assert area.sd == pytest.approx(np.sqrt(2 * (1000**2 + 600**2 + 200**2) / 5))
    assert found["confidence"].mean == pytest.approx(0.75)
    assert found["circularity"].median == pytest.approx(0.55)


def test_directions_around_the_horizontal_have_a_horizontal_mean(table):
    angle = by_stem(table.kept())["feret_angle"]
    # 10 and 170 degrees lie 10 degrees to either side of 0 = 180; the plain mean would be 90
    assert min(angle.mean, 180 - angle.mean) == pytest.approx(0, abs=1e-9)
    # doubled, they are unit vectors 20 degrees to either side: R = cos 20 degrees
    assert angle.alignment == pytest.approx(np.cos(np.deg2rad(20)))
    assert angle.sd == pytest.approx(np.rad2deg(np.sqrt(-2 * np.log(np.cos(np.deg2rad(20))))) / 2)
    assert np.isnan(angle.median)


@pytest.mark.parametrize(
    ("degrees", "mean", "alignment"),
    [
        ([30.0, 30.0], 30.0, 1.0),
        ([80.0, 100.0], 90.0, np.cos(np.deg2rad(20))),
        ([0.0, 45.0], 22.5, np.sqrt(0.5)),
        ([0.0, 90.0], np.nan, 0.0),
        ([], np.nan, np.nan),
        ([179.9999999999], 180.0, 1.0),
    ],
)
def test_axial_means(degrees, mean, alignment):
    found, _, length = axial_mean(np.array(degrees))
    np.testing.assert_allclose(found % 180, mean % 180, atol=1e-6)
    np.testing.assert_allclose(length, alignment, atol=1e-9)


@pytest.mark.parametrize("turn", [0.0, 37.0, 90.0, 150.0])
def test_turning_all_directions_turns_their_mean(turn, rng):
    degrees = rng.normal(60, 15, 200)
    mean, sd, alignment = axial_mean(degrees % 180)
    turned = axial_mean((degrees + turn) % 180)
    assert (turned[0] - mean - turn + 90) % 180 - 90 == pytest.approx(0, abs=1e-9)
    assert turned[1:] == pytest.approx((sd, alignment))
    assert sd == pytest.approx(15, rel=0.15)  # a wrapped normal's, which it estimates


def test_without_a_pixel_size_lengths_are_in_pixels(table):
    from dataclasses import replace

    from napari_mpseg.calibration import Calibration

    plain = replace(
        table.kept(), frame=table.kept().frame.drop(columns=["area_um2", "feret_max_um"]), calibration=Calibration()
    )
    assert (by_stem(plain)["area"].column, by_stem(plain)["area"].unit) == ("area_px", "px2")
    assert by_stem(plain)["feret_max"].mean == pytest.approx(454.9 / 6)


def test_missing_values_do_not_count(table):
    frame = table.frame
    frame["circularity"] = [0.5, np.nan, np.nan, np.nan, np.nan, np.inf, np.nan]
    found = by_stem(table)["circularity"]
    assert (found.mean, found.median, found.count) == (0.5, 0.5, 1)
    assert np.isnan(found.sd)


def test_no_particles(table):
    from dataclasses import replace

    empty = replace(table, frame=table.frame.iloc[:0])
    assert all(each.count == 0 and np.isnan(each.mean) for each in averages(empty))
