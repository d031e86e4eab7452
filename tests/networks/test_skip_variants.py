"""The three wirings of Lee et al. 2022, told by gradients and by counting."""

import pytest
import torch
from torch import nn

from napari_mpseg.networks.geometry import count_parameters
from napari_mpseg.networks.registry import NETWORKS

# which encoder levels (1 is the shallowest of 5) reach decoder stage k (1 is the deepest), as the paper words it
RULES = {
    "unet-standard": lambda k: {5 - k},
    "unet-semi-dense": lambda k: set(range(1, k + 1)),
    "unet-reverse": lambda k: {k},
}


@pytest.mark.parametrize("name", RULES)
def test_each_decoder_stage_receives_the_levels_of_the_rule(name):
    torch.manual_seed(2)
    network = NETWORKS[name].build(3, width=4)
    levels = [level.detach() for level in network.encode(torch.rand(2, 3, 64, 64))]
    below = levels[-1]
    for k in range(1, 5):
        levels = [level.detach().requires_grad_() for level in levels]
        out = network.decode(k - 1, below, levels)
        size = 64 // 2 ** (4 - k)
        assert out.shape == (2, 4 * 2 ** (4 - k), size, size)
        out.square().sum().backward()
        reached = {number for number, level in enumerate(levels, 1) if level.grad is not None and level.grad.any()}
        assert reached == RULES[name](k)
        below = out.detach()


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("channels", [1, 3])
def test_parameters_by_hand(name, channels):
    """3x3 convolutions without bias but with a factor and an offset per channel; 1x1 where levels are resized."""
    widths = [64, 128, 256, 512, 1024]

    def stage(inputs, outputs):
        return 9 * inputs * outputs + 9 * outputs * outputs + 4 * outputs

    total = sum(stage(i, o) for i, o in zip([channels, *widths], widths, strict=False))
    for k in range(1, 5):
        outputs = widths[4 - k]
        received = sorted(RULES[name](k))
        total += 4 * 2 * outputs * outputs  # 2x2 transposed convolution
        total += stage(outputs * (1 + len(received)), outputs)
        if name != "unet-standard":
            total += sum(widths[level - 1] * outputs + 2 * outputs for level in received)
    total += 64 + 1
    assert count_parameters(NETWORKS[name].build(channels)) == total


def test_parts_are_those_of_the_paper():
    network = NETWORKS["unet-semi-dense"].build(3, width=4)
    kinds = [type(module) for module in network.modules()]
    assert kinds.count(nn.ConvTranspose2d) == 4
    assert all(module.bias is None for module in network.modules() if isinstance(module, nn.ConvTranspose2d))
    biased = [
        name for name, module in network.named_modules() if isinstance(module, nn.Conv2d) and module.bias is not None
    ]
    assert biased == ["head"]


def test_a_level_is_resized_bicubically():
    """Half-way between pixels, Keys' cubic kernel with a = -0.75 weighs four neighbours by (-3, 19, 19, -3) / 32."""
    from napari_mpseg.networks.skip_variants import ResizedSkip

    skip = ResizedSkip(1, 1, 0.5).eval()
    with torch.no_grad():
        skip.convolution[0].weight.fill_(1.0)
    image = torch.rand(1, 1, 16, 16)
    rows = torch.tensor([-3.0, 19.0, 19.0, -3.0]) / 32
    patch = image[0, 0, 5:9, 5:9]  # around output pixel 3, which lies between pixels 6 and 7
    expected = rows @ patch @ rows
    with torch.no_grad():
        assert skip(image)[0, 0, 3, 3] == pytest.approx(float(expected), rel=1e-4)
    assert skip(image).shape == (1, 1, 8, 8)
