"""What counts as seeds."""

import warnings

import numpy as np
import pytest

from napari_mpseg.errors import ImageError
from napari_mpseg.particles.instances import InstanceSettings, make_instances

CHOSEN = InstanceSettings(way="distance-watershed")


@pytest.mark.parametrize("none", [[], (), np.zeros((0, 2)), np.zeros(0)], ids=["list", "tuple", "points", "array"])
def test_no_seeds_split_nothing(none):
    mask = np.ones((5, 20), bool)
    mask[[0, 1, 3, 4], 10] = False  # a neck, at which it would be cut without seeds
    assert make_instances(mask, CHOSEN).max() == 2
    assert make_instances(mask, CHOSEN, seeds=none).max() == 1


def test_seeds_that_are_no_numbers_are_told_without_a_warning():
    mask = np.ones((4, 6), bool)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ImageError, match="2 values of the seeds are no numbers"):
            make_instances(mask, CHOSEN, seeds=[[1.0, np.nan], [np.inf, 2.0]])
        with pytest.raises(ImageError, match="no numbers"):
            make_instances(mask, CHOSEN, seeds=np.full(mask.shape, np.nan))
        with pytest.raises(ImageError, match="must be numbers"):
            make_instances(mask, CHOSEN, seeds=[["a", "b"]])


def test_what_could_be_points_or_labels():
    """On an image of 3 x 2 px: lists and real numbers are places, whole numbers in an array are labels."""
    mask = np.ones((3, 2), bool)
    places = [[0, 0], [0, 0], [2, 1]]  # two of them in one pixel
    for points in (places, np.array(places, float)):
        labels = make_instances(mask, CHOSEN, seeds=points)
        assert labels.max() == 2
        assert labels[0, 0] != labels[2, 1]
    painted = np.array([[1, 1], [0, 0], [1, 1]])
    assert make_instances(mask, CHOSEN, seeds=painted).max() == 1
    assert make_instances(mask, CHOSEN, seeds=painted.astype(float).tolist()).max() == 2
