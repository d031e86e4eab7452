"""Networks that are cheap to build."""

import pytest
import torch

from napari_mpseg.networks.registry import NETWORKS


@pytest.fixture
def small():
    """Build a registered network in its small variant, the same weights every time."""

    def build(name, channels=3, **options):
        torch.manual_seed(11)
        return NETWORKS[name].build(channels, **NETWORKS[name].small, **options)

    return build
