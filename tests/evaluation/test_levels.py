"""Thresholds lie between the levels in which probability is stored, the same for all who choose one."""

import math

import pytest

from napari_mpseg.evaluation.levels import LEVELS, threshold_of


def test_a_threshold_of_three_decimals_lies_between_its_level_and_the_one_below():
    for level in range(1, 256):
        threshold = threshold_of(level)
        assert (level - 1) / 255 < threshold < level / 255
        assert math.isclose(threshold * 1000, round(threshold * 1000))
    assert LEVELS == 255


def test_whoever_tells_a_threshold_takes_the_same_function():
    pytest.importorskip("napari")
    from napari_mpseg.evaluation import operating_points
    from napari_mpseg.gui import threshold_work

    assert operating_points.threshold_of is threshold_of
    assert threshold_work.threshold_of is threshold_of
