"""Seeing an image smaller or larger: exact by hand, the same whatever the tiling."""

import dask.array as da
import numpy as np
import pytest
import torch
from skimage.measure import block_reduce
from skimage.transform import resize

from napari_mpseg.images.image import Image
from napari_mpseg.images.resampling import enlarged, shrunk
from napari_mpseg.images.scaling import Scaling
from napari_mpseg.inference.resampled import resampled
from napari_mpseg.inference.runtime import NetworkPredictor
from napari_mpseg.inference.tiled import tiled_probability
from napari_mpseg.networks.geometry import receptive_radius
from napari_mpseg.networks.registry import NETWORKS


@pytest.fixture(scope="module")
def predictor():
    torch.manual_seed(0)
    network = NETWORKS["quarter-multiresunet"].build(3)
    with torch.no_grad():
        network.head.weight.mul_(30)
        network.head.bias.zero_()
    return NetworkPredictor(network, Scaling("dtype", 0, 255), receptive_radius(network), torch.device("cpu"))


def test_shrinking_is_the_mean_of_blocks(rng):
    values = rng.integers(0, 255, (12, 8, 3), np.uint8)
    np.testing.assert_allclose(shrunk(values, 4), block_reduce(values, (4, 4, 1), np.mean), rtol=1e-6)


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_enlarging_is_linear_as_scikit_image_does_it(rng, factor):
    values = rng.random((7, 5)).astype(np.float32)
    expected = resize(values, (7 * factor, 5 * factor), order=1, mode="edge", anti_aliasing=False)
    np.testing.assert_allclose(enlarged(values, factor), expected, atol=1e-5)


@pytest.mark.parametrize("factor", [4.2, 2.0, 1.0, 0.5, 0.3])
@pytest.mark.parametrize("tile", [24, 60])
def test_tiles_equal_the_whole_image(rng, predictor, factor, tile):
    image = Image(da.from_array(rng.integers(0, 256, (75, 101, 3), np.uint8), chunks=40))
    seen = resampled(predictor, factor)
    whole = tiled_probability(image, seen, 512).compute()
    assert whole.shape == (75, 101)
    np.testing.assert_allclose(tiled_probability(image, seen, tile).compute(), whole, atol=2e-5)


def test_a_shrunk_look_sees_the_small_image(rng, predictor):
    small = rng.integers(0, 256, (40, 48, 3), np.uint8)
    large = small.repeat(4, 0).repeat(4, 1)
    expected = predictor.predict(small)
    found = resampled(predictor, 4).predict(large)
    np.testing.assert_allclose(found, enlarged(expected, 4), atol=1e-5)
