"""Distances between particles, discs at random, and regions, against brute force and by hand."""

import math
import time

import numpy as np
import pytest
from scipy.spatial import cKDTree
from scipy.spatial.distance import pdist

from napari_mpseg.errors import ImageError, SettingsError
from napari_mpseg.particles.pattern import DISTANCES, Region, analyse_pattern
from napari_mpseg.particles.pattern.distances import edge_gaps
from napari_mpseg.particles.pattern.neighbours import lay_discs, nearest_gaps, pair_counts, share_within


@pytest.mark.parametrize("n", [2, 3, 40, 1000])
@pytest.mark.parametrize("sides", [(100, 100), (1, 5000), (0, 70), (0, 0)])
def test_nearest_neighbours_as_by_another_library(rng, n, sides):
    points = rng.random((n, 2)) * sides
    np.testing.assert_allclose(nearest_gaps(points), cKDTree(points).query(points, k=2)[0][:, 1], atol=1e-12)


def test_nearest_gaps_of_clusters_far_apart(rng):
    points = np.concatenate([rng.random((50, 2)), rng.random((3, 2)) + 1e5])
    np.testing.assert_allclose(nearest_gaps(points), cKDTree(points).query(points, k=2)[0][:, 1])


def test_a_cluster_and_one_far_away_take_no_longer_than_by_another_library(rng):
    points = np.concatenate([rng.uniform(0, 50, (20_000, 2)), [[7000.0, 7000.0]]])
    nearest_gaps(points[:10])  # compiles
    tree, expected = _timed(lambda: cKDTree(points).query(points, k=2)[0][:, 1])
    took, found = _timed(lambda: nearest_gaps(points))
    np.testing.assert_allclose(found, expected)
    assert took < 10 * tree  # through cells alone, 100 times as long


def test_the_share_within_distances_by_counting():
    np.testing.assert_array_equal(
        share_within(np.array([3.0, 1, 2, 2]), np.array([0.5, 1, 2, 2.5, 9])), [0, 0.25, 0.75, 0.75, 1]
    )


def _timed(function):
    """Return the shortest of three times in seconds, and the answer."""
    took = []
    for _ in range(3):
        start = time.perf_counter()
        found = function()
        took.append(time.perf_counter() - start)
    return min(took), found


def test_gaps_between_discs_as_by_brute_force(rng):
    points, radius = rng.random((200, 2)) * 100, rng.uniform(0, 8, 200)
    away = np.linalg.norm(points[:, None] - points[None], axis=2) - radius[:, None] - radius[None]
    np.fill_diagonal(away, np.inf)
    np.testing.assert_allclose(nearest_gaps(points, radius), away.min(axis=1))


def test_pairs_are_counted_as_by_brute_force(rng):
    points = rng.random((150, 2)) * [40, 90]
    counts = np.histogram(pdist(points), bins=np.arange(0, 11) * 1.7)[0]
    np.testing.assert_array_equal(pair_counts(points, 1.7, 10), counts)


def test_edge_gaps_by_hand():
    labels = np.zeros((30, 40), int)
    labels[2:5, 2:5] = 4  # 3 empty columns to the next
    labels[2:5, 8:10] = 9
    labels[2:5, 10:12] = 2  # touches the one before
    labels[8:10, 20:22] = 5  # 8 columns and 3 rows away from the one before
    numbers, gaps = edge_gaps(labels)
    assert numbers.tolist() == [2, 4, 5, 9]
    assert gaps.tolist() == [0, 3, pytest.approx(math.hypot(3, 8)), 0]
    assert edge_gaps(labels, (1.0, 2.0))[1].tolist() == [0, 6, pytest.approx(math.hypot(3, 16)), 0]


def test_edge_gaps_as_by_brute_force(rng):
    from skimage.measure import label

    for _ in range(5):
        labels = label(rng.random((60, 70)) < 0.06, connectivity=2)
        numbers, gaps = edge_gaps(labels)
        places = [np.argwhere(labels == number) for number in numbers]
        for mine, (here, gap) in enumerate(zip(places, gaps, strict=True)):
            others = np.concatenate([place for other, place in enumerate(places) if other != mine])
            apart = np.abs(here[:, None] - others[None])
            brute = np.sqrt((np.maximum(apart - 1, 0) ** 2).sum(axis=2)).min()
            assert brute <= gap + 1e-9
            assert gap == pytest.approx(brute, abs=0.5)  # the nearest pixels by centre need not be so by outline


@pytest.mark.parametrize("count", [0, 1])
def test_a_particle_alone_has_no_gap(count):
    labels = np.zeros((5, 5), int)
    labels[:count, 0] = 7
    assert edge_gaps(labels)[1].tolist() == [math.inf] * count


@pytest.mark.parametrize("name", DISTANCES)
def test_every_distance_between_two_squares(name):
    """5 x 5 squares, 15 px from centre to centre, 10 from edge to edge; their only ultimate points are the centres."""
    labels = np.zeros((20, 50), int)
    labels[5:10, 5:10], labels[5:10, 20:25] = 1, 2
    result = analyse_pattern(labels=labels, distance=name)
    assert result.distances.tolist() == [10, 10] if name == "edge" else [15, 15]


