"""Networks with several outputs per pixel, and weights that go from one kind to another."""

import pytest
import torch

from napari_mpseg.errors import ModelError
from napari_mpseg.heads.registry import HEADS
from napari_mpseg.networks.geometry import receptive_radius, stride_of
from napari_mpseg.networks.modelfile import Model, ModelCard, load_model, save_model
from napari_mpseg.networks.registry import NETWORKS
from napari_mpseg.networks.transplant import transplanted

HEAVY = ("fcn_resnet101", "deeplabv3_resnet101")
NAMES = [pytest.param(name, marks=pytest.mark.slow if name in HEAVY else ()) for name in NETWORKS]


@pytest.mark.parametrize("name", NAMES)
def test_every_network_has_as_many_outputs_as_asked_for(small, name):
    network = small(name, outputs=3).eval()
    side = max(2 * stride_of(network), int(getattr(network, "smallest", 1)))
    with torch.no_grad():
        assert network(torch.rand(1, 3, side, side)).shape == (1, 3, side, side)
    assert "outputs" not in NETWORKS[name].options()


@pytest.mark.parametrize("name", ["half-multiresunet", "half-unet"])
def test_more_outputs_reach_no_further(name):
    assert receptive_radius(NETWORKS[name].build(3, outputs=5)) == receptive_radius(NETWORKS[name].build(3))


@pytest.mark.parametrize("name", ["quarter-multiresunet", "unet", "unet-reverse"])
def test_only_particles_begin_as_rare(small, name):
    network = small(name, outputs=3)
    assert network.head.bias.tolist() == [-4, 0, 0]


def test_a_network_has_outputs():
    with pytest.raises(ModelError, match="1 or more numbers"):
        NETWORKS["unet"].build(3, outputs=0)


@pytest.mark.parametrize(("before", "after"), [(1, 4), (4, 1), (4, 2), (2, 2)])
def test_weights_go_to_a_network_with_other_outputs(small, before, after):
    first = small("quarter-multiresunet", outputs=before).eval()
    torch.manual_seed(3)
    second = NETWORKS["quarter-multiresunet"].build(3, outputs=after).eval()
    own = second.head.weight.clone()
    second.load_state_dict(transplanted(second, first.state_dict()))
    image = torch.rand(1, 3, 16, 20)
    with torch.no_grad():
        torch.testing.assert_close(second(image)[:, 0], first(image)[:, 0])
    if before != after:
        torch.testing.assert_close(second.head.weight[1:], own[1:])


def test_weights_of_another_network_are_refused(small):
    network = small("quarter-multiresunet", outputs=2)
    with pytest.raises(RuntimeError, match=r"size mismatch|Missing"):
        network.load_state_dict(transplanted(network, small("half-unet").state_dict()))


@pytest.mark.parametrize("head", HEADS)
def test_a_model_with_a_head_is_loaded_as_it_was_saved(tmp_path, small, head):
    network = small("quarter-multiresunet", outputs=HEADS[head].channels).eval()
    save_model(Model(network, ModelCard("a", "quarter-multiresunet", head=head)), tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    assert loaded.card.head == head
    assert all(torch.equal(value, network.state_dict()[name]) for name, value in loaded.network.state_dict().items())


def test_a_model_with_an_unknown_head_is_refused(tmp_path, small):
    save_model(
        Model(small("quarter-multiresunet"), ModelCard("a", "quarter-multiresunet", head="mask")), tmp_path / "m"
    )
    card = tmp_path / "m" / "card.json"
    card.write_text(card.read_text().replace('"head": "mask"', '"head": "flows"'))
    with pytest.raises(ModelError, match="flows"):
        load_model(tmp_path / "m")
