"""Features are what their formulas say, and do not depend on the window they are computed in."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from napari_mpseg.errors import SettingsError, UnknownNameError
from napari_mpseg.inference.grid import TileGrid
from napari_mpseg.methods.forest.features import (
    FEATURES,
    check_features,
    compute_features,
    feature_halo,
    feature_names,
)
from napari_mpseg.methods.forest.settings import ForestSettings
from napari_mpseg.methods.forest.smoothing import smooth_part

Y, X = np.mgrid[-30:31, -30:31].astype(np.float32)
INSIDE = np.s_[25:36, 25:36]  # where the repeated edge does not reach
A, B, C = 0.01, 0.006, -0.004
QUADRATIC = A * Y**2 + B * Y * X + C * X**2
PLANE = 3 * Y + 4 * X
ROOT = math.sqrt((A - C) ** 2 + B**2)
# smoothing a quadratic adds a constant, (A + C) sigma^2, and changes no derivative
EXPECTED = {
    "intensity": (PLANE, [PLANE], 1e-4),
    "gradient": (PLANE, [5.0], 1e-4),
    "laplacian": (QUADRATIC, [2 * (A + C)], 1e-4),
    "hessian": (QUADRATIC, [A + C + ROOT, A + C - ROOT], 1e-4),
    "structure": (PLANE, [25.0, 0.0], 1e-3),
    "difference": (QUADRATIC, [(A + C) * 2.0**2 * (1 - 1.6**2)], 1e-3),
}


@pytest.mark.parametrize("name", FEATURES)
def test_a_feature_is_what_its_formula_says(name):
    image, expected, tolerance = EXPECTED[name]
    found = compute_features(image, ForestSettings(features=(name,), sigmas=(2.0,)))
    assert found.dtype == np.float32
    assert len(found) == len(expected) == len(FEATURES[name].planes)
    for plane, value in zip(found, expected, strict=True):
        np.testing.assert_allclose(plane[INSIDE], np.broadcast_to(value, Y.shape)[INSIDE], atol=tolerance)


@pytest.mark.parametrize("sigma", [0.7, 1.6, 5.0])
def test_smoothing_equals_scipys(rng, sigma):
    plane = rng.random((37, 53)).astype(np.float32)
    expected = ndimage.gaussian_filter(plane, sigma, mode="nearest", truncate=4)
    np.testing.assert_allclose(smooth_part(plane, sigma, (0, 37, 0, 53)), expected, atol=1e-6)
    beyond = np.pad(expected, ((3, 0), (0, 2)), mode="edge")
    np.testing.assert_allclose(smooth_part(plane, sigma, (-3, 37, 0, 55)), beyond, atol=1e-6)


def by_tiles(image, settings, tile, halo):
    found = np.empty((len(feature_names(settings, image.shape[2])), *image.shape[:2]), np.float32)
    for part in TileGrid(image.shape[:2], tile, halo):
        (y0, y1, x0, x1), (wy0, wy1, wx0, wx1) = part.core, part.window
        found[:, y0:y1, x0:x1] = compute_features(image[wy0:wy1, wx0:wx1], settings, part.margins)
    return found


@pytest.mark.parametrize("name", FEATURES)
@pytest.mark.parametrize(("shape", "tile"), [((131, 77), 40), ((50, 51), 17), ((1, 9), 4), ((5, 130), 52)])
def test_tiles_equal_the_whole_image(rng, name, shape, tile):
    image = rng.random((*shape, 2)).astype(np.float32)
    settings = ForestSettings(features=(name,), sigmas=(0.7, 3.0))
    whole = compute_features(image, settings)
    np.testing.assert_allclose(by_tiles(image, settings, tile, feature_halo(settings)), whole, atol=1e-6)


@pytest.mark.parametrize("name", FEATURES)
def test_the_halo_is_no_larger_than_needed(name):
    settings = ForestSettings(features=(name,), sigmas=(3.0,))
    image = np.zeros((1, 161, 1), np.float32)
    image[0, 80] = 1e6
    if name == "structure":  # a product of slopes: something must be there to be multiplied with
        image += np.arange(161, dtype=np.float32)[None, :, None]
    plain = image.copy()
    plain[0, 80] -= 1e6
    changed = (compute_features(image, settings) != compute_features(plain, settings)).any((0, 1))
    assert np.ptp(np.flatnonzero(changed)) == 2 * feature_halo(settings)


def test_every_plane_has_a_name_of_its_own():
    names = feature_names(ForestSettings(features=tuple(FEATURES), sigmas=(1.0, 2.5)), 3)
    assert len(set(names)) == len(names) == 3 * 2 * 8
    assert names[0] == "channel 0: intensity at 1 px"


def test_unknown_features_and_impossible_scales_are_refused():
    with pytest.raises(UnknownNameError, match="gradent"):
        check_features(ForestSettings(features=("gradent",)))
    with pytest.raises(SettingsError, match="No feature"):
        ForestSettings(features=())
    for sigmas in ((), (0.0,), (math.nan,), (1000.0,)):
        with pytest.raises(SettingsError, match="px"):
            ForestSettings(sigmas=sigmas)
    with pytest.raises(SettingsError, match="trees = 0"):
        replace(ForestSettings(), trees=0)
