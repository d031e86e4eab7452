"""Limits of detection and Poisson intervals."""

import math

import pytest

from napari_mpseg.batch.intervals import blank_level, poisson_interval


@pytest.mark.parametrize(
    ("count", "low", "high"),
    [  # Garwood 1936, as printed in tables of exact Poisson limits
        (0, 0.0, 3.689),
        (1, 0.0253, 5.572),
        (5, 1.623, 11.668),
        (10, 4.795, 18.390),
        (50, 37.11, 65.92),
        (100, 81.36, 121.63),
    ],
)
def test_the_exact_interval_of_a_count_is_that_of_the_tables(count, low, high):
    assert poisson_interval(count) == pytest.approx((low, high), rel=1e-3)


def test_limits_are_mean_and_three_or_ten_standard_deviations_of_the_blanks():
    level = blank_level([1, 2, 6])  # mean 3, squares 4 + 1 + 9 over 2
    assert (level.n, level.mean) == (3, 3)
    assert level.sd == pytest.approx(math.sqrt(7))
    assert level.lod == pytest.approx(3 + 3 * math.sqrt(7))
    assert level.loq == pytest.approx(3 + 10 * math.sqrt(7))


@pytest.mark.parametrize("counts", [[], [4], [4, 6]])
def test_fewer_than_three_blanks_have_no_limit_of_detection(counts):
    level = blank_level(counts)
    assert level.mean == (sum(counts) / len(counts) if counts else 0)
    assert math.isnan(level.lod)
    assert math.isnan(level.loq)
