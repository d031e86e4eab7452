"""A cache of the tests' own, small networks, and runtimes that do as they are told."""

import sys
import types

import numpy as np
import pytest
import torch
from torch import nn

from napari_mpseg.inference.runtimes import RUNTIMES, RuntimeEntry
from napari_mpseg.networks.geometry import receptive_radius
from napari_mpseg.networks.multires import MultiResUNet


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory):
    return tmp_path_factory.mktemp("runtimes-cache")


@pytest.fixture(autouse=True)
def cache(shared_cache, monkeypatch):
    """Converted networks are shared by the tests; nothing of the user's is seen or changed."""
    monkeypatch.setenv("NAPARI_MPSEG_CACHE", str(shared_cache))
    monkeypatch.delenv("NAPARI_MPSEG_RUNTIME", raising=False)
    return shared_cache / "runtimes"


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NAPARI_MPSEG_CACHE", str(tmp_path))
    return tmp_path / "runtimes"


class Plain(nn.Module):
    """Two convolutions around a pooling; knows nothing of margins."""

    stride = 2

    def __init__(self, channels=3):
        super().__init__()
        torch.manual_seed(3)
        self.first, self.last = nn.Conv2d(channels, 6, 3, padding=1), nn.Conv2d(6, 1, 3, padding=1)

    def forward(self, x):
        x = torch.relu(self.first(x))
        x = nn.functional.interpolate(nn.functional.max_pool2d(x, 2), scale_factor=2, mode="nearest")
        return 3 * self.last(x)


@pytest.fixture
def plain():
    return Plain().eval()


@pytest.fixture(scope="session")
def layered():
    """Return a small network that leaves out margins by itself, and how far it sees."""
    torch.manual_seed(5)
    network = MultiResUNet((7, 8), batch_norm=True).eval()
    with torch.no_grad():
        nn.init.normal_(network.head.weight)
        logits = network(torch.rand(2, 3, 64, 64))
        network.head.weight.mul_(2 / logits.std())  # so that its answers vary
        network.head.bias.fill_(-float((logits - network.head.bias[0]).mean() * 2 / logits.std()))
    return network, receptive_radius(network)


@pytest.fixture
def image(rng):
    """``(Y, X, C)`` pixels as networks see them."""
    return rng.random((64, 72, 3), dtype=np.float32)


@pytest.fixture
def runtimes(monkeypatch):
    """Replace the registry's entries by pairs of name and function from a batch and margins to probabilities."""

    def replace(more=None, **functions):
        module = types.ModuleType("made_up_runtimes")
        monkeypatch.setitem(sys.modules, "made_up_runtimes", module)
        entries = {}
        for name, function in functions.items():
            setattr(module, name, lambda network, device, radius, function=function: function)
            given = {"needs": lambda: None, **(more or {}).get(name, {})}
            entries[name.replace("_", "-")] = RuntimeEntry(
                name.replace("_", "-"), name, "", f"made_up_runtimes:{name}", ("cpu",), **given
            )
        monkeypatch.setattr(RUNTIMES, "_entries", entries)

    return replace