def test_a_dumbbell_has_two_ultimate_points():
    """Two discs of radius 8, 20 px apart, joined by a bridge: one particle, two points."""
    y, x = np.mgrid[:40, :60]
    labels = (
        ((y - 20) ** 2 + (x - 18) ** 2 <= 64) | ((y - 20) ** 2 + (x - 38) ** 2 <= 64) | ((y == 20) & (abs(x - 28) < 5))
    )
    result = analyse_pattern(labels=labels.astype(int), distance="ultimate")
    assert result.n == 2
    assert result.distances == pytest.approx([20, 20], abs=1)


def test_touching_labels_have_ultimate_points_of_their_own():
    labels = np.zeros((30, 30), int)
    labels[5:15, 5:15], labels[5:15, 15:25] = 1, 2
    assert analyse_pattern(labels=labels, distance="ultimate").n == 2


@pytest.mark.parametrize("name", ["edge", "ultimate"])
def test_distances_of_pixels_need_labels(name):
    with pytest.raises(SettingsError, match="Give the labels too"):
        analyse_pattern(np.zeros((3, 2)), region=(9, 9), distance=name)


def test_discs_lie_in_the_region_without_overlap(rng):
    region, radius = Region.circle((200, 300)), rng.uniform(1, 9, 100)
    points = lay_discs(rng, region, (1.0, 1.0), radius, 10.0)
    away = np.linalg.norm(points[:, None] - points[None], axis=2) - radius[:, None] - radius[None]
    np.fill_diagonal(away, np.inf)
    assert away.min() >= 0
    assert region.holds(points - 0.5).all()


@pytest.mark.parametrize("large", [[20.0], [30.0, 12.0, 9.0]])
def test_a_few_large_discs_among_small_ones_do_not_overlap(rng, large):
    radius = np.concatenate([rng.uniform(0.5, 2, 300), large])
    points = lay_discs(rng, Region.rectangle((150, 150)), (1.0, 1.0), radius, 4.0)
    away = np.linalg.norm(points[:, None] - points[None], axis=2) - radius[:, None] - radius[None]
    np.fill_diagonal(away, np.inf)
    assert away.min() >= 0


def test_one_large_disc_does_not_slow_down_all_others():
    region, radius = Region.rectangle((1000, 1300)), np.full(15_000, 1.6)

    def lay():
        return lay_discs(np.random.default_rng(1), region, (1.0, 1.0), radius, 5.0)

    alone, _ = _timed(lay)
    radius[7000] = 150.0
    assert _timed(lay)[0] < 8 * alone  # in cells of its size, 40 times as long


def test_more_discs_than_fit(rng):
    assert lay_discs(rng, Region.rectangle((20, 20)), (1.0, 1.0), np.full(5, 9.0), 10.0) is None


def test_a_region_is_its_mask(rng):
    mask = rng.random((40, 50)) < 0.5
    region = Region.of_mask(mask)
    assert region.area_px == mask.sum()
    np.testing.assert_array_equal(region.mask(), mask)
    points = rng.uniform(-5, 55, (2000, 2))
    y, x = np.floor(points + 0.5).astype(int).T
    inside = (y >= 0) & (y < 40) & (x >= 0) & (x < 50)
    expected = np.zeros(2000, bool)
    expected[inside] = mask[y[inside], x[inside]]
    np.testing.assert_array_equal(region.holds(points), expected)


def test_points_are_uniform_over_a_region(rng):
    mask = np.zeros((30, 30), bool)
    mask[3:10, 2:20] = mask[15:30, 25:] = mask[12, ::2] = True
    points = Region.of_mask(mask).sample(rng, 100_000)
    counts = np.zeros(mask.shape)
    np.add.at(counts, tuple(np.floor(points + 0.5).astype(int).T), 1)
    assert counts[~mask].sum() == 0
    expected = 100_000 / mask.sum()
    chi2 = ((counts[mask] - expected) ** 2 / expected).sum()
    assert abs(chi2 - mask.sum()) < 5 * math.sqrt(2 * mask.sum())
    within = points - np.floor(points + 0.5)
    np.testing.assert_allclose(within.mean(axis=0), 0, atol=0.01)
    np.testing.assert_allclose(within.var(axis=0), 1 / 12, atol=0.01)


@pytest.mark.parametrize("shape", [(100, 100), (101, 300), (400, 99)])
def test_the_largest_circle(shape):
    circle = Region.circle(shape)
    radius = min(shape) / 2
    assert circle.area_px == pytest.approx(math.pi * radius**2, rel=0.01)
    assert circle.outline((1.0, 1.0)) == pytest.approx(2 * math.pi * radius, rel=0.02)
    np.testing.assert_allclose(np.argwhere(circle.mask()).mean(axis=0), (np.array(shape) - 1) / 2)


def test_polygons():
    region = Region.polygons([[(0, 0), (0, 10), (10, 10), (10, 0)], [(20, 20), (20, 24), (24, 20)]], (30, 30))
    assert region.area_px == 11 * 11 + 15  # pixels whose centre lies on the outline belong to it
    assert region.holds(np.array([[5.0, 5.0], [15.0, 15.0], [21.0, 21.0]])).tolist() == [True, False, True]


def test_the_outline_of_a_rectangle():
    assert Region.rectangle((30, 50)).outline((1.0, 2.0)) == 2 * 30 + 2 * 100


@pytest.mark.parametrize("shape", [(0, 5), (3,), (1.5, 2)])
def test_no_shape_of_an_image(shape):
    with pytest.raises(SettingsError, match="height and a width"):
        Region.rectangle(shape)


def test_an_empty_region():
    with pytest.raises(ImageError, match="empty"):
        Region.of_mask(np.zeros((5, 5)))
