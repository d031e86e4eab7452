"""Networks that tell particles apart: every output of every runtime, seen at any size, and the same by tiles."""

import dask.array as da
import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from skimage.draw import disk
from torch import nn

import napari_mpseg as mp
from napari_mpseg.errors import SettingsError
from napari_mpseg.heads.affinities import OFFSETS
from napari_mpseg.heads.registry import HEADS
from napari_mpseg.images.image import Image
from napari_mpseg.images.scaling import Scaling
from napari_mpseg.inference.augmentation import TTA, tta_variants
from napari_mpseg.inference.augmented import AugmentedPredictor
from napari_mpseg.inference.decoded import DecodedPredictor, GapInstances, fitted, instances_resampled
from napari_mpseg.inference.instance_predictor import InstancePredictor
from napari_mpseg.inference.runtime import NetworkPredictor
from napari_mpseg.inference.runtimes import RUNTIMES
from napari_mpseg.inference.runtimes.folding import folded
from napari_mpseg.inference.runtimes.splitting import halved
from napari_mpseg.methods.network import NetworkMethod
from napari_mpseg.networks.geometry import receptive_radius
from napari_mpseg.networks.local_contrast import LocalContrast
from napari_mpseg.networks.modelfile import Model, ModelCard
from napari_mpseg.networks.multires import MultiResUNet
from napari_mpseg.progress import CancelToken
from napari_mpseg.training.run.objects import f1, object_counts

CPU = torch.device("cpu")
SCALING = Scaling("dtype", 0, 255)
SEVERAL = [name for name in HEADS if HEADS[name].channels > 1]


class Told(nn.Module):
    """Answers with what is drawn into its input: the first channel is particle, the second the depth."""

    stride = 2
    takes_margins = False

    def __init__(self, channels=3):
        super().__init__()
        self.mix = nn.Conv2d(channels, 2, 1)
        with torch.no_grad():
            self.mix.weight.zero_()
            self.mix.weight[0, 0], self.mix.weight[1, 1] = 12, 12
            self.mix.bias.fill_(-6)

    def forward(self, x):
        return self.mix(x)


def spread(outputs, seed=2):
    """Return a small network whose answers vary about a half, all of them."""
    torch.manual_seed(seed)
    network = MultiResUNet((7, 8), outputs=outputs).eval()
    with torch.no_grad():
        nn.init.normal_(network.head.weight)
        logits = network(torch.from_numpy(uneven(np.random.default_rng(1), (64, 64)).transpose(2, 0, 1)[None] / 255))
        mean, std = logits.mean((0, 2, 3)), logits.std((0, 2, 3))
        network.head.weight.mul_((2 / std)[:, None, None, None])
        network.head.bias.copy_((network.head.bias - mean) * 2 / std)
    return network


def uneven(rng, shape):
    """Return a picture of soft spots, float32 grey levels."""
    smooth = gaussian_filter(rng.random((*shape, 3), np.float32), (3, 3, 0))
    smooth -= smooth.min((0, 1))
    return (255 * smooth / smooth.max((0, 1))).astype(np.float32)


def chain(size=(150, 190), radius=9, step=15):
    """Return touching discs in rows, and an image that shows mask and depth of each."""
    labels = np.zeros(size, np.int32)
    number = 0
    for row, y in enumerate(range(14, size[0] - 12, 32)):
        for x in range(14 + 5 * (row % 3), size[1] - 10, step):
            number += 1
            rows, columns = disk((y, x), radius, shape=size)
            inside = labels[rows, columns] == 0
            labels[rows[inside], columns[inside]] = number
    targets = HEADS["distance"].targets(labels)
    image = np.stack([targets[0], targets[1], targets[0]], -1)
    return labels, np.round(255 * image).astype(np.uint8)


def finder(factor=1.0, network=None, head="distance"):
    predictor = NetworkPredictor(network or Told(), SCALING, 0 if network is None else 12, CPU)
    return instances_resampled(DecodedPredictor(predictor, HEADS[head]), factor)


