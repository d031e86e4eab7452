"""Patches against loops over every window, and images rebuilt from them."""

import time

import numpy as np
import pytest

from napari_mpseg.errors import SettingsError
from napari_mpseg.training.data.pairs import LabelledImage
from napari_mpseg.training.patches.windows import (
    CountTable,
    cut,
    find_patches,
    iterate_patches,
    stitch,
    window_corners,
)


def labelled(mask, known=None):
    return LabelledImage("a", np.zeros((*mask.shape, 1), np.uint8), mask, known)


def test_windows_of_the_published_size_and_step():
    """By hand: 640 = 256 + 12 x 30 + 24, so 13 steps and a last window flush with the border."""
    corners = window_corners((256, 640))
    assert corners.tolist() == [[0, 30 * k] for k in range(13)] + [[0, 384]]
    assert window_corners((256, 640), flush=False).tolist() == [[0, 30 * k] for k in range(13)]
    assert window_corners((316, 286)).tolist() == [[0, 0], [0, 30], [30, 0], [30, 30], [60, 0], [60, 30]]


@pytest.mark.parametrize("shape", [(100, 90), (256, 255), (1, 1)])
def test_a_small_image_has_one_window(shape):
    assert window_corners(shape).tolist() == [[0, 0]]
    assert window_corners(shape, flush=False).tolist() == [[0, 0]]


def test_impossible_windows_are_refused():
    for values in ((0, 30), (256, 0)):
        with pytest.raises(SettingsError, match="impossible"):
            window_corners((300, 300), *values)


@pytest.mark.parametrize(("shape", "size"), [((60, 47), 16), ((60, 47), 1), ((10, 47), 16), ((9, 9), 16)])
def test_counts_in_windows_are_those_of_slicing(rng, shape, size):
    mask = rng.random(shape) < 0.2
    table = CountTable(mask)
    height, width = (max(length - size + 1, 1) for length in shape)
    expected = np.array([[mask[y : y + size, x : x + size].sum() for x in range(width)] for y in range(height)])
    np.testing.assert_array_equal(table.everywhere(size), expected)
    corners = np.argwhere(np.ones((height, width), bool))
    np.testing.assert_array_equal(table.at(corners, size), expected.ravel())


@pytest.mark.parametrize("least", [0, 1, 9])
def test_patches_are_kept_by_their_particle_pixels(rng, least):
    masks = []
    for shape in ((150, 130), (97, 140)):
        mask = np.zeros(shape, bool)
        for y, x in rng.integers(0, 90, (3, 2)):
            mask[y : y + 3, x : x + 4] = True
        masks.append(mask)
    found = find_patches(
        [labelled(mask) for mask in masks], rng, size=40, step=15, least_foreground=least, background_share=0
    )
    expected = [
        [number, y, x]
        for number, mask in enumerate(masks)
        for y, x in window_corners(mask.shape, 40, 15).tolist()
        if mask[y : y + 40, x : x + 40].sum() >= least
    ]
    assert found.tolist() == expected


@pytest.mark.parametrize("share", [0.0, 0.05, 0.29, 1.0])
def test_the_share_of_patches_without_particle_is_rounded_down(rng, share):
    mask = np.zeros((400, 400), bool)
    mask[200:203, 200:203] = True
    found = find_patches([labelled(mask)], rng, size=64, step=6, background_share=share)
    counts = np.array([mask[y : y + 64, x : x + 64].sum() for _, y, x in found])
    with_particle = int((counts > 0).sum())
    assert with_particle == 11 * 11  # corners 138, 144 ... 198; at 204 the square has left the window
    assert (counts == 0).sum() == {0.0: 0, 0.05: 6, 0.29: 35, 1.0: 121}[share]
    assert len(np.unique(found, axis=0)) == len(found)


