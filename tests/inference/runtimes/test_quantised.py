"""8-bit numbers are fitted to the image, and refused where they are too short."""

import numpy as np
import pytest
import torch

from napari_mpseg.errors import SettingsError
from napari_mpseg.images.open import open_image
from napari_mpseg.images.scaling import Scaling
from napari_mpseg.inference.runtimes import RUNTIMES, quantised
from napari_mpseg.inference.runtimes.folding import folded
from napari_mpseg.inference.runtimes.sampling import telling_windows
from napari_mpseg.networks.bundled import bundled_model
from napari_mpseg.networks.local_contrast import LocalContrast
from napari_mpseg.training.data.pairs import load_folder

CPU = torch.device("cpu")


@pytest.fixture
def entry():
    entry = RUNTIMES["openvino-int8"]
    if entry.available(CPU) is not None:
        pytest.skip(entry.available(CPU))
    return entry


@pytest.mark.slow
def test_answers_are_near_and_really_in_8_bit(entry, layered, rng, monkeypatch):
    network, radius = layered
    monkeypatch.setattr(quantised, "_MOST_DISAGREEMENT", 0.2)  # noise in, noise out: no image is that hard
    sample = rng.random((2, 64, 64, 3), dtype=np.float32)
    running = entry.build(folded(network), CPU, radius, sample)
    batch = sample.transpose(0, 3, 1, 2)
    with torch.inference_mode():
        expected = torch.sigmoid(network(torch.from_numpy(np.ascontiguousarray(batch))))[:, 0].numpy()
    for margins in ((0, 0, 0, 0), (16, 16, 16, 16)):
        inner = (slice(None), *(slice(margins[0], 64 - margins[0]),) * 2)
        difference = np.abs(running(batch, margins) - expected[inner])
        assert difference.mean() < 0.05
        assert difference.max() > 1e-3
    monkeypatch.setattr(quantised, "_MOST_DISAGREEMENT", 1e-5)
    with pytest.raises(SettingsError, match="too short for this network on this image"):
        entry.build(folded(network), CPU, radius, sample)


def test_it_cannot_do_without_an_image(entry, plain):
    with pytest.raises(SettingsError, match="fitted to an image"):
        entry.build(folded(plain), CPU, 3)


def test_ranges_are_taken_behind_the_contrast_to_the_surroundings(plain, rng):
    batch = rng.random((2, 3, 20, 24), dtype=np.float32)
    network = LocalContrast(plain, 4).eval()
    seen = []
    plain.register_forward_pre_hook(lambda module, given: seen.append(given[0].numpy()))
    with torch.inference_mode():
        network(torch.from_numpy(batch))
    np.testing.assert_array_equal(quantised._behind_front(network, batch), seen[0])


@pytest.mark.parametrize("shape", [(100, 120, 3), (1500, 900, 3), (700, 1100)])
def test_windows_show_what_is_rare(shape):
    pixels = np.full(shape, 10, np.uint8)
    y, x = shape[0] - 20, shape[1] // 2
    pixels[y : y + 5, x : x + 5] = 250
    windows = telling_windows(open_image(pixels), Scaling("dtype", 0, 255))
    assert windows.shape[1:] == (256, 256, shape[2] if len(shape) == 3 else 1)
    assert windows.max() == pytest.approx(250 / 255)
    assert windows[0].max() == windows.max()
    assert len(windows) <= 16


@pytest.fixture(scope="module")
def patches(shared_data):
    """Return real patches, their truth, and what makes a score of a runtime's answers."""
    model = bundled_model()
    pairs = [pair for fold in (2, 3, 4, 5) for pair in load_folder(shared_data / "mpnet" / f"fold_{fold}", 0)]
    images = np.stack([pair.image for pair in pairs]).astype(np.float32) / np.float32(255)
    truth = np.stack([pair.mask for pair in pairs])

    def f1(name):
        running = RUNTIMES[name].build(folded(model.network), CPU, model.card.receptive_radius, images[::4])
        found = np.stack([running(one[None].transpose(0, 3, 1, 2))[0] for one in images]) > model.card.threshold
        return 2 * (found & truth).sum() / (found.sum() + truth.sum())

    return f1, f1("torch-fp32")


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [name for name, entry in RUNTIMES.items() if "cpu" in entry.devices and name != "torch-fp32"]
)
def test_f1_on_real_patches_changes_by_no_more_than_is_allowed(name, patches):
    if RUNTIMES[name].available(CPU) is not None:
        pytest.skip(RUNTIMES[name].available(CPU))
    f1, plain = patches
    assert plain > 0.8
    assert abs(f1(name) - plain) <= 0.002
