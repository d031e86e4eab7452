"""Peaks that stand out, against reconstruction by dilation, which finds the same in another way."""

import numpy as np
import pytest
from scipy import ndimage
from skimage.morphology import h_maxima

from napari_mpseg.heads.peaks import peaks

AROUND = np.ones((3, 3))


def hills(rng, sigma):
    """Return a field of 0 to 1 on the levels that are compared."""
    field = ndimage.gaussian_filter(rng.random((60, 75)), sigma)
    field = (field - field.min()) / np.ptp(field)
    return (np.floor(field * 255) / 255 + 1e-4).astype(np.float32)


@pytest.mark.parametrize("sigma", [1.0, 2.5, 5.0])
@pytest.mark.parametrize("prominence", [0.02, 0.1, 0.3, 0.8])
def test_peaks_are_those_of_reconstruction(sigma, prominence, rng):
    """Equal heights aside, which reconstruction keeps both or none of: such places have one peak at least here."""
    for _ in range(5):
        field = hills(rng, sigma)
        mask = ndimage.gaussian_filter(rng.random(field.shape), 4) > 0.49
        levels = np.where(mask, np.floor(field * 255), 0).astype(np.int32)
        expected, count = ndimage.label(h_maxima(levels, round(prominence * 255), AROUND), AROUND)
        found = peaks(field, mask, prominence)
        assert not (found & ~mask).any()
        hit = expected[found & (expected > 0)]
        assert len(np.unique(hit)) == len(hit)  # one pixel for each place
        heights = levels[found]
        missing = np.setdiff1d(np.arange(1, count + 1), hit)
        ties = [levels[expected == number].max() in heights for number in missing]
        assert all(ties)
        assert len(missing) <= 1 + count // 20
        assert found.sum() == len(hit)


def test_a_saddle_decides_by_hand():
    field = np.array([[0.2, 0.9, 0.5, 0.7, 0.1, 0.0, 0.3]], np.float32)
    mask = np.ones(field.shape, bool)
    assert np.flatnonzero(peaks(field, mask, 0.19)).tolist() == [1, 3, 6]
    assert np.flatnonzero(peaks(field, mask, 0.21)).tolist() == [1, 6]
    assert np.flatnonzero(peaks(field, mask, 0.31)).tolist() == [1]
    mask[0, 2] = False  # no way leads through there
    assert np.flatnonzero(peaks(field, mask, 0.31)).tolist() == [1, 3]
    assert np.flatnonzero(peaks(field, mask, 0.95)).tolist() == []


def test_a_flat_top_is_one_peak():
    field = np.zeros((9, 9), np.float32)
    field[2:7, 2:7] = 0.6
    assert np.argwhere(peaks(field, field >= 0, 0.2)).tolist() == [[2, 2]]
    assert not peaks(np.full((4, 4), np.nan, np.float32), np.ones((4, 4), bool), 0.2).any()
    assert peaks(np.zeros((0, 5), np.float32), np.zeros((0, 5), bool), 0.2).shape == (0, 5)
