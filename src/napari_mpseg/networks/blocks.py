"""Building blocks that several architectures share."""

import torch
from torch import nn
from torch.nn import functional as F


class Convolution(nn.Sequential):
    """A same-size convolution, followed by batch normalisation if asked (then without bias).

    Parameters
    ----------
    inputs, outputs : int
        Channels.
    kernel : int
        Odd kernel size in pixels; the border is padded with zeros.
    batch_norm : bool
        Normalise the outputs over the batch while training; at inference this folds into the convolution.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, batch_norm: bool) -> None:
        layers: list[nn.Module] = [nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=not batch_norm)]
        if batch_norm:
            layers.append(nn.BatchNorm2d(outputs))
        super().__init__(*layers)


def added(target: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Return the sum, in the memory of `target` where no gradient needs it: inference is bound by memory."""
    return target + other if torch.is_grad_enabled() else target.add_(other)


class MultiResBlock(nn.Module):
    """Three 3x3 convolutions in a row, all three outputs kept, plus a residual connection.

    m1, m2 and m3 have 1/6, 2/6 and 3/6 of the block's channels; the residual is the input itself, or its 1x1
    convolution where the channels differ; ReLU closes the block.

    Parameters
    ----------
    inputs, outputs : int
        Channels; at least 6 outputs.
    batch_norm : bool
        See :class:`Convolution`.

    References
    ----------
    Lee and Jhang 2021, equations 10 to 13 and 16; after Ibtehaz and Rahman 2020 (MultiResUNet).
    """

    def __init__(self, inputs: int, outputs: int, batch_norm: bool) -> None:
        super().__init__()
        first, second = outputs // 6, outputs // 3
        self.m1 = Convolution(inputs, first, 3, batch_norm)
        self.m2 = Convolution(first, second, 3, batch_norm)
        self.m3 = Convolution(second, outputs - first - second, 3, batch_norm)
        self.residual = nn.Identity() if inputs == outputs else Convolution(inputs, outputs, 1, batch_norm)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``(N, inputs, Y, X)`` to ``(N, outputs, Y, X)``."""
        m1 = F.relu(self.m1(x), inplace=True)
        m2 = F.relu(self.m2(m1), inplace=True)
        m3 = F.relu(self.m3(m2), inplace=True)
        return F.relu(added(torch.cat([m1, m2, m3], 1), self.residual(x)), inplace=True)


class ResidualPath(nn.Module):
    """The skip connection of MultiResUNet: f(x) = relu(conv1(x)) + relu(conv3(x)), four times.

    References
    ----------
    Lee and Jhang 2021, equations 14 and 15.
    """

    def __init__(self, channels: int, batch_norm: bool, repeats: int = 4) -> None:
        super().__init__()
        self.narrow = nn.ModuleList(Convolution(channels, channels, 1, batch_norm) for _ in range(repeats))
        self.wide = nn.ModuleList(Convolution(channels, channels, 3, batch_norm) for _ in range(repeats))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``(N, channels, Y, X)`` to the same shape."""
        for narrow, wide in zip(self.narrow, self.wide, strict=True):
            x = added(F.relu(narrow(x), inplace=True), F.relu(wide(x), inplace=True))
        return x


def start_from_nothing(network: nn.Module, head: nn.Conv2d) -> None:
    """Draw a ReLU network's starting weights, and let its head begin near "no particle anywhere".

    Only the first output is the particle's probability; others begin undecided.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    # Particles are rare: a prior of 2 %, and weights so small that the head learns before it shouts.
    assert head.bias is not None
    with torch.no_grad():
        head.weight.mul_(0.1)
        nn.init.constant_(head.bias[:1], -4.0)


def refuse_width(width: int, least: int = 1) -> None:
    """Raise ValueError if a network cannot have `width` channels in its first level."""
    if width < least:
        raise ValueError(f"width must be {least} or more, not {width}")
