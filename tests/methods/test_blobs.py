"""Spots are found where they are, as large as they are, whatever the tiles."""

import math

import dask.array as da
import numpy as np
import pytest
import skimage.feature
from scipy.ndimage import gaussian_laplace
from scipy.spatial import cKDTree
from skimage.io import imread

from napari_mpseg.errors import Cancelled, SettingsError, UnknownNameError
from napari_mpseg.images.image import Image
from napari_mpseg.images.open import open_image
from napari_mpseg.inference.tiled import tiled_probability
from napari_mpseg.methods import blobs
from napari_mpseg.methods.blobs import blob_log
from napari_mpseg.methods.options import options_of
from napari_mpseg.methods.scale_space import disc_pixels, find_spots, scales, shared_area, without_overlap
from napari_mpseg.pipeline import segment
from napari_mpseg.progress import CancelToken


def discs(shape, places, contrast=150.0, fine=8):
    """Return discs as a camera sees them: every pixel the mean over its area, 0 to `contrast`."""
    picture = np.zeros(shape)
    for y, x, radius in places:
        y0, x0 = max(0, int(y - radius) - 2), max(0, int(x - radius) - 2)
        side = int(2 * radius) + 5
        rows, columns = (np.mgrid[: side * fine, : side * fine] + 0.5) / fine - 0.5
        inside = (rows + y0 - y) ** 2 + (columns + x0 - x) ** 2 <= radius**2
        share = inside.reshape(side, fine, side, fine).mean((1, 3))
        part = picture[y0 : y0 + side, x0 : x0 + side]
        np.maximum(part, contrast * share[: part.shape[0], : part.shape[1]], out=part)
    return picture


def noisy(rng, shape, places, contrast=150.0):
    return np.clip(20 + discs(shape, places, contrast) + rng.normal(0, 5, shape), 0, 255).astype(np.uint8)


def apart(rng, shape, count, smallest, largest):
    """Return discs that do not touch, away from the border."""
    places = []
    while len(places) < count:
        radius = rng.uniform(smallest, largest)
        y, x = (rng.uniform(radius + 3, size - radius - 3) for size in shape)
        if all(math.hypot(y - b, x - a) > 2 * (radius + r) + 4 for b, a, r in places):
            places.append((y, x, radius))
    return np.array(places)


def spots_of(pixels, **options):
    return blob_log(**options).find(open_image(pixels), cancel=CancelToken())


@pytest.mark.parametrize("radius", [0.8, 0.98, 1.2, 1.5, 2, 2.7, 4, 6])
def test_a_disc_is_found_at_its_middle_with_its_area(rng, radius):
    """A radius of 0.98 has an area of 3 pixels."""
    for _ in range(4):
        y, x = 24 + rng.uniform(-0.5, 0.5, 2)
        (found,) = spots_of(noisy(rng, (48, 50), [(y, x, radius)]))
        assert math.hypot(found[0] - y, found[1] - x) < 0.25
        assert abs(math.pi * (found[2] ** 2 - radius**2)) < max(1, 0.1 * math.pi * radius**2)


@pytest.mark.parametrize("particle", [[(0, 0), (0, 1), (1, 0)], [(0, 0), (0, 1), (0, 2)], [(0, 0), (1, 1), (0, 1)]])
def test_a_particle_of_three_pixels_comes_out_about_right(rng, particle):
    truth = np.zeros((40, 40), bool)
    for dy, dx in particle:
        truth[20 + dy, 15 + dx] = True
    pixels = np.where(truth, 180, 20) + rng.integers(-4, 5, truth.shape)
    result = segment(pixels.astype(np.uint8), "blob-log", min_size=0)
    assert result.count == 1
    found = np.asarray(result.labels) > 0
    assert 2 <= found.sum() <= 4
    assert (found & truth).sum() >= 2


