"""The result does not depend on the tiling; networks that see far are blended without seams."""

import functools

import dask.array as da
import numpy as np
import pytest
import torch

from napari_mpseg.images.image import Image
from napari_mpseg.images.scaling import Scaling
from napari_mpseg.inference.grid import TileGrid
from napari_mpseg.inference.runtime import NetworkPredictor, folded
from napari_mpseg.inference.tiled import tiled_probability
from napari_mpseg.networks.geometry import receptive_radius
from napari_mpseg.networks.registry import NETWORKS

EXACT = {"half-multiresunet": 1e-5, "quarter-multiresunet": 1e-5, "half-unet": 5e-5}
"""Networks that reach less far than a window, and how closely tiles agree (the widest rounds most)."""

radius_of = functools.cache(lambda name: receptive_radius(NETWORKS[name].build(3)))
SCALING = Scaling("dtype", 0, 255)


def whole(network, pixels):
    """Return the probability of the whole image at once, the edge repeated to a multiple of the stride."""
    height, width = pixels.shape[:2]
    stride = network.stride
    padded = np.pad(pixels, ((0, -height % stride), (0, -width % stride), (0, 0)), mode="edge")
    batch = torch.from_numpy(padded.astype(np.float32) / 255).permute(2, 0, 1)[None]
    with torch.inference_mode():
        return torch.sigmoid(network(batch))[0, 0, :height, :width].numpy()


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize(
    ("shape", "tile"),
    [((91, 77), 40), ((131, 77), 64), ((64, 100), 32), ((97, 97), 96), ((50, 51), 512), ((1, 1), 8), ((3, 130), 52)],
)
def test_tiled_probability_equals_the_whole_image(rng, name, shape, tile, lively):
    network = lively(name)
    pixels = rng.integers(0, 256, (*shape, 3), np.uint8)
    predictor = NetworkPredictor(network, SCALING, radius_of(name), torch.device("cpu"))
    found = tiled_probability(Image(da.from_array(pixels, chunks=50)), predictor, tile).compute()
    expected = whole(network, pixels)
    assert found.dtype == np.float32
    assert found.shape == shape
    if min(shape) > 1:
        assert expected.std() > 0.01
    np.testing.assert_allclose(found, expected, atol=EXACT[name])


def test_a_halo_too_small_would_be_noticed(rng, lively):
    network = lively("half-multiresunet")
    pixels = rng.integers(0, 256, (128, 128, 3), np.uint8)
    predictor = NetworkPredictor(network, SCALING, 4, torch.device("cpu"))
    found = tiled_probability(Image(da.from_array(pixels)), predictor, 32).compute()
    assert np.abs(found - whole(network, pixels)).max() > 1e-4


def test_folded_batch_normalisation_changes_nothing(rng, lively):
    network = lively("half-multiresunet")
    image = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(folded(network)(image), network(image), atol=1e-4, rtol=1e-4)
    assert any(isinstance(module, torch.nn.BatchNorm2d) for module in network.modules())


class FarSeeing:
    """Predicts the mean of its window: it sees everything, and windows disagree."""

    halo, stride, exact = 24, 1, False

    def predict(self, window, margins=(0, 0, 0, 0)):
        top, bottom, left, right = margins
        height, width = window.shape
        return np.full((height - top - bottom, width - left - right), window.mean() / 255, np.float32)


def test_blended_windows_of_a_constant_image_add_up_to_it():
    image = Image(da.full((101, 157), 128, dtype=np.uint8, chunks=40))
    for tile in (30, 48, 64, 200):
        found = tiled_probability(image, FarSeeing(), tile).compute()
        np.testing.assert_allclose(found, 128 / 255, atol=1e-6)


def test_blending_leaves_no_seam():
    """Along a ramp, neighbouring windows differ by far more than any step between blended pixels."""
    ramp = np.tile(np.linspace(0, 255, 192).astype(np.uint8), (96, 1))
    found = tiled_probability(Image(da.from_array(ramp)), FarSeeing(), 48).compute()
    between_windows = (found[:, 120] - found[:, 72]).mean()
    assert between_windows > 0.15
    assert np.abs(np.diff(found, axis=1)).max() < between_windows / 10
    assert np.abs(np.diff(found, axis=0)).max() < 1e-6


@pytest.mark.parametrize(
    ("shape", "tile", "halo", "stride"), [((100, 70), 32, 10, 4), ((7, 9), 4, 3, 2), ((64, 64), 64, 8, 8)]
)
def test_cores_cover_the_image_once_and_windows_are_aligned(shape, tile, halo, stride):
    grid = TileGrid(shape, tile, halo, stride)
    covered = np.zeros(shape, int)
    for part in grid:
        y0, y1, x0, x1 = part.core
        covered[y0:y1, x0:x1] += 1
        wy0, _wy1, _wx0, wx1 = part.window
        assert all(value % stride == 0 for value in part.window)
        assert min(part.margins) >= 0
        assert wy0 == 0 or y0 - wy0 >= halo
        assert wx1 == grid.padded_shape[1] or wx1 - x1 >= halo
    assert (covered == 1).all()
    assert len(grid) == np.prod(grid.counts)


def test_nothing_is_computed_before_it_is_asked_for():
    reads = []

    def read(block):
        reads.append(block.shape)
        return block

    data = da.zeros((400, 400), chunks=100, dtype=np.uint8).map_blocks(
        read, dtype=np.uint8, meta=np.zeros((0, 0), np.uint8)
    )
    lazy = tiled_probability(Image(data), FarSeeing(), 100)
    assert not reads
    lazy[:50, :50].compute(scheduler="synchronous")
    # the four windows that reach this corner read 4, 6, 6 and 9 chunks; all sixteen windows would read 100
    assert len(reads) == 25
