"""In tiles, networks of known reach give what they give on the whole image; the others give what they are given."""

import dask.array as da
import numpy as np
import pytest
import torch

from napari_mpseg.images.image import Image
from napari_mpseg.images.scaling import Scaling
from napari_mpseg.inference.runtime import NetworkPredictor
from napari_mpseg.inference.tiled import tiled_probability
from napari_mpseg.networks.geometry import receptive_radius

SCALING = Scaling("dtype", 0, 255)


def lively(network):
    """Set the statistics of batch normalisation from images, and spread the logits by about 2."""
    image = torch.rand(4, 3, 64, 64)
    with torch.no_grad():
        network.train()
        torch.nn.init.normal_(network.head.weight)
        for _ in range(30):
            network(image)
        logits = network.eval()(image)
        network.head.weight.mul_(2 / logits.std())
        network.head.bias.copy_(network.head.bias - network(image).mean())
    return network


class Exactly(torch.nn.Module):
    """Computes in double precision, so that nothing is left to rounding."""

    def __init__(self, network):
        super().__init__()
        self.network, self.stride = network.double(), network.stride

    def forward(self, x):
        return self.network(x.double())


def whole(network, pixels):
    stride = network.stride
    height, width = pixels.shape[:2]
    padded = np.pad(pixels, ((0, -height % stride), (0, -width % stride), (0, 0)), mode="edge")
    batch = torch.from_numpy(padded.astype(np.float32) / 255).permute(2, 0, 1)[None]
    with torch.inference_mode():
        return torch.sigmoid(network(batch))[0, 0, :height, :width].numpy()


@pytest.mark.parametrize("name", ["half-unet", "unet", "unet-standard", "unet-semi-dense", "unet-reverse"])
@pytest.mark.parametrize(("shape", "tile"), [((110, 60), 64), ((40, 200), 64), ((20, 9), 512)])
def test_tiled_probability_equals_the_whole_image(small, rng, name, shape, tile):
    network = lively(small(name))
    radius = receptive_radius(network)
    network = Exactly(network)
    pixels = rng.integers(0, 256, (*shape, 3), np.uint8)
    predictor = NetworkPredictor(network, SCALING, radius, torch.device("cpu"))
    found = tiled_probability(Image(da.from_array(pixels, chunks=50)), predictor, tile).compute()
    expected = whole(network, pixels)
    assert predictor.exact
    assert expected.std() > 0.01
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("name", ["unet", "unet-semi-dense"])
def test_in_single_precision_only_rounding_differs(small, rng, name):
    network = lively(small(name))
    pixels = rng.integers(0, 256, (61, 290, 3), np.uint8)
    differences = []
    for radius in (receptive_radius(network), 16):
        predictor = NetworkPredictor(network, SCALING, radius, torch.device("cpu"))
        found = tiled_probability(Image(da.from_array(pixels)), predictor, 32).compute()
        differences.append(np.abs(found - whole(network, pixels)).max())
    assert differences[0] < 1e-4
    assert differences[1] > 1e-2  # a halo too small is noticed


@pytest.mark.parametrize("name", ["smp-unet", "smp-pan", "smp-deeplabv3"])
def test_networks_that_see_far_work_in_tiles(small, rng, name):
    network = small(name).eval()
    pixels = rng.integers(0, 256, (70, 301, 3), np.uint8)
    predictor = NetworkPredictor(network, SCALING, receptive_radius(network), torch.device("cpu"))
    found = tiled_probability(Image(da.from_array(pixels)), predictor, 128).compute()
    assert not predictor.exact
    assert found.shape == (70, 301)
    assert np.isfinite(found).all()
    one = tiled_probability(Image(da.from_array(pixels)), predictor, 512).compute()
    np.testing.assert_allclose(one, whole(network, pixels), atol=1e-5)
    assert np.abs(found - one).mean() < 0.1