def expected(network, batch, margins):
    with torch.inference_mode():
        whole = torch.sigmoid(network(torch.from_numpy(batch))).numpy()
    top, bottom, left, right = margins
    return whole[..., top : whole.shape[-2] - bottom, left : whole.shape[-1] - right]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if "torch" in name else pytest.mark.slow) for name in RUNTIMES]
)
@pytest.mark.parametrize("contrast", [0, 4])
def test_every_runtime_gives_every_output(name, contrast, rng, tmp_path, monkeypatch):
    monkeypatch.setenv("NAPARI_MPSEG_CACHE", str(tmp_path))
    entry = RUNTIMES[name]
    if (reason := entry.available(CPU)) is not None:
        pytest.skip(reason)
    network = spread(3)
    if contrast:  # which makes numbers larger
        network.head.weight.data.div_(8)
        network = LocalContrast(network, contrast).eval()
    sample = np.stack([uneven(rng, (64, 64)) / 255 for _ in range(2)]) if entry.samples else None
    if entry.samples:  # its own bar is for masks, and random answers are none
        monkeypatch.setattr("napari_mpseg.inference.runtimes.quantised._MOST_DISAGREEMENT", 1.0)
    running = entry.build(folded(network), CPU, 20 if contrast else 16, sample)
    batch = np.stack([uneven(rng, (56, 60)).transpose(2, 0, 1) / 255 for _ in range(2)])
    for margins in ((0, 0, 0, 0), (20, 20, 20, 20), (0, 18, 4, 0)):
        found = running(batch, margins)
        want = expected(network, batch, margins)
        assert found.shape == want.shape
        if entry.full_precision:
            np.testing.assert_allclose(found, want, atol=5e-5)
        assert np.abs(found - want).mean() < (0.05 if entry.samples else 0.02)  # 8 bits are coarse on random weights


@pytest.mark.parametrize("exact", [True, False])
def test_a_window_too_large_is_halved_in_all_outputs(rng, exact):
    fields = rng.random((3, 40, 60)).astype(np.float32)
    pixels = np.moveaxis(fields, 0, -1)

    def ask(part, margins):
        top, bottom, left, right = margins
        inner = part[top : part.shape[0] - bottom, left : part.shape[1] - right]
        return np.moveaxis(inner, -1, 0)

    found = halved(pixels, (4, 2, 6, 0), ask, halo=8, stride=2, exact=exact)
    np.testing.assert_allclose(found, fields[:, 4:38, 6:], rtol=1e-6)


def test_a_turned_look_is_turned_back_in_all_outputs(rng):
    predictor = NetworkPredictor(Told(), SCALING, 0, CPU)
    variants = tta_variants("flips")
    assert len(variants) == 8
    window = rng.integers(0, 256, (30, 44, 3), np.uint8)
    mean = AugmentedPredictor(predictor, variants, 0.0, CancelToken()).predict(window, (2, 4, 6, 8))
    np.testing.assert_allclose(mean, predictor.predict(window, (2, 4, 6, 8)), atol=1e-6)  # it looks at single pixels


@pytest.mark.parametrize("factor", [1, 2, 3, 0.5])
def test_instances_cover_the_mask_at_the_size_of_the_image(factor):
    labels, image = chain()
    ours = finder(factor)
    assert isinstance(ours, InstancePredictor)
    side = [size - size % (2 * max(1, round(factor))) for size in labels.shape]
    image, labels = image[: side[0], : side[1]], labels[: side[0], : side[1]]
    found = ours.predict_instances(image, (0, 0, 0, 0), 0.5)
    assert found.labels.shape == found.probability.shape == labels.shape
    assert found.labels.dtype == np.int32
    np.testing.assert_array_equal(found.labels > 0, found.probability >= 0.5)
    np.testing.assert_allclose(found.probability, ours.predict(image), atol=1e-6)
    assert f1(*object_counts(labels, found.labels)) > 0.97


