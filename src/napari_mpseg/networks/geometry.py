"""What can be said of a network's geometry and cost: receptive radius, parameters, operations."""

import copy
from fractions import Fraction
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

_COUNTED = 32


def receptive_radius(network: nn.Module, in_channels: int = 3, limit: int = 128) -> int | None:
    """Return how far, in pixels, an input pixel can reach in the output.

    Every weight is replaced by a positive constant, so that an impulse spreads without cancelling; the farthest
    non-zero output over all positions of the impulse within one stride is the radius. Images are strips: to reach far
    along one axis takes no room along the other. Where all kernels are square, one axis speaks for both.

    Parameters
    ----------
    network : torch.nn.Module
        With an integer ``stride``; made of convolutions, poolings, resampling, ReLU-like activations and batch
        normalisation. A network that contains anything else, such as normalisation over channels, must say
        ``sees_far``: an impulse would not show how far it reaches.
    limit : int
        Largest radius looked for, in pixels.

    Returns
    -------
    int or None
        The radius; None if it is larger than `limit`, or if the network ``sees_far`` or pools the whole image.
    """
    if getattr(network, "sees_far", False) or _pools_everything(network):
        return None
    inner = getattr(network, "network", None)
    if isinstance(inner, nn.Module):  # a wrapper, which says how far it looks around itself
        radius = receptive_radius(inner, in_channels, limit)
        return None if radius is None else radius + int(getattr(network, "radius", 0))
    probe = copy.deepcopy(network).to("cpu", torch.float32).eval()
    axes: tuple[int, ...] = (0,)
    with torch.no_grad():
        for module in probe.modules():
            if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
                # the farthest pixel keeps its size through any number of layers
                module.weight.fill_(module.groups / module.in_channels)
                if module.bias is not None:
                    module.bias.zero_()
                if not _is_square(module):
                    axes = (0, 1)
            elif isinstance(module, nn.BatchNorm2d):
                module.reset_running_stats()
                module.reset_parameters()
            elif hasattr(module, "expect"):  # or where there is nothing would no longer be zero
                module.get_buffer("mean").zero_()
                module.get_buffer("std").fill_(1.0)
        stride = stride_of(network)
        reach = min(limit, max(12, 4 * stride))  # a network reaches at least some of its coarsest pixels
        while True:  # short strips first: most networks of interest see no further
            radius = _impulse_reach(probe, in_channels, stride, reach, axes)
            if radius is not None or reach == limit:
                return radius
            reach = min(limit, 2 * reach)


def stride_of(network: nn.Module) -> int:
    """Return what the height and width of a network's images must be multiples of."""
    stride = getattr(network, "stride", 1)
    return stride if isinstance(stride, int) else 1  # a bare convolution has a pair of that name


def _pools_everything(network: nn.Module) -> bool:
    return any(isinstance(module, (nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)) for module in network.modules())


def _is_square(module: nn.Conv2d | nn.ConvTranspose2d) -> bool:
    return all(len(set(pair)) == 1 for pair in (module.kernel_size, module.stride, module.dilation, module.padding))


def _impulse_reach(probe: nn.Module, in_channels: int, stride: int, reach: int, axes: tuple[int, ...]) -> int | None:
    """Return the farthest non-zero output of impulses along `axes`, None if one reaches further than `reach`."""
    length = -(-(2 * reach + 2 * stride) // stride) * stride
    centre = length // 2 // stride * stride
    radius = 0
    for point in range(centre, centre + stride):
        strip = torch.zeros(1, in_channels, length, max(stride, 2))
        strip[:, :, point, point % stride] = 1.0
        for axis in axes:
            reached = torch.nonzero(probe(strip.mT if axis else strip)[0, 0])[:, axis]
            radius = max(radius, int((reached - point).abs().max()) if len(reached) else 0)
        if radius > reach:
            return None
    return radius


def count_parameters(network: nn.Module) -> int:
    """Return the number of trainable weights."""
    return sum(parameter.numel() for parameter in network.parameters())


def count_flops(network: nn.Module, in_channels: int = 3, size: int = 512) -> int:
    """Return multiplications plus additions for one ``size`` x ``size`` image.

    Counted are convolutions, linear layers, matrix products and attention. Biases, activations and resampling are left
    out (under 1 %).
    """
    # Counted on small images and continued as a polynomial of the area: what works on every pixel grows with the area,
    # what works on a pooled image not at all, attention between pixels with its square. (A "meta" tensor would need no
    # memory, but makes torch import triton, which crashes in a process that has numba's LLVM loaded.)
    probe = copy.deepcopy(network).to("cpu").eval()
    stride = stride_of(network)
    side = -(-max(_COUNTED, int(getattr(network, "smallest", 1))) // stride) * stride
    first, compares = _count(probe, in_channels, side)
    points = [(side**2, first)]
    for times in (2, 3) if compares else (2,):
        points.append(((times * side) ** 2, _count(probe, in_channels, times * side)[0]))
    return round(_continued(points, size**2))


class _Operations(TorchFunctionMode):
    """Adds up the operations of all torch functions called within the block."""

    def __init__(self) -> None:
        super().__init__()
        self.total = 0
        self.compares = False  # whether pixels are compared with pixels

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = func(*args, **(kwargs or {}))
        name = getattr(func, "__name__", "")
        if name in _COSTS:
            self.total += 2 * _COSTS[name]([*args, *(kwargs or {}).values()], output)
            self.compares |= name in _COMPARING
        return output


def _of_convolution(operands: list[Any], output: torch.Tensor) -> int:
    return int(operands[1].numel() * output.shape[0] * output.shape[-2] * output.shape[-1])


def _of_transposed_convolution(operands: list[Any], output: torch.Tensor) -> int:
    return _of_convolution(operands, operands[0])


def _of_linear(operands: list[Any], output: torch.Tensor) -> int:
    return int(output.numel() * operands[1].shape[-1])


def _of_product(operands: list[Any], output: torch.Tensor) -> int:
    return int(output.numel() * operands[0].shape[-1])


def _of_attention(operands: list[Any], output: torch.Tensor) -> int:
    query, key = operands[:2]
    return int(key.shape[-2] * (query.numel() + output.numel()))


# multiplications per call, by the function's name
_COSTS = {
    "conv2d": _of_convolution,
    "conv_transpose2d": _of_transposed_convolution,
    "linear": _of_linear,
    "matmul": _of_product,
    "__matmul__": _of_product,
    "bmm": _of_product,
    "scaled_dot_product_attention": _of_attention,
}
_COMPARING = {"matmul", "__matmul__", "bmm", "scaled_dot_product_attention"}


def _count(probe: nn.Module, in_channels: int, side: int) -> tuple[int, bool]:
    with torch.no_grad(), _Operations() as operations:
        probe(torch.zeros(1, in_channels, side, side))
    return operations.total, operations.compares


def _continued(points: list[tuple[int, int]], at: int) -> Fraction:
    """Return the value at `at` of the polynomial through the points."""
    value = Fraction(0)
    for x, y in points:
        term = Fraction(y)
        for other, _ in points:
            if other != x:
                term *= Fraction(at - other, x - other)
        value += term
    return value
