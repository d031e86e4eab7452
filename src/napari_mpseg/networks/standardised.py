"""A network that brings its inputs to mean 0 and standard deviation 1 of the images it was trained on."""

import torch
from torch import nn

from napari_mpseg.networks.centred import Centred


class Standardised(Centred):
    """Wraps a network of this package.

    Parameters
    ----------
    network : torch.nn.Module
        Maps ``(N, C, Y, X)`` to logits ``(N, outputs, Y, X)``.
    in_channels : int
        Channels of the input.
    """

    def __init__(self, network: nn.Module, in_channels: int) -> None:
        super().__init__(in_channels)
        self.network = network
        self.stride = int(getattr(network, "stride", 1))
        self.takes_margins = bool(getattr(network, "takes_margins", False))

    def forward(self, x: torch.Tensor, *margins: object) -> torch.Tensor:
        """Map images ``(N, C, Y, X)``, 0 to 1, to logits ``(N, outputs, Y, X)``, less margins where it takes them."""
        logits: torch.Tensor = self.network(self.centred(x), *margins)
        return logits