def test_pixels_that_are_no_numbers_belong_to_no_particle():
    labels, image = chain()
    image = image.astype(np.float32)
    image[10:20, 10:20] = np.nan
    found = GapInstances(finder()).predict_instances(image, (0, 0, 0, 0), 0.5)
    assert not found.labels[10:20, 10:20].any()
    assert not found.probability[10:20, 10:20].any()
    labels[10:20, 10:20] = 0
    assert f1(*object_counts(labels, found.labels)) > 0.97


def test_labels_are_cut_and_grown_to_a_mask():
    labels = np.array([[5, 5, 0, 0, 0, 9, 0]], np.int32)
    mask = np.array([[False, True, True, False, True, True, False]])
    assert fitted(labels, mask).tolist() == [[0, 1, 1, 0, 2, 2, 0]]
    assert fitted(np.zeros_like(labels), mask).tolist() == [[0, 1, 1, 0, 2, 2, 0]]


@pytest.mark.parametrize("head", SEVERAL)
def test_tiles_find_the_particles_of_the_whole_image(head, rng, tmp_path):
    network = spread(HEADS[head].channels)
    card = ModelCard("a", "quarter-multiresunet", head=head, receptive_radius=receptive_radius(network))
    image = uneven(rng, (170, 230)).astype(np.uint8)
    whole, tiled = (
        mp.segment(image, NetworkMethod(Model(network, card)), tile_size=size, min_size=0, measure=False)
        for size in (512, 128)
    )
    np.testing.assert_allclose(*(each.probability[...].astype(int) for each in (whole, tiled)), atol=1)
    same = (np.asarray(whole.labels[...]) > 0) == (np.asarray(tiled.labels[...]) > 0)
    assert same.mean() > 0.999
    assert np.asarray(whole.labels[...]).max() > 5
    assert f1(*object_counts(np.asarray(whole.labels[...]), np.asarray(tiled.labels[...]))) > 0.9


def test_a_chain_of_touching_discs_is_found_by_tiles():
    labels, image = chain((300, 420))
    card = ModelCard("told", "quarter-multiresunet", head="distance", receptive_radius=0)
    method = NetworkMethod(Model(Told(), card))
    result = mp.segment(image, method, tile_size=128, threshold=0.5, min_size=0, measure=False)
    assert object_counts(labels, np.asarray(result.labels[...])) == (labels.max(),) * 3


def test_an_image_seen_smaller_is_found_by_tiles():
    labels, image = chain((300, 420))
    card = ModelCard("told", "quarter-multiresunet", head="distance", receptive_radius=0, shrink=2)
    result = mp.segment(image, NetworkMethod(Model(Told(), card)), tile_size=128, min_size=0, measure=False)
    assert f1(*object_counts(labels, np.asarray(result.labels[...]))) > 0.97


def test_looks_that_turn_the_image_are_refused_for_directions():
    channels = 1 + len(OFFSETS)
    card = ModelCard("a", "quarter-multiresunet", head="affinities", receptive_radius=16)
    with pytest.raises(SettingsError, match="photometric"):
        NetworkMethod(Model(spread(channels), card), tta="flips")
    with pytest.raises(SettingsError, match="affinities"):
        NetworkMethod(Model(spread(channels), card)).with_tta("flips")
    assert not any(one.turns or one.mirrored for one in TTA["photometric"].variants)
    assert NetworkMethod(Model(spread(channels), card), tta="photometric").tta == ("photometric",)
    model = Model(spread(channels), ModelCard("a", "quarter-multiresunet", head="affinities", tta=("flips",)))
    assert NetworkMethod(model).tta == ()
    assert NetworkMethod(Model(spread(2), ModelCard("a", "quarter-multiresunet", head="boundary")), tta="flips").tta


def test_a_prepared_method_is_one_that_finds_instances(rng):
    pixels = da.from_array(rng.integers(0, 256, (40, 50, 3), np.uint8))
    for head in HEADS:
        card = ModelCard("a", "quarter-multiresunet", head=head, receptive_radius=16)
        prepared = NetworkMethod(Model(spread(HEADS[head].channels), card)).prepare(Image(pixels))
        assert isinstance(prepared.predictor, InstancePredictor) == (head != "mask")
