"""Whatever the tiles, every particle is there once, with all its pixels."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import label

from napari_mpseg.errors import ModelError

TILES, OVERLAPS = st.integers(32, 200), st.integers(1, 40)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), tile=TILES, overlap=OVERLAPS, more=st.integers(0, 9), exact=st.booleans())
def test_touching_discs_are_told_apart_exactly(identity, labels_of, seed, tile, overlap, more, exact):
    truth = identity.discs(np.random.default_rng(seed), (110, 140), 80)
    predictor = identity.Identity(overlap + more, overlap, permuted=True, exact=exact)
    np.testing.assert_array_equal(labels_of(truth, predictor, tile), truth)


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), tile=TILES, overlap=OVERLAPS)
def test_fibres_over_many_tiles_are_one_each(identity, labels_of, seed, tile, overlap):
    truth = identity.fibres(np.random.default_rng(seed), (130, 170), 10)
    np.testing.assert_array_equal(labels_of(truth, identity.Identity(overlap, overlap, permuted=True), tile), truth)


@settings(max_examples=6, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    tile=TILES,
    overlap=OVERLAPS,
    share=st.floats(0.2, 0.6),
    reach=st.sampled_from([1, 2]),
)
def test_connected_pixels_are_joined_as_components_of_the_whole_are(
    identity, labels_of, seed, tile, overlap, share, reach
):
    mask = np.random.default_rng(seed).random((120, 140)) < share
    found = labels_of(
        mask * np.uint8(255), identity.Components(overlap, overlap, connectivity=reach), tile, connectivity=reach
    )
    np.testing.assert_array_equal(found, label(mask, connectivity=reach))


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), tile=TILES)
def test_what_a_window_shows_only_in_part_may_be_missed_at_its_edge(identity, labels_of, seed, tile):
    truth = identity.discs(np.random.default_rng(seed), (110, 140), 80)
    predictor = identity.Identity(halo=20, overlap=12, permuted=True, sliver=12)
    # a disc is at most 17 px wide, so what reaches into a core shows all its pixels in a window of 20 px more
    np.testing.assert_array_equal(labels_of(truth, predictor, tile), truth)


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), tile=TILES, noise=st.integers(1, 6))
def test_nonsense_outside_of_what_is_compared_does_no_harm(identity, labels_of, seed, tile, noise):
    truth = identity.discs(np.random.default_rng(seed), (110, 140), 80)
    found = labels_of(truth, identity.Identity(halo=12 + noise, overlap=12, permuted=True, noise=noise), tile)
    np.testing.assert_array_equal(found, truth)


@pytest.mark.parametrize("noise", [1, 2])
def test_nonsense_within_what_is_compared_does_little_harm(identity, labels_of, noise):
    truth = identity.discs(np.random.default_rng(noise), (200, 200), 200)
    found = labels_of(truth, identity.Identity(halo=16, overlap=16, noise=noise, permuted=True), 50)
    assert same_division(found, truth) > 0.98


def same_division(found, truth):
    """Return the share of true particles that are a particle of exactly those pixels."""
    right = 0
    for number in range(1, truth.max() + 1):
        there = np.unique(found[truth == number])
        right += len(there) == 1 and there[0] > 0 and (found == there[0]).sum() == (truth == number).sum()
    return right / truth.max()


@pytest.mark.parametrize("tile", [16, 25, 32])
def test_a_particle_over_a_corner_of_four_tiles_is_one(identity, labels_of, tile):
    truth = np.zeros((2 * tile + 5, 2 * tile + 3), np.int32)
    truth[tile - 1, tile - 1] = truth[tile, tile] = 1  # touches its other half over the corner alone
    truth[tile - 6 : tile - 2, tile - 6 : tile + 6] = 2
    truth[tile, tile - 1] = truth[tile - 1, tile] = 3  # and so does the other diagonal
    truth = identity.in_raster_order(truth)
    np.testing.assert_array_equal(labels_of(truth, identity.Identity(8, 4, permuted=True), tile), truth)


def test_a_thin_fibre_that_each_window_sees_moved_by_a_pixel_is_one(identity, labels_of):
    class Moved(identity.Identity):
        def predict_instances(self, window, margins, threshold):
            found = super().predict_instances(window, margins, threshold)
            at_left = not margins[2]
            return replace(found, labels=found.labels if at_left else np.roll(found.labels, 1, axis=0))

    truth = np.zeros((40, 150), np.int32)
    truth[11:13, 3:140], truth[20:22, 3:140] = 1, 2
    found = labels_of(truth, Moved(10, 10), 40)
    assert [len(np.unique(found[rows][found[rows] > 0])) for rows in (slice(9, 15), slice(18, 24))] == [1, 1]
    assert found.max() == 2


def test_a_particle_larger_than_many_tiles_is_one(identity, labels_of):
    y, x = np.mgrid[:200, :200]
    ring = (abs(np.hypot(y - 100, x - 100) - 80) < 6).astype(np.int32)
    ring[ring == 0] = 2 * (np.hypot(y - 100, x - 100) < 74)[ring == 0]
    truth = identity.in_raster_order(ring)
    np.testing.assert_array_equal(labels_of(truth, identity.Identity(5, 5), 23), truth)


def test_small_particles_are_dropped_once_they_are_whole(identity, labels_of):
    truth = np.zeros((40, 40), np.int32)
    truth[5, 12:20] = 1  # 8 pixels, 4 on either side of a border
    truth[9, 2:9] = 2  # 7 pixels
    found = labels_of(truth, identity.Identity(4, 4), 16, min_size=8)
    np.testing.assert_array_equal(found, truth == 1)


def test_the_threshold_is_that_of_the_stored_probability(identity, labels_of):
    pixels = np.arange(256, dtype=np.uint8)[None].repeat(3, 0)
    for threshold in (0, 0.25, 0.5, 0.7, 0.999):
        found = labels_of(pixels, identity.Components(4, 4), 50, threshold=threshold)
        np.testing.assert_array_equal(found[0] > 0, np.arange(256) / 255 > threshold)


@pytest.mark.parametrize("overlap", [0, 9])
def test_an_overlap_that_windows_do_not_hold_is_refused(identity, labels_of, overlap):
    with pytest.raises(ModelError, match=f"compares {overlap} pixels"):
        labels_of(np.ones((20, 20), np.int32), identity.Identity(halo=8, overlap=overlap), 16)


def test_answers_of_another_size_are_refused(identity, labels_of):
    class Cropped(identity.Identity):
        def predict_instances(self, window, margins, threshold):
            return super().predict_instances(window[1:], margins, threshold)

    with pytest.raises(ModelError, match="whole window"):
        labels_of(np.ones((20, 20), np.int32), Cropped(4, 4), 16)


def test_windows_on_a_stride_beyond_the_image_are_cut(identity, labels_of):
    truth = identity.discs(np.random.default_rng(3), (101, 93), 60)
    np.testing.assert_array_equal(labels_of(truth, identity.Identity(10, 10, stride=16), 48), truth)


def test_an_empty_image_has_none(identity, labels_of):
    assert not labels_of(np.zeros((50, 40), np.int32), identity.Identity(), 16).any()