def test_synthetic_discs_are_found_as_scikit_image_finds_them_and_closer_to_the_truth(rng):
    shape = (400, 420)
    truth = apart(rng, shape, 70, 2, 6)
    pixels = noisy(rng, shape, truth)
    found = spots_of(pixels)
    theirs = skimage.feature.blob_log(
        pixels / 255, min_sigma=0.9, max_sigma=5, num_sigma=10, log_scale=True, threshold=0.2 * 2 / math.e
    )
    assert len(found) == len(theirs) == len(truth)  # recall and precision 1
    away, nearest = cKDTree(found[:, :2]).query(truth[:, :2])
    their_away, their_nearest = cKDTree(theirs[:, :2]).query(truth[:, :2])
    assert away.max() < 0.2
    assert away.mean() < their_away.mean() / 3
    errors = np.abs(found[nearest, 2] - truth[:, 2])
    their_errors = np.abs(theirs[their_nearest, 2] * math.sqrt(2) - truth[:, 2])
    assert errors.max() < 0.2
    assert errors.mean() < their_errors.mean() / 3
    # the grid on which theirs lie: the nearest pixel, the nearest scale
    assert np.abs(found[nearest, :2] - theirs[their_nearest, :2]).max() <= 0.5 + 1e-9
    step = (5 / 0.9) ** (1 / 9)
    ratio = found[nearest, 2] / (theirs[their_nearest, 2] * math.sqrt(2))
    assert np.abs(np.log(ratio)).max() <= math.log(step) / 2 + 1e-6


def test_faint_and_small_discs_are_mostly_found_and_noise_is_not(rng):
    shape = (300, 300)
    truth = apart(rng, shape, 60, 0.8, 4)
    found = spots_of(noisy(rng, shape, truth, 90), threshold=0.1)
    away, _ = cKDTree(found[:, :2]).query(truth[:, :2])
    assert (away < 1).mean() > 0.9
    back, _ = cKDTree(truth[:, :2]).query(found[:, :2])
    assert (back < 1).mean() > 0.9


def test_the_response_is_the_contrast_of_a_disc_that_fits():
    picture = discs((80, 80), [(40, 40, 4 * math.sqrt(2))], 100)
    expected = -16 * gaussian_laplace(picture, 4)[40, 40] * math.e / 2
    (found,) = find_spots(picture, scales(2, 8, 3), (slice(0, 80), slice(0, 80)), 20)
    assert found[3] == pytest.approx(expected)
    assert 95 < found[3] < 100


def test_the_tiles_change_nothing(rng, monkeypatch):
    shape = (181, 230)
    pixels = np.repeat(noisy(rng, shape, apart(rng, shape, 40, 0.8, 5))[..., None], 3, 2)
    pixels[..., 0] //= 2
    for options in ({}, {"relative_to": "strongest", "threshold": 0.3}):
        whole = spots_of(pixels, **options)
        assert len(whole) > 20
        for tile in (57, 64):
            monkeypatch.setattr(blobs, "_TILE", tile)
            np.testing.assert_array_equal(spots_of(pixels, **options), whole)
        monkeypatch.undo()
    prepared = blob_log().prepare(Image(da.from_array(pixels, chunks=(50, 50, 3))))
    masks = [tiled_probability(prepared.image, prepared.predictor, tile).compute() for tile in (500, 41)]
    np.testing.assert_array_equal(*masks)
    assert masks[0].any()


def test_dark_spots_are_those_of_the_negative(rng):
    pixels = noisy(rng, (90, 90), [(30, 30, 3), (60, 62, 2)])
    np.testing.assert_array_equal(spots_of(255 - pixels, particles="dark"), spots_of(pixels))


def test_the_threshold_is_a_share_of_the_range_or_of_the_strongest():
    pixels = (10 + discs((60, 120), [(30, 30, 3), (30, 90, 3)], 100)).astype(np.uint8)
    pixels[:, 60:] = (pixels[:, 60:] - 10) // 4 + 10
    assert len(spots_of(pixels, threshold=0.2)) == 1
    assert len(spots_of(pixels, threshold=0.05)) == 2
    assert len(spots_of(pixels, threshold=0.2, relative_to="strongest")) == 2
    assert len(spots_of(pixels, threshold=0.3, relative_to="strongest")) == 1
    assert len(spots_of(np.zeros((30, 30), np.uint8), relative_to="strongest")) == 0


