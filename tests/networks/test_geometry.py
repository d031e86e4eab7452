"""Parameters, operations and receptive radius against the paper, hand formulas and torch's own counter."""

import pytest
import torch
from torch import nn

from napari_mpseg.networks.geometry import count_flops, count_parameters, receptive_radius
from napari_mpseg.networks.registry import NETWORKS

# Lee and Jhang 2021, Table 4: parameters, multiplications plus additions at 512 x 512 x 3
TABLE_4 = {
    "unet": (21.9776e6, 329.7e9),
    "half-unet": (1.7724e6, 204.0e9),
    "multiresunet": (13.5469e6, 204.8e9),
    "half-multiresunet": (0.2149e6, 42.9e9),
    "quarter-multiresunet": (0.0445e6, 21.9e9),
}


@pytest.mark.parametrize("name", TABLE_4)
@pytest.mark.parametrize("batch_norm", [False, True])
def test_parameters_and_operations_are_within_a_tenth_of_the_paper(name, batch_norm):
    network = NETWORKS[name].build(3, batch_norm=batch_norm)
    parameters, operations = TABLE_4[name]
    assert count_parameters(network) == pytest.approx(parameters, rel=0.1)
    assert count_flops(network, 3, 512) == pytest.approx(operations, rel=0.1)


def test_the_registry_quotes_the_paper():
    quoted = {name: entry.published for name, entry in NETWORKS.items() if entry.published}
    assert quoted == {name: {"parameters": p, "flops": f} for name, (p, f) in TABLE_4.items()}


def test_flops_of_one_convolution_by_hand():
    convolution = nn.Conv2d(3, 8, 5, padding=2)
    # 8 outputs x 3 inputs x 25 places, each one multiplication and one addition, at 16 x 16 pixels
    assert count_flops(convolution, 3, 16) == 2 * 8 * 3 * 25 * 16 * 16


def test_flops_of_strides_groups_and_transposed_convolutions_by_hand():
    network = nn.Sequential(
        nn.Conv2d(4, 8, 3, stride=2, padding=1, groups=2),  # 8 x (4 / 2) x 9 per output pixel, a quarter of them
        nn.ConvTranspose2d(8, 6, 2, stride=2),  # 8 x 6 x 4 per input pixel
    )
    assert count_flops(network, 4, 32) == 2 * (8 * 2 * 9 + 8 * 6 * 4) * 16 * 16


class Pooled(nn.Module):
    """A 1x1 convolution on every pixel, one on the pooled image, and all 8 x 8 blocks compared with each other."""

    def __init__(self):
        super().__init__()
        self.local, self.pooled = nn.Conv2d(2, 5, 1), nn.Conv2d(5, 7, 1)

    def forward(self, x):
        x = self.local(x)
        self.pooled(x.mean((2, 3), keepdim=True))
        flat = nn.functional.avg_pool2d(x, 8).flatten(2)
        return flat.mT @ flat


def test_flops_of_pooled_images_and_of_blocks_compared_with_each_other_by_hand():
    pixels, blocks = 512 * 512, 64 * 64
    assert count_flops(Pooled(), 2, 512) == 2 * (2 * 5 * pixels + 5 * 7 + 5 * blocks**2)


@pytest.mark.parametrize("name", NETWORKS)
def test_flops_are_those_of_torchs_counter(small, name):
    from napari_mpseg.networks.triton_guard import load_compiler_without_triton

    load_compiler_without_triton()
    from torch.utils.flop_counter import FlopCounterMode

    network = small(name).eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, 3, 160, 160))
    assert count_flops(network, 3, 160) == pytest.approx(counter.get_total_flops(), rel=0.01)


@pytest.mark.parametrize(("name", "head"), [("fcn_resnet101", 512), ("deeplabv3_resnet101", 256)])
def test_parameters_are_those_that_torchvision_tells(name, head):
    """Torchvision's figure is for 21 classes and counts an auxiliary head, which serves training on COCO only."""
    from torchvision.models import get_model_weights

    aux = 1024 * 256 * 9 + 2 * 256 + 256 * 21 + 21  # 3x3 convolution, normalisation, 1x1 convolution
    told = get_model_weights(name).DEFAULT.meta["num_params"]
    assert count_parameters(NETWORKS[name].build()) == told - aux - 20 * (head + 1)


