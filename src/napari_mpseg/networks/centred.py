"""Networks that take a mean from their input and divide by a standard deviation, both kept with the weights."""

from collections.abc import Sequence

import torch
from torch import nn


class Centred(nn.Module):
    """Base of networks with a mean and a standard deviation per channel.

    Parameters
    ----------
    in_channels : int
        Channels of the input.

    Attributes
    ----------
    mean, std : torch.Tensor
        ``(1, C, 1, 1)``; 0 and 1 until :meth:`expect` is called. They are saved with the weights, so that a loaded
        network needs nothing else.
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(1, in_channels, 1, 1))
        self.register_buffer("std", torch.ones(1, in_channels, 1, 1))

    def expect(self, mean: Sequence[float], std: Sequence[float]) -> None:
        """Set mean and standard deviation, one value per channel, on the scale of 0 to 1."""
        for buffer, values in ((self.mean, mean), (self.std, std)):
            buffer.copy_(torch.tensor(list(values)).view_as(buffer))

    def centred(self, x: torch.Tensor) -> torch.Tensor:
        """Return a batch ``(N, C, Y, X)`` less the mean, divided by the standard deviation."""
        return (x - self.mean) / self.std
