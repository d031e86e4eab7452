"""Distance map and ultimate points beside ImageJ's, and by hand."""

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.io import imread

from napari_mpseg.errors import ImageError
from napari_mpseg.particles.instances.edm import corrected_heights, distance_map, distances, ultimate_points

MASKS = [
    "shapes",
    "shapes_discs",
    "shapes_ellipses",
    "shapes_misc",
    "touching",
    "dist_clustered",
    "dist_grid",
    "dist_random_n8",
]


@pytest.mark.parametrize("name", MASKS)
def test_points_are_those_of_imagej(reference, name):
    table = pd.read_csv(reference / "ultimate_points.csv").query(f"mask == '{name}.png'")
    points = ultimate_points(imread(reference / "masks" / f"{name}.png"))
    theirs = table.sort_values(["y", "x"])[["y", "x"]].to_numpy()
    np.testing.assert_array_equal(points, theirs)
    assert points.dtype == np.float64


@pytest.mark.parametrize("name", MASKS)
def test_distance_map_has_imagejs_height_at_its_points(reference, name):
    table = pd.read_csv(reference / "ultimate_points.csv").query(f"mask == '{name}.png'")
    heights = distance_map(imread(reference / "masks" / f"{name}.png"))
    np.testing.assert_array_equal(heights[table["y"], table["x"]], table["edm"])


def test_the_border_of_the_image_is_not_background():
    mask = np.zeros((3, 6), bool)
    mask[:, 1:] = True
    np.testing.assert_array_equal(distance_map(mask), [[0, 1, 2, 3, 4, 5]] * 3)


def test_long_distances_end_at_255():
    mask = np.ones((1, 400), bool)
    mask[0, 0] = False
    assert distance_map(mask)[0, [254, 255, 399]].tolist() == [254, 255, 255]


def test_heights_by_hand():
    """A bar of 3 x 4 px. In its middle row the sides decide: (1 + 1) / 2 + 1; in its corner a diagonal: sqrt(2)."""
    mask = np.zeros((5, 6), bool)
    mask[1:4, 1:5] = True
    heights = corrected_heights(distances(mask))
    assert heights[2, 2] == 2.0
    assert heights[1, 1] == pytest.approx(np.sqrt(2))


def test_two_discs_have_two_points():
    y, x = np.mgrid[:30, :50]
    mask = np.minimum((y - 15) ** 2 + (x - 15) ** 2, (y - 15) ** 2 + (x - 33) ** 2) <= 10**2
    np.testing.assert_array_equal(ultimate_points(mask), [[15, 15], [15, 33]])


@pytest.mark.parametrize(
    ("mask", "points"),
    [
        (np.zeros((4, 5)), np.empty((0, 2))),
        (np.zeros((0, 5)), np.empty((0, 2))),
        (np.ones((1, 1)), [[0, 0]]),
        (np.ones((5, 7)), [[2, 3]]),
    ],
)
def test_edge_cases(mask, points):
    np.testing.assert_array_equal(ultimate_points(mask), points)


def test_a_stack_is_refused():
    with pytest.raises(ImageError, match="two axes"):
        ultimate_points(np.zeros((2, 3, 4)))


@pytest.mark.parametrize("sampling", [None, (1.0, 1.0), (2.0, 0.5)])
@given(seed=st.integers(0, 2**32), height=st.integers(1, 40), width=st.integers(1, 40), share=st.floats(0.001, 0.12))
@settings(max_examples=60, deadline=None)
def test_distances_of_thin_particles_are_scipys(sampling, seed, height, width, share):
    """Particles that fill little of their window are measured pixel by pixel; the figures are those of scipy."""
    rng = np.random.default_rng(seed)
    mask = ndimage.gaussian_filter(rng.random((height, width)), 1)
    mask = mask > np.quantile(mask, 1 - share)
    expected = ndimage.distance_transform_edt(mask, sampling=sampling).astype(np.float32)
    np.testing.assert_array_equal(distances(mask, sampling), expected)


def test_thin_particles_at_the_border_and_columns_without_background():
    mask = np.zeros((9, 40), bool)
    mask[:, 0] = mask[0, :12] = mask[-1, -3:] = True
    for turned in (mask, mask.T, mask[::-1, ::-1]):
        np.testing.assert_array_equal(distances(turned), ndimage.distance_transform_edt(turned).astype(np.float32))


def test_a_fibre_aslant_is_not_paid_for_by_its_bounding_box():
    y, x = np.mgrid[:2000, :2000]
    mask = np.abs(y - x) <= 1
    distances(mask[:40, :40])  # compiled once
    start = time.perf_counter()
    found = distances(mask)
    ours = time.perf_counter() - start
    start = time.perf_counter()
    expected = ndimage.distance_transform_edt(mask)
    assert ours < (time.perf_counter() - start) / 2
    np.testing.assert_array_equal(found, expected.astype(np.float32))
