"""A region of an image, predicted by itself."""

from dataclasses import replace

import numpy as np
import pytest

from napari_mpseg.errors import ImageError
from napari_mpseg.images.normalisation import Normalisation
from napari_mpseg.images.open import open_image
from napari_mpseg.inference.region import predict_region
from napari_mpseg.networks.modelfile import Model, ModelCard
from napari_mpseg.networks.registry import NETWORKS

torch = pytest.importorskip("torch")


def _model(name, channels=3, radius="measured", normalisation="auto", **options):
    from napari_mpseg.networks.geometry import receptive_radius

    torch.manual_seed(3)
    network = NETWORKS[name].build(channels, **options).eval()
    with torch.no_grad():  # a fresh head says 0.5 everywhere, which would hide any shift
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    found = receptive_radius(network, channels) if radius == "measured" else radius
    return Model(
        network,
        ModelCard(name, name, in_channels=channels, receptive_radius=found, normalisation=Normalisation(normalisation)),
    )


def _whole(model, pixels):
    """Return what the bare network says of the whole image, padded with its edge to the stride."""
    stride = model.network.stride
    height, width = pixels.shape[:2]
    padded = np.pad(pixels, [(0, -height % stride), (0, -width % stride), (0, 0)], mode="edge")
    with torch.inference_mode():
        batch = torch.from_numpy(padded).permute(2, 0, 1)[None].contiguous()
        return torch.sigmoid(model.network(batch))[0, 0, :height, :width].numpy()


BOXES = [(0, 150, 0, 131), (37, 90, 51, 122), (0, 31, 100, 131), (140, 150, 3, 8), (75, 76, 60, 61)]


@pytest.mark.parametrize("name", ["half-multiresunet", "quarter-multiresunet"])
@pytest.mark.parametrize("box", BOXES)
def test_a_region_is_that_part_of_the_whole_image(name, box, rng):
    pixels = rng.integers(0, 256, (150, 131, 3), dtype=np.uint8)
    model = _model(name)
    assert model.card.receptive_radius is not None
    y0, y1, x0, x1 = box
    expected = _whole(model, pixels.astype(np.float32) / 255)[y0:y1, x0:x1]
    assert np.ptp(expected) > 1e-3 or expected.size == 1
    found = predict_region(open_image(pixels), model, box)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_region_of_several_tiles_has_no_seams(rng, monkeypatch):
    from napari_mpseg.inference.runtime import NetworkPredictor

    monkeypatch.setattr(NetworkPredictor, "preferred_tile", 40)
    pixels = rng.integers(0, 256, (150, 131, 3), dtype=np.uint8)
    model = _model("half-multiresunet")
    expected = _whole(model, pixels.astype(np.float32) / 255)[11:140, 7:120]
    np.testing.assert_allclose(predict_region(open_image(pixels), model, (11, 140, 7, 120)), expected, atol=1e-5)


@pytest.mark.parametrize("box", BOXES)
def test_a_network_that_sees_the_image_smaller_sees_the_same_blocks(box, rng):
    from napari_mpseg.inference.tiled import tiled_probability
    from napari_mpseg.methods.network import NetworkMethod

    pixels = rng.integers(0, 256, (150, 131, 3), dtype=np.uint8)
    model = _model("quarter-multiresunet")
    model = replace(model, card=replace(model.card, shrink=4))
    prepared = NetworkMethod(model, "cpu").prepare(open_image(pixels))
    whole = tiled_probability(prepared.image, prepared.predictor, 512).compute()
    y0, y1, x0, x1 = box
    np.testing.assert_allclose(predict_region(open_image(pixels), model, box), whole[y0:y1, x0:x1], atol=2e-5)


def test_a_far_seeing_network_sees_the_whole_of_a_small_image(rng):
    pixels = rng.integers(0, 256, (96, 64, 3), dtype=np.uint8)
    model = _model("smp-unet", radius=None, encoder="resnet18", weights=None)
    expected = _whole(model, pixels.astype(np.float32) / 255)
    found = predict_region(open_image(pixels), model, (10, 80, 5, 50))
    np.testing.assert_allclose(found, expected[10:80, 5:50], atol=1e-5)


def test_the_scaling_is_that_of_the_whole_image_or_as_given(rng):
    pixels = rng.integers(0, 100, (64, 64), dtype=np.uint16)
    pixels[:, 40:] = rng.integers(20_000, 60_000, (64, 24))
    model = _model("quarter-multiresunet", channels=1, normalisation="range")
    image, box = open_image(pixels), (0, 64, 0, 30)
    low, high = float(pixels.min()), float(pixels.max())
    expected = _whole(model, ((pixels[..., None] - low) / (high - low)).astype(np.float32))[:, :30]
    np.testing.assert_allclose(predict_region(image, model, box), expected, atol=1e-5)
    from napari_mpseg.images.scaling import Scaling

    brighter = predict_region(image, model, box, Scaling("range", 0.0, 100.0))
    assert np.abs(brighter - expected).max() > 1e-3


def test_only_the_region_and_its_surroundings_are_read():
    import dask.array as da

    read = []

    def tile(block_info=None):
        read.append(tuple(start for start, _ in block_info[None]["array-location"][:2]))
        return np.zeros((64, 64, 3), np.uint8)

    chunks, none = ((64,) * 10, (64,) * 10, (3,)), np.zeros((0, 0, 0), np.uint8)
    lazy = da.map_blocks(tile, chunks=chunks, dtype=np.uint8, meta=none)
    model = _model("half-multiresunet")
    assert predict_region(open_image(lazy), model, (300, 340, 300, 340)).shape == (40, 40)
    reach = model.card.receptive_radius + model.network.stride
    near = [start for start in range(0, 640, 64) if start + 64 > 300 - reach and start < 340 + reach]
    assert set(read) - {(0, 0)} <= {(y, x) for y in near for x in near}


def test_grey_is_repeated_for_a_colour_network_and_the_network_stays_as_it_is(rng):
    grey = rng.integers(0, 256, (64, 64), dtype=np.uint8)
    model = _model("half-multiresunet")
    model.network.train()
    before = {name: value.clone() for name, value in model.network.state_dict().items()}
    found = predict_region(open_image(grey), model, (0, 32, 0, 32))
    assert model.network.training
    for name, value in model.network.state_dict().items():
        assert torch.equal(before[name], value)
    model.network.eval()
    colour = np.repeat(grey[..., None], 3, 2).astype(np.float32) / 255
    np.testing.assert_allclose(found, _whole(model, colour)[:32, :32], atol=1e-5)


@pytest.mark.parametrize("box", [(0, 0, 0, 5), (-1, 5, 0, 5), (0, 65, 0, 5), (5, 3, 0, 5)])
def test_a_box_outside_is_refused(box):
    with pytest.raises(ImageError, match="does not lie in"):
        predict_region(open_image(np.zeros((64, 64, 3), np.uint8)), _model("quarter-multiresunet"), box)
