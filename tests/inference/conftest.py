"""Networks whose answers are worth comparing."""

from functools import cache

import pytest
import torch

from napari_mpseg.networks.registry import NETWORKS


@cache
def _lively(name, channels=3):
    torch.manual_seed(5)
    network = NETWORKS[name].build(channels)
    with torch.no_grad():
        network.train()  # batch statistics, so that nothing saturates on the way
        image = torch.rand(4, channels, 64, 64)
        torch.nn.init.normal_(network.head.weight)
        for _ in range(30):
            network(image)
        logits = network.eval()(image)
        network.head.weight.mul_(2 / logits.std())
        network.head.bias.copy_(-network(image).mean() + network.head.bias)
    return network


@pytest.fixture(scope="session")
def lively():
    """Build a network with random weights whose logits spread by about 2, so that its output really varies."""
    return _lively
