"""A network that brings its inputs to mean 0 and standard deviation 1 of the images it was trained on."""

from collections.abc import Sequence

import torch
from torch import nn


class Standardised(nn.Module):
    """Wraps a network of this package.

    Parameters
    ----------
    network : torch.nn.Module
        Maps ``(N, C, Y, X)`` to logits ``(N, 1, Y, X)``.
    in_channels : int
        Channels of the input.

    Attributes
    ----------
    mean, std : torch.Tensor
        ``(1, C, 1, 1)``; 0 and 1 until :meth:`expect` is called. They are saved with the weights.
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, network: nn.Module, in_channels: int) -> None:
        super().__init__()
        self.network = network
        self.stride = int(getattr(network, "stride", 1))
        self.takes_margins = bool(getattr(network, "takes_margins", False))
        self.register_buffer("mean", torch.zeros(1, in_channels, 1, 1))
        self.register_buffer("std", torch.ones(1, in_channels, 1, 1))

    def expect(self, mean: Sequence[float], std: Sequence[float]) -> None:
        """Set mean and standard deviation, one value per channel, on the scale of 0 to 1."""
        for buffer, values in ((self.mean, mean), (self.std, std)):
            buffer.copy_(torch.tensor(list(values)).view_as(buffer))

    def forward(self, x: torch.Tensor, *margins: object) -> torch.Tensor:
        """Map an image batch ``(N, C, Y, X)``, 0 to 1, to logits ``(N, 1, Y, X)``, less margins where it takes them."""
        logits: torch.Tensor = self.network((x - self.mean) / self.std, *margins)
        return logits