def test_receptive_radius_of_stacked_convolutions_by_hand():
    network = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.BatchNorm2d(2), nn.ReLU(), nn.Conv2d(2, 1, 7, padding=3))
    assert receptive_radius(network, 1) == 1 + 3


@pytest.mark.parametrize("kernel", [(3, 7), (7, 3)])
def test_the_longer_axis_of_a_kernel_counts(kernel):
    network = nn.Conv2d(1, 1, kernel, padding=(kernel[0] // 2, kernel[1] // 2))
    assert receptive_radius(network, 1) == 3


class Shifted(nn.Module):
    """Expects images of some mean, as networks with a normalisation of their own do."""

    def __init__(self):
        super().__init__()
        self.network = nn.Conv2d(3, 1, 5, padding=2)
        self.register_buffer("mean", torch.full((1, 3, 1, 1), 0.5))
        self.register_buffer("std", torch.full((1, 3, 1, 1), 0.1))

    def expect(self, mean, std):
        raise NotImplementedError

    def forward(self, x):
        return self.network((x - self.mean) / self.std)


def test_a_normalisation_of_the_networks_own_does_not_count_as_reach():
    network = Shifted()
    assert receptive_radius(network) == 2
    assert network.mean.eq(0.5).all()


def test_receptive_radius_is_none_when_larger_than_the_limit():
    network = nn.Sequential(*(nn.Conv2d(1, 1, 9, padding=4) for _ in range(5)))
    assert receptive_radius(network, 1, limit=32) == 20
    assert receptive_radius(network, 1, limit=16) is None


# Down, bottom and up again, each convolution reaching its own pixel size further; plus the coarsest pixel less one,
# since a fine pixel may lie at the edge of a coarse one.
FIVE_STAGES = 2 * (1 + 2 + 4 + 8) + 2 * 16 + 2 * (8 + 4 + 2 + 1) + 15
RADII = {
    "quarter-multiresunet": 1 + 3 * 1 + 3 * 2 + 3 * 1 + 1,
    "half-multiresunet": 1 + 3 * (1 + 2) + 3 * 4 + 3 * (2 + 1) + 3,
    "multiresunet": 1 + 3 * (1 + 2 + 4 + 8) + 3 * 16 + 3 * (8 + 4 + 2 + 1) + 15,
    "half-unet": 2 * (1 + 2) + 2 * 4 + 2 * (2 + 1) + 3,
    "unet": FIVE_STAGES,
    "unet-standard": FIVE_STAGES,
    "unet-semi-dense": FIVE_STAGES,
    "unet-reverse": FIVE_STAGES,
}


@pytest.mark.parametrize("name", RADII)
def test_receptive_radius_by_hand(small, name):
    assert receptive_radius(small(name), limit=160) == RADII[name]


@pytest.mark.parametrize("name", [name for name in NETWORKS if name not in RADII])
def test_networks_of_the_libraries_see_further_than_a_window(small, name):
    network = small(name).eval()
    assert receptive_radius(network) is None
    # many half-way to the corner do matter to the middle already
    image = torch.rand(1, 3, 192, 192, requires_grad=True)
    network(image)[0, 0, 96, 96].backward()
    reached = torch.nonzero(image.grad.abs().sum((0, 1)))
    assert int((reached - 96).abs().max()) > 64


@pytest.mark.parametrize("name", ["half-multiresunet", "quarter-multiresunet", "half-unet", "unet", "unet-reverse"])
def test_a_pixel_outside_the_radius_changes_nothing_and_one_inside_does(small, name):
    network = small(name).eval()
    side = 2 * (RADII[name] + 16) // 16 * 16
    centre = side // 2
    image = torch.rand(1, 3, side, side)
    with torch.inference_mode():
        before = network(image)[0, 0, centre, centre]
        outside, inside = image.clone(), image.clone()
        outside[..., centre - RADII[name] - 1] += 10
        inside[..., centre - 1] += 10
        assert network(outside)[0, 0, centre, centre] == pytest.approx(float(before), abs=1e-6)
        assert abs(network(inside)[0, 0, centre, centre] - before) > 1e-6
