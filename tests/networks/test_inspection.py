"""Figures and weight histograms tell what is in the network."""

import csv

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from napari_mpseg.errors import ModelError
from napari_mpseg.networks.inspection import describe, draw_histograms, weight_histograms, write_histograms


@pytest.fixture
def network():
    """Two convolutions and something that is none; the first has weights -2, 0, 0.005 and 1."""
    network = nn.Sequential(nn.Conv2d(4, 1, 1), nn.BatchNorm2d(1), nn.ReLU(), nn.ConvTranspose2d(1, 3, 2, stride=2))
    with torch.no_grad():
        network[0].weight.copy_(torch.tensor([-2.0, 0.0, 0.005, 1.0]).view(1, 4, 1, 1))
        nn.init.zeros_(network[3].weight)
    return network


def test_histograms_of_known_weights(network):
    first, second = weight_histograms(network, bins=4)
    assert (first.name, first.shape) == ("0", (1, 4, 1, 1))
    assert first.edges.tolist() == [-2, -1, 0, 1, 2]
    assert first.counts.tolist() == [1, 0, 2, 1]
    assert first.mean == pytest.approx((-2 + 0.005 + 1) / 4)
    assert first.std == pytest.approx(np.std([-2, 0, 0.005, 1]))
    assert first.near_zero == 0.5
    assert (second.name, second.shape, second.near_zero) == ("3", (1, 3, 2, 2), 1.0)
    assert second.counts.sum() == 12


def test_counts_add_up_to_all_weights(small):
    network = small("smp-unet")
    histograms = weight_histograms(network)
    assert sum(int(layer.counts.sum()) for layer in histograms) == sum(
        module.weight.numel() for module in network.modules() if isinstance(module, nn.Conv2d)
    )


def test_numbers_are_written_by_layer_and_bin(network, tmp_path):
    write_histograms(weight_histograms(network, bins=4), tmp_path / "weights.csv")
    with (tmp_path / "weights.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 8
    assert rows[2] == {
        "layer": "0",
        "shape": "1x4x1x1",
        "mean": "-0.24875",
        "std": "1.09001",  # the root of (4 + 0.005^2 + 1) / 4 - 0.24875^2
        "near_zero": "0.5",
        "low": "0",
        "high": "1",
        "count": "2",
    }


def test_the_picture_has_a_row_per_layer(network, small, tmp_path):
    heights = []
    for number, drawn in enumerate((network, small("half-unet"))):
        path = tmp_path / f"{number}.png"
        draw_histograms(weight_histograms(drawn), path, "title")
        with Image.open(path) as picture:
            heights.append(picture.height)
            # not an empty page: bars in the colour of the curves
            assert (np.asarray(picture.convert("RGB")) == (31, 119, 180)).all(-1).sum() > 100
    assert heights[1] > heights[0]


def test_broken_weights_are_told(network):
    with torch.no_grad():
        network[0].weight[0, 0] = float("nan")
    with pytest.raises(ModelError, match="Layer 0 has weights that are not finite"):
        weight_histograms(network)


def test_figures(network):
    figures = describe(network, 4)
    assert figures.parameters == (4 + 1) + 2 + (12 + 3)
    assert figures.flops == 2 * (4 + 12) * 512 * 512
    assert figures.stride == 1


def test_field_is_both_sides_and_the_pixel_itself():
    figures = describe(nn.Sequential(nn.Conv2d(1, 1, 5, padding=2)), 1)
    assert (figures.receptive_radius, figures.receptive_field) == (2, 5)
    far = describe(nn.Sequential(nn.Conv2d(1, 1, 1), nn.AdaptiveAvgPool2d(1), nn.Upsample(64)), 1)
    assert (far.receptive_radius, far.receptive_field) == (None, None)
