"""Local contrast against scipy's means; blind to the background; the same in tiles."""

import dask.array as da
import numpy as np
import pytest
import torch
from scipy.ndimage import uniform_filter
from torch import nn

from napari_mpseg.images.image import Image
from napari_mpseg.images.scaling import Scaling
from napari_mpseg.inference.runtime import NetworkPredictor
from napari_mpseg.inference.tiled import tiled_probability
from napari_mpseg.networks.geometry import receptive_radius
from napari_mpseg.networks.local_contrast import LocalContrast
from napari_mpseg.networks.modelfile import Model, ModelCard, load_model
from napari_mpseg.networks.registry import NETWORKS


def test_it_is_the_difference_from_the_mean_over_the_deviation(rng):
    image = rng.random((2, 40, 50))
    radius, floor = 5, 0.02
    mean = np.stack([uniform_filter(channel, 2 * radius + 1) for channel in image])
    square = np.stack([uniform_filter(channel**2, 2 * radius + 1) for channel in image])
    expected = (image - mean) / (np.sqrt((square - mean**2).mean(0)) + floor)
    found = LocalContrast(nn.Identity(), radius, floor)(torch.from_numpy(image)[None])[0].numpy()
    inside = (slice(None), slice(radius, -radius), slice(radius, -radius))
    np.testing.assert_allclose(found[inside], expected[inside], atol=1e-8)


def test_brightness_and_colour_of_the_background_do_not_matter(rng):
    image = torch.from_numpy(rng.random((1, 3, 30, 30)))
    network = LocalContrast(nn.Identity(), 6, floor=0.0)
    brighter = image * 1.7 + torch.tensor([0.1, 0.4, -0.2]).view(1, 3, 1, 1)
    torch.testing.assert_close(network(image), network(brighter))


@pytest.mark.parametrize("shape", [(1, 1), (3, 70), (64, 64)])
def test_surroundings_larger_than_the_image(rng, shape):
    found = LocalContrast(nn.Identity(), 32)(torch.from_numpy(rng.random((1, 3, *shape))))
    assert found.shape == (1, 3, *shape)
    assert bool(found.isfinite().all())


def test_tiles_equal_the_whole_image_and_files_keep_it(rng, tmp_path):
    torch.manual_seed(0)
    options = {"local_contrast": 9}
    network = NETWORKS["quarter-multiresunet"].build(3, **options)
    with torch.no_grad():
        network.network.head.weight.mul_(10)
        network.network.head.bias.zero_()
    radius = receptive_radius(network)
    assert radius == 14 + 9
    predictor = NetworkPredictor(network, Scaling("dtype", 0, 255), radius, torch.device("cpu"))
    image = Image(da.from_array(rng.integers(0, 256, (101, 87, 3), np.uint8)))
    whole = tiled_probability(image, predictor, 512).compute()
    np.testing.assert_allclose(tiled_probability(image, predictor, 32).compute(), whole, atol=1e-5)
    Model(network, ModelCard("m", "quarter-multiresunet", options)).save(tmp_path / "m")
    again = load_model(tmp_path / "m").network
    probe = torch.rand(1, 3, 32, 32)
    with torch.inference_mode():
        assert torch.equal(again(probe), network.eval()(probe))
