"""Every registered network builds for any channels, keeps the image's size, trains, and comes back from its file."""

import subprocess
import sys

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from napari_mpseg.errors import ModelError, UnknownNameError
from napari_mpseg.inference.runtime import folded
from napari_mpseg.networks.modelfile import Model, ModelCard, load_model, save_model
from napari_mpseg.networks.registry import NETWORKS


def norms(network):
    return [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]


def make_lively(network):
    """Give batch normalisation statistics and weights as training might leave them."""
    with torch.no_grad():
        for norm in norms(network):
            norm.running_mean.normal_(0, 0.3)
            norm.running_var.uniform_(0.5, 2)
            norm.weight.uniform_(0.5, 1.5)
            norm.bias.normal_(0, 0.3)
    return network.eval()


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_output_is_one_logit_per_pixel_for_any_multiple_of_the_stride(small, name, channels):
    network = small(name, channels).eval()
    for rows, columns in ((1, 1), (3, 2)):
        image = torch.rand(2, channels, rows * network.stride, columns * network.stride)
        with torch.inference_mode():
            logits = network(image)
        assert logits.shape == (2, 1, *image.shape[2:])
        assert logits.dtype == torch.float32
        assert torch.isfinite(logits).all()


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("batch", [1, 2])
def test_one_step_of_training_changes_the_weights_and_stays_finite(small, name, batch):
    """A batch of one is the hard case: a branch that pools the whole image then has one value per channel."""
    network = small(name).train()
    side = max(32, network.stride)
    images, target = torch.rand(batch, 3, side, side), (torch.rand(batch, 1, side, side) > 0.8).float()
    before = [parameter.detach().clone() for parameter in network.parameters()]
    loss = F.binary_cross_entropy_with_logits(network(images), target)
    loss.backward()
    assert torch.isfinite(loss)
    # normalised over one or two values, slopes are very steep
    assert torch.isfinite(nn.utils.clip_grad_norm_(network.parameters(), 1.0))
    changed = 0
    with torch.no_grad():
        for parameter, old in zip(network.parameters(), before, strict=True):
            if parameter.grad is not None:
                parameter -= 0.01 * parameter.grad
            changed += not torch.equal(parameter, old)
        assert torch.isfinite(network.eval()(images)).all()
    assert changed > 0.5 * len(before)


@pytest.mark.parametrize("name", [name for name in NETWORKS if "resnet101" not in name])
def test_training_learns_a_bright_square(small, name):
    network = small(name).train()
    side = max(64, network.stride)
    image, target = torch.zeros(2, 3, side, side), torch.zeros(2, 1, side, side)
    image[:, :, 8:40, 16:48], target[:, :, 8:40, 16:48] = 1, 1
    losses = []
    for _ in range(12):
        loss = F.binary_cross_entropy_with_logits(network(image), target)
        network.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        with torch.no_grad():
            for parameter in network.parameters():
                if parameter.grad is not None:
                    parameter -= 0.1 * parameter.grad
        losses.append(float(loss))
    assert min(losses[-3:]) < 0.95 * losses[0]


@pytest.mark.parametrize("name", NETWORKS)
def test_saved_and_loaded_predicts_the_same(small, name, tmp_path):
    network = make_lively(small(name, 2))
    options = dict(NETWORKS[name].small)
    if NETWORKS[name].weights:
        options["weights"] = NETWORKS[name].weights[0]  # what was once downloaded is not looked for again
    card = ModelCard("m", name, options=options, in_channels=2, training={"seed": 4})
    loaded = load_model(save_model(Model(network, card), tmp_path / "m"))
    image = torch.rand(1, 2, 32, 64)
    with torch.inference_mode():
        assert torch.equal(network(image), loaded.network(image))
    assert loaded.card.training == {"seed": 4}
    assert not loaded.network.training


@pytest.mark.parametrize("name", NETWORKS)
def test_folded_batch_normalisation_changes_nothing(small, name):
    network = make_lively(small(name))
    image = torch.rand(1, 3, 64, 96)
    with torch.inference_mode():
        expected = network(image)
        found = folded(network)(image)
    scale = float(expected.abs().max())
    torch.testing.assert_close(found, expected, atol=1e-4 * scale, rtol=1e-4)


@pytest.mark.parametrize("name", ["half-unet", "unet-reverse", "smp-unet"])
def test_batch_normalisation_is_really_folded(small, name):
    network = small(name)
    assert norms(network)
    assert len(norms(folded(network))) < len(norms(network))


@pytest.mark.parametrize("name", ["unet", "half-unet", "multiresunet"])
def test_batch_normalisation_and_dropout_are_options(small, name):
    assert not norms(small(name, batch_norm=False))
    network = small(name, dropout=0.5)
    image = torch.rand(1, 3, 32, 32)
    network.train()
    assert not torch.equal(network(image), network(image))
    network.eval()
    assert torch.equal(network(image), network(image))


@pytest.mark.parametrize("name", [name for name in NETWORKS if "width" in NETWORKS[name].small])
def test_a_smaller_width_makes_a_smaller_network(small, name):
    ours, default = (
        sum(parameter.numel() for parameter in network.parameters())
        for network in (small(name), NETWORKS[name].build())
    )
    assert ours < default / 20
    with pytest.raises(ModelError, match="width must be"):
        NETWORKS[name].build(3, width=0)


def test_entries_tell_their_options():
    assert NETWORKS["unet"].options() == {"batch_norm": True, "dropout": 0.0, "width": 56}
    assert set(NETWORKS["smp-unet"].options()) == {"encoder", "weights"}
    assert set(NETWORKS["fcn_resnet101"].options()) == {"weights"}
    for entry in NETWORKS.values():
        assert entry.summary.endswith(".")
        assert entry.source


def test_unknown_names_and_options_are_explained():
    with pytest.raises(UnknownNameError, match="half-multiresunet"):
        NETWORKS["half-multiresnet"]
    with pytest.raises(ModelError, match="colour"):
        NETWORKS["half-multiresunet"].build(3, colour=True)
    with pytest.raises(ModelError, match="1 or more channels, not 0"):
        NETWORKS["unet"].build(0)


def test_building_a_network_of_the_libraries_does_not_load_triton():
    """Triton ends a process that has Mesa's OpenGL loaded."""
    program = """
import sys
from napari_mpseg.networks.geometry import count_flops
from napari_mpseg.networks.registry import NETWORKS
for name, options in (("smp-unet", {"encoder": "resnet18"}), ("smp-fpn", {"encoder": "tu-resnet10t"})):
    network = NETWORKS[name].build(3, **options)
    count_flops(network)
assert "triton" not in sys.modules, "triton was loaded"
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
