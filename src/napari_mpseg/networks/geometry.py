"""What can be said of a network's geometry and cost: receptive radius, parameters, operations."""

import copy

import torch
from torch import nn

_COUNTED = 64


def receptive_radius(network: nn.Module, in_channels: int = 3, limit: int = 128) -> int | None:
    """Return how far, in pixels, an input pixel can reach in the output.

    Every weight is replaced by a positive constant, so that an impulse spreads without cancelling; the farthest
    non-zero output over all positions of the impulse within one stride is the radius.

    Parameters
    ----------
    network : torch.nn.Module
        With an integer ``stride``; made of convolutions, poolings, resampling, ReLU-like activations and batch
        normalisation.
    limit : int
        Largest radius looked for, in pixels.

    Returns
    -------
    int or None
        The radius; None if it is larger than `limit`.
    """
    probe = copy.deepcopy(network).to("cpu", torch.float64).eval()
    with torch.no_grad():
        for module in probe.modules():
            if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
                module.weight.fill_(1.0 / module.weight[0].numel())
                if module.bias is not None:
                    module.bias.zero_()
            elif isinstance(module, nn.BatchNorm2d):
                module.reset_running_stats()
                module.reset_parameters()
        stride = int(getattr(network, "stride", 1))
        reach = min(limit, 12)
        while True:  # small images first: most networks of interest see no further
            radius = _impulse_reach(probe, in_channels, stride, reach)
            if radius is not None or reach == limit:
                return radius
            reach = min(limit, 2 * reach)


def _impulse_reach(probe: nn.Module, in_channels: int, stride: int, reach: int) -> int | None:
    """Return the farthest non-zero output of impulses, None if one arrives at the border of an image for `reach`."""
    size = -(-(2 * reach + 2 * stride) // stride) * stride
    centre = size // 2 // stride * stride
    radius = 0
    for point in range(centre, centre + stride):
        image = torch.zeros(1, in_channels, size, size, dtype=torch.float64)
        image[:, :, point, point] = 1.0
        reached = torch.nonzero(probe(image)[0, 0])
        if bool((reached == 0).any()) or bool((reached == size - 1).any()):
            return None
        radius = max(radius, int((reached - point).abs().max()) if len(reached) else 0)
    return radius


def count_parameters(network: nn.Module) -> int:
    """Return the number of trainable weights."""
    return sum(parameter.numel() for parameter in network.parameters())


def count_flops(network: nn.Module, in_channels: int = 3, size: int = 512) -> int:
    """Return multiplications plus additions of all convolutions for one ``size`` x ``size`` image.

    Biases, activations and resampling are left out (under 1 %).
    """
    total = 0

    def add(module: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        nonlocal total
        weight = module.weight
        assert isinstance(weight, torch.Tensor)
        places = inputs[0] if isinstance(module, nn.ConvTranspose2d) else output
        total += 2 * weight.numel() * places.shape[-1] * places.shape[-2]

    # Counted on a small image and scaled by area, which is exact for convolutions. (A "meta" tensor would need no
    # memory, but makes torch import triton, which crashes in a process that has numba's LLVM loaded.)
    probe = copy.deepcopy(network).to("cpu").eval()
    for module in probe.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            module.register_forward_hook(add)
    with torch.no_grad():
        probe(torch.zeros(1, in_channels, _COUNTED, _COUNTED))
    return total * size**2 // _COUNTED**2