def test_patches_without_particle_lie_anywhere_in_all_images(rng):
    """Four times as many free places must give about four times as many patches, all over the image."""
    particle = np.zeros((100, 600), bool)
    particle[50, :] = True
    small, large = np.zeros((115, 115), bool), np.zeros((131, 131), bool)  # 16 x 16 and 32 x 32 places
    found = find_patches([labelled(mask) for mask in (particle, small, large)], rng, size=100, step=1)
    free = found[501:]
    assert len(free) == 25
    found = find_patches(
        [labelled(mask) for mask in (particle, small, large)], rng, size=100, step=1, background_share=0.9
    )
    free = found[501:]
    assert len(free) == 450
    assert abs((free[:, 0] == 2).mean() - 0.8) < 0.06  # three standard deviations are 0.057
    assert free[free[:, 0] == 2][:, 1:].max() == 31
    assert free[:, 1:].min() == 0


def test_fewer_patches_without_particle_where_there_are_no_more(rng):
    mask = np.zeros((40, 40), bool)
    mask[:, :30] = True  # free are the windows at x = 30: 31 of them
    found = find_patches([labelled(mask)], rng, size=10, step=1, background_share=1.0)
    free = [(y, x) for _, y, x in found if not mask[y : y + 10, x : x + 10].any()]
    assert sorted(free) == [(y, 30) for y in range(31)]


def test_only_known_pixels_count_in_painted_images(rng):
    mask, known = np.zeros((2, 300, 300), bool)
    mask[20:30, 20:30] = True
    mask[200:240, 200:240] = True
    known[20:30, 20:30] = True
    known[100:103, 250:290] = True
    found = find_patches([labelled(mask, known)], rng, size=50, step=10, background_share=1.0)
    held = [(mask & known)[y : y + 50, x : x + 50].any() for _, y, x in found]
    assert all(known[y : y + 50, x : x + 50].any() for _, y, x in found)
    expected = sum((mask & known)[y : y + 50, x : x + 50].any() for y, x in window_corners((300, 300), 50, 10))
    assert sum(held) == expected == len(found) // 2


def test_no_particle_at_all_is_said(rng):
    with pytest.raises(SettingsError, match="64 px holds 3"):
        find_patches([labelled(np.zeros((99, 99), bool))], rng, size=64, least_foreground=3)
    with pytest.raises(SettingsError, match="No patch"):
        find_patches([], rng)


def test_patches_are_cut_and_filled(rng):
    image = rng.integers(0, 255, (30, 20, 2)).astype(np.uint8)
    np.testing.assert_array_equal(cut(image, 4, 2, 8), image[4:12, 2:10])
    small = cut(image, 0, 0, 25)
    assert small.shape == (25, 25, 2)
    np.testing.assert_array_equal(small[:, 20:], np.repeat(image[:25, 19:20], 5, 1))
    pairs = list(iterate_patches(image, image[..., 0] > 99, np.array([[0, 0], [5, 3]]), 16))
    np.testing.assert_array_equal(pairs[1][0], image[5:21, 3:19])
    np.testing.assert_array_equal(pairs[1][1], image[5:21, 3:19, 0] > 99)


@pytest.mark.parametrize("shape", [(70, 95), (64, 64), (20, 95), (70, 95, 3)])
def test_an_image_is_rebuilt_from_its_patches(rng, shape):
    image = rng.integers(0, 256, shape).astype(np.uint8)
    corners = window_corners(shape[:2], 32, 7)
    patches = (patch for patch, _ in iterate_patches(image, np.zeros(shape[:2], bool), corners, 32))
    rebuilt = stitch(patches, corners, shape[:2])
    assert rebuilt.dtype == np.float32
    np.testing.assert_array_equal(rebuilt, image)


def test_overlapping_patches_are_averaged():
    rebuilt = stitch([np.full((2, 2), 1.0), np.full((2, 2), 4.0)], np.array([[0, 0], [0, 1]]), (3, 3), uncovered=-1)
    assert rebuilt.tolist() == [[1, 2.5, 4], [1, 2.5, 4], [-1, -1, -1]]
    assert stitch([], np.zeros((0, 2), int), (1, 2), uncovered=7).tolist() == [[7, 7]]


def test_a_stitched_filter_is_searched_in_seconds(rng):
    mask = np.zeros((5424, 7140), bool)
    for y, x in rng.integers(0, 5400, (300, 2)):
        mask[y : y + 5, x : x + 5] = True
    start = time.process_time()
    found = find_patches([labelled(mask)], rng)
    assert time.process_time() - start < 20  # about 2 s; a loop over pixels takes minutes
    assert len(found) > 10000
