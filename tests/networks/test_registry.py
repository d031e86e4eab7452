"""Every registered network builds, keeps the image's size, and costs what its paper says."""

import pytest
import torch

from napari_mpseg.errors import ModelError, UnknownNameError
from napari_mpseg.networks.geometry import count_flops, count_parameters, receptive_radius
from napari_mpseg.networks.registry import NETWORKS


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("channels", [1, 3, 5])
def test_output_is_one_logit_per_pixel(name, channels):
    network = NETWORKS[name].build(channels).eval()
    side = 4 * network.stride
    with torch.inference_mode():
        logits = network(torch.rand(2, channels, side, 2 * side))
    assert logits.shape == (2, 1, side, 2 * side)
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize("name", [name for name, entry in NETWORKS.items() if entry.published])
def test_parameters_and_operations_are_within_a_tenth_of_the_paper(name):
    entry = NETWORKS[name]
    network = entry.build(3, batch_norm=False)
    assert count_parameters(network) == pytest.approx(entry.published["parameters"], rel=0.1)
    assert count_flops(network, 3, 512) == pytest.approx(entry.published["flops"], rel=0.1)


def test_flops_of_one_convolution_by_hand():
    convolution = torch.nn.Conv2d(3, 8, 5, padding=2)
    # 8 outputs x 3 inputs x 25 places, each one multiplication and one addition, at 16 x 16 pixels
    assert count_flops(convolution, 3, 16) == 2 * 8 * 3 * 25 * 16 * 16


def test_receptive_radius_of_stacked_convolutions_by_hand():
    network = torch.nn.Sequential(
        torch.nn.Conv2d(1, 2, 3, padding=1),
        torch.nn.BatchNorm2d(2),
        torch.nn.ReLU(),
        torch.nn.Conv2d(2, 1, 7, padding=3),
    )
    assert receptive_radius(network, 1) == 1 + 3


def test_receptive_radius_is_none_when_larger_than_the_limit():
    network = torch.nn.Sequential(*(torch.nn.Conv2d(1, 1, 9, padding=4) for _ in range(5)))
    assert receptive_radius(network, 1, limit=32) == 20
    assert receptive_radius(network, 1, limit=16) is None


@pytest.mark.parametrize("name", NETWORKS)
def test_a_pixel_outside_the_radius_changes_nothing_and_one_inside_does(name):
    torch.manual_seed(0)
    network = NETWORKS[name].build(3).eval()
    radius = receptive_radius(network)
    side = 2 * (radius + 8) // 8 * 8
    centre = side // 2
    image = torch.rand(1, 3, side, side)
    with torch.inference_mode():
        before = network(image)[0, 0, centre, centre]
        outside, inside = image.clone(), image.clone()
        outside[..., centre - radius - 1] += 10
        inside[..., centre - 1] += 10
        assert network(outside)[0, 0, centre, centre] == pytest.approx(float(before), abs=1e-6)
        assert abs(network(inside)[0, 0, centre, centre] - before) > 1e-6


@pytest.mark.parametrize("margins", [(36, 36, 36, 36), (0, 35, 7, 0), (5, 0, 0, 9), (1, 2, 3, 50)])
@pytest.mark.parametrize("name", NETWORKS)
def test_margins_leave_the_rest_as_it_was(name, margins):
    torch.manual_seed(1)
    network = NETWORKS[name].build(3).eval()
    torch.nn.init.normal_(network.head.weight)
    image = torch.rand(1, 3, 96, 128)
    top, bottom, left, right = margins
    with torch.inference_mode():
        whole = torch.sigmoid(network(image))
        part = torch.sigmoid(network(image, margins))
    expected = whole[..., top : 96 - bottom, left : 128 - right]
    assert part.shape == expected.shape
    torch.testing.assert_close(part, expected, atol=1e-5, rtol=0)


def test_unknown_names_and_options_are_explained():
    with pytest.raises(UnknownNameError, match="half-multiresunet"):
        NETWORKS["half-multiresnet"]
    with pytest.raises(ModelError, match="colour"):
        NETWORKS["half-multiresunet"].build(3, colour=True)


@pytest.mark.parametrize("margins", [(0, 0, 0, 0), (36, 36, 36, 36), (0, 35, 7, 0)])
@pytest.mark.parametrize("name", ["half-multiresunet", "quarter-multiresunet"])
def test_working_in_strips_changes_nothing(name, margins, monkeypatch):
    torch.manual_seed(2)
    network = NETWORKS[name].build(3).eval()
    image = torch.rand(1, 3, 128, 96)
    with torch.inference_mode():
        whole = torch.sigmoid(network(image, margins))
        monkeypatch.setattr("napari_mpseg.networks.multires._STRIP_ROWS", 9)
        monkeypatch.setattr("napari_mpseg.networks.multires._STRIP_PIXELS", 9)
        strips = torch.sigmoid(network(image, margins))
    torch.testing.assert_close(strips, whole, atol=1e-5, rtol=0)
    assert not torch.equal(strips[..., :2], strips[..., -2:])
