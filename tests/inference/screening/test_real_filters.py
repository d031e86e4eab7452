"""On stitched filters of real patches: as the unscreened result, for much less."""

import importlib.util

import numpy as np
import pytest
from skimage.measure import label

from napari_mpseg.images.open import open_image
from napari_mpseg.inference.screening import SCREENS, screened
from napari_mpseg.inference.tiled import tiled_probability
from napari_mpseg.methods.network import bundled

pytestmark = [pytest.mark.data]


@pytest.fixture(scope="module")
def seen(shared_data):
    spec = importlib.util.spec_from_file_location("make_filter", shared_data / "make_filter.py")
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    image, _ = maker.mosaic(700, 800, maker.load((2, 3)), np.random.default_rng(77))
    method = bundled("cpu")
    prepared = method.prepare(open_image(image))
    probability = tiled_probability(prepared.image, prepared.predictor).compute(scheduler="sync")
    return prepared, probability > method.default_threshold, method.default_threshold


@pytest.mark.parametrize("way", SCREENS)
def test_no_particle_above_three_pixels_is_lost(seen, way):
    prepared, whole, threshold = seen
    ready = screened(prepared, way)
    less = tiled_probability(ready.image, ready.predictor).compute(scheduler="sync") > threshold
    labels = label(whole, connectivity=2)
    areas = np.bincount(labels.ravel())
    kept = np.bincount(labels.ravel(), weights=less.ravel())
    large = np.flatnonzero(areas > 3)[1:]
    assert len(large) >= 5
    assert (kept[large] > 0).all()
    assert not (less & ~whole).any()
    assert ready.predictor.tally.share > 0.5
