"""Exponential moving average of a network's weights; steadier than the last step's on few images."""

import torch
from torch import nn


class WeightAverage:
    """The average so far.

    Parameters
    ----------
    network : torch.nn.Module
        Whose weights are averaged.
    decay : float
        Of the average, once it has run for a while; early steps count more, so that the start is forgotten.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.values = {name: value.detach().clone() for name, value in network.state_dict().items()}
        self.steps = 0

    def update(self, network: nn.Module) -> None:
        """Take in the weights after a step."""
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        with torch.no_grad():
            for name, value in network.state_dict().items():
                if value.dtype.is_floating_point:
                    self.values[name].mul_(decay).add_(value, alpha=1 - decay)
                else:
                    self.values[name].copy_(value)