@pytest.mark.parametrize(("distance", "first", "second"), [(3, 2, 2.5), (1, 4, 1.5), (5, 2, 2), (2.5, 3, 1), (0, 2, 2)])
def test_shared_area_is_that_of_counted_points(distance, first, second):
    y, x = np.mgrid[-6:10:0.01, -6:10:0.01]
    inside, other = y**2 + x**2 <= first**2, y**2 + (x - distance) ** 2 <= second**2
    expected = (inside & other).sum() / min(inside.sum(), other.sum())
    assert shared_area(distance, first, second) == pytest.approx(expected, abs=2e-3)


def test_of_overlapping_discs_the_stronger_stays(rng):
    spots = np.array([[10, 10, 3, 50.0], [10, 11, 3, 90], [10, 30, 4, 70], [10, 32, 1, 60], [40, 40, 2, 55]])
    kept = without_overlap(spots, 0.5)
    assert kept[:, 3].tolist() == [90, 70, 55]
    np.testing.assert_array_equal(without_overlap(rng.permutation(spots), 0.5), kept)
    assert len(without_overlap(spots, 1.0)) == 5


@pytest.mark.parametrize("area", [1, 2, 3, 5, 12, 80])
def test_a_disc_has_as_many_pixels_as_its_area(rng, area):
    y, x = rng.uniform(20, 21, 2)
    pixels = disc_pixels(y, x, math.sqrt(area / math.pi), (50, 50))
    assert len(pixels) == len(np.unique(pixels, axis=0)) == area
    assert np.hypot(*(pixels - (y, x)).T).max() <= math.sqrt(area / math.pi) + 0.8
    assert (disc_pixels(0, 0, 3, (2, 9)) < (2, 9)).all()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"sigma_min": 0.1}, "0.1"),
        ({"sigma_min": 6.0}, "6 to 5"),
        ({"scales": 0}, "0 scales"),
        ({"threshold": 2.0}, "threshold 2"),
        ({"overlap": -1.0}, "overlap -1"),
        ({"relative_to": "mean"}, "mean"),
    ],
)
def test_impossible_settings_are_told(options, says):
    with pytest.raises(SettingsError, match=says):
        blob_log(**options)
    with pytest.raises(UnknownNameError, match="grey"):
        blob_log(channel="gray")


def test_it_can_be_cancelled_and_is_described(rng):
    cancel = CancelToken()
    with pytest.raises(Cancelled):
        blob_log().prepare(
            open_image(noisy(rng, (60, 60), [])), on_progress=lambda event: cancel.cancel(), cancel=cancel
        )
    assert blob_log().describe()["threshold"] == 0.2
    assert all(option.help for option in options_of("blob-log"))


def test_one_scale_and_an_image_of_one_pixel():
    assert len(spots_of(np.full((1, 1), 9, np.uint8))) == 0
    pixels = (10 + discs((40, 40), [(20, 20, 3)], 100)).astype(np.uint8)
    for single in ({"scales": 1}, {"sigma_max": 2.0}):
        (found,) = spots_of(pixels, sigma_min=2.0, **single)
        assert found[2] == pytest.approx(2 * math.sqrt(2))


def test_real_patches_are_found_with_the_defaults(shared_data):
    hits = wrong = missed = 0
    for path in sorted((shared_data / "mpnet" / "fold_3").glob("*.png")):
        truth = imread(path.parent / "labels" / path.name) < 128
        found = np.asarray(segment(path, "blob-log", measure=False, min_size=0).labels) > 0
        hits += (found & truth).sum()
        wrong += (found & ~truth).sum()
        missed += (~found & truth).sum()
    assert hits / (hits + wrong + missed) > 0.55
