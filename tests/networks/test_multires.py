"""MultiResUNets compute only what is asked for, strip by strip, and it changes nothing."""

import pytest
import torch

NAMES = ["half-multiresunet", "quarter-multiresunet", "multiresunet"]


@pytest.mark.parametrize("margins", [(36, 36, 36, 36), (0, 35, 7, 0), (5, 0, 0, 9), (1, 2, 3, 50)])
@pytest.mark.parametrize("name", NAMES)
def test_margins_leave_the_rest_as_it_was(small, name, margins):
    network = small(name).eval()
    torch.nn.init.normal_(network.head.weight)
    image = torch.rand(1, 3, 96, 128)
    top, bottom, left, right = margins
    with torch.inference_mode():
        whole = torch.sigmoid(network(image))
        part = torch.sigmoid(network(image, margins))
    expected = whole[..., top : 96 - bottom, left : 128 - right]
    assert part.shape == expected.shape
    torch.testing.assert_close(part, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("margins", [(0, 0, 0, 0), (36, 36, 36, 36), (0, 35, 7, 0)])
@pytest.mark.parametrize("name", NAMES)
def test_working_in_strips_changes_nothing(small, name, margins, monkeypatch):
    network = small(name).eval()
    image = torch.rand(1, 3, 128, 96)
    with torch.inference_mode():
        whole = torch.sigmoid(network(image, margins))
        monkeypatch.setattr("napari_mpseg.networks.multires._STRIP_ROWS", 9)
        monkeypatch.setattr("napari_mpseg.networks.multires._STRIP_PIXELS", 9)
        strips = torch.sigmoid(network(image, margins))
    torch.testing.assert_close(strips, whole, atol=1e-5, rtol=0)
    assert not torch.equal(strips[..., :2], strips[..., -2:])
