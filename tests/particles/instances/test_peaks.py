"""Peaks that keep their distance from higher ones."""

import time

import numpy as np
import pytest

from napari_mpseg.particles.instances.peaks import peak_markers


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
