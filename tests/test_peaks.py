"""Peaks that stand out, against reconstruction by dilation, and that keep their distance from higher ones."""

import time

import numpy as np
import pytest
from scipy import ndimage
from skimage.morphology import h_maxima

from napari_mpseg.peaks import peak_markers


def kept_one_by_one(heights, least, pixel):
    """The definition: from the highest peak down, each that is no closer than `least` to one kept before."""
    everyone = peak_markers(heights, np.ones(heights.shape, bool), prominence=0.0, pixel=pixel)
    places = np.argwhere(everyone)
    places = places[np.argsort(everyone[everyone > 0])]
    kept = []
    for place in places:
        true = place * np.asarray(pixel)
        if all(np.hypot(*(true - other * np.asarray(pixel))) >= least for other in kept):
            kept.append(place)
    return [tuple(place) for place in kept]


@pytest.mark.parametrize("pixel", [(1.0, 1.0), (2.0, 0.5)])
@pytest.mark.parametrize("least", [0.1, 1.5, 2.0, 5.0, 13.0, 100.0])
def test_of_two_close_peaks_the_higher_is_kept(rng, least, pixel):
    heights = rng.random((30, 37)).astype(np.float32)
    markers = peak_markers(heights, np.ones(heights.shape, bool), prominence=0.0, min_distance=least, pixel=pixel)
    places = np.argwhere(markers)
    places = places[np.argsort(markers[markers > 0])]
    assert [tuple(place) for place in places] == kept_one_by_one(heights, least, pixel)


def test_many_peaks_take_no_longer_each_than_few(rng):
    heights = rng.random((300, 300)).astype(np.float32)  # ten thousand peaks
    mask = np.ones(heights.shape, bool)
    peak_markers(heights[:20, :20], mask[:20, :20], prominence=0.0, min_distance=2.0)  # compiled once
    start = time.perf_counter()
    assert peak_markers(heights, mask, prominence=0.0, min_distance=2.0).max() > 5000
    assert time.perf_counter() - start < 3


def test_nothing_to_mark():
    empty = np.zeros((4, 5), bool)
    assert peak_markers(np.zeros((4, 5), np.float32), empty, prominence=0.0, min_distance=3.0).max() == 0


AROUND = np.ones((3, 3))


@pytest.mark.parametrize("sigma", [1.0, 2.5, 5.0])
@pytest.mark.parametrize("prominence", [5, 26, 77, 204])
def test_peaks_are_those_of_reconstruction_by_dilation(sigma, prominence, rng):
    """Of equally high peaks, which reconstruction keeps both or none of, the higher place of a pair is not told."""
    for _ in range(5):
        field = ndimage.gaussian_filter(rng.random((60, 75)), sigma)
        field = (field - field.min()) / np.ptp(field)
        mask = ndimage.gaussian_filter(rng.random(field.shape), 4) > 0.49
        levels = np.where(mask, np.floor(field * 255), 0).astype(np.int32)
        expected, count = ndimage.label(h_maxima(levels, prominence, AROUND), AROUND)
        found = peak_markers(levels.astype(np.float32), mask, prominence=prominence) > 0
        found &= levels >= prominence  # each piece of the mask has a peak, however low
        assert not (found & ~mask).any()
        hit = expected[found & (expected > 0)]
        assert len(np.unique(hit)) == len(hit) == found.sum()  # one pixel for each place
        missing = np.setdiff1d(np.arange(1, count + 1), hit)
        assert all(levels[expected == number].max() in levels[found] for number in missing)
        assert len(missing) <= 1 + count // 20


def test_a_saddle_decides_by_hand():
    heights = np.array([[20, 90, 50, 70, 10, 0, 30]], np.float32)
    mask = np.ones(heights.shape, bool)
    for prominence, places in ((19, [1, 3, 6]), (21, [1, 6]), (31, [1])):
        assert np.flatnonzero(peak_markers(heights, mask, prominence=prominence)).tolist() == places
    mask[0, 2] = False  # no way leads through there
    assert np.flatnonzero(peak_markers(heights, mask, prominence=31)).tolist() == [1, 3]
