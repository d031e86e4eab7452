"""Networks of other libraries behind the interface of this package: values 0 to 1 in, one logit per pixel out."""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F

from napari_mpseg.networks.centred import Centred


class LibraryNetwork(Centred):
    """Wraps a network of another library.

    Parameters
    ----------
    network : torch.nn.Module
        Maps ``(N, C, Y, X)`` to logits ``(N, outputs, Y, X)``.
    in_channels : int
        Channels of the input.
    stride : int
        What Y and X must be multiples of.
    smallest : int
        Smallest side that the network can work on. Smaller images are continued by their edge, and the result is cut.

    Attributes
    ----------
    sees_far : bool
        Such networks reach further than a window, or pool the whole image: tiles of them are blended.
    """

    sees_far = True

    def __init__(self, network: nn.Module, in_channels: int, stride: int, smallest: int = 1) -> None:
        super().__init__(in_channels)
        self.network = network
        self.stride = stride
        self.smallest = smallest
        steady_batch_norm(network)

    def expect(self, mean: Sequence[float], std: Sequence[float]) -> None:
        """Set the mean and standard deviation that trained weights were made with, for any number of channels."""
        channels = self.mean.shape[1]
        super().expect(_per_channel(mean, channels), _per_channel(std, channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map an image batch ``(N, C, Y, X)``, 0 to 1, to logits ``(N, outputs, Y, X)``."""
        height, width = x.shape[-2:]
        x = self.centred(x)
        below, right = max(0, self.smallest - height), max(0, self.smallest - width)
        if below or right:
            x = F.pad(x, (0, right, 0, below), mode="replicate")
        logits = self.logits(x)
        return logits[..., :height, :width]

    def logits(self, x: torch.Tensor) -> torch.Tensor:
        """Return the network's logits for normalised images."""
        found: torch.Tensor = self.network(x)
        return found


def _per_channel(values: Sequence[float], channels: int) -> list[float]:
    """Return one value per channel: a grey image takes the average, more channels repeat red, green and blue."""
    if channels == 1:
        return [sum(values) / len(values)]
    return [values[channel % len(values)] for channel in range(channels)]


def first_convolution(convolution: nn.Conv2d, in_channels: int) -> nn.Conv2d:
    """Return a trained RGB convolution for another number of channels.

    A grey channel meets the sum of the three kernels, as if it had been copied to red, green and blue; more channels
    meet them in turn, scaled so that the response stays as strong.
    """
    weight = convolution.weight.detach()
    trained = weight.shape[1]
    if in_channels == trained:
        return convolution
    if in_channels == 1:
        weight = weight.sum(1, keepdim=True)
    else:
        weight = weight[:, [channel % trained for channel in range(in_channels)]] * (trained / in_channels)
    size, stride, padding = convolution.kernel_size, convolution.stride, convolution.padding
    adapted = nn.Conv2d(in_channels, weight.shape[0], size, stride, padding, bias=convolution.bias is not None)  # type: ignore[arg-type]
    with torch.no_grad():
        adapted.weight.copy_(weight)
        if adapted.bias is not None and convolution.bias is not None:
            adapted.bias.copy_(convolution.bias)
    return adapted


class SteadyBatchNorm(nn.BatchNorm2d):
    """Batch normalisation that also trains where a channel has a single value.

    A branch that pools the whole image has one value per image and channel; for a batch of one there is nothing to
    take a mean over, and torch refuses. Here the running mean and variance stand in.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Normalise ``(N, C, Y, X)``."""
        if self.training and x.shape[0] * x.shape[2] * x.shape[3] == 1:
            return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, False, 0.0, self.eps)
        return super().forward(x)


def steady_batch_norm(network: nn.Module) -> None:
    """Put :class:`SteadyBatchNorm` in place of every plain batch normalisation, with the same weights and names."""
    for module in network.modules():
        for name, child in module.named_children():
            if type(child) is nn.BatchNorm2d and child.track_running_stats:
                steady = SteadyBatchNorm(child.num_features, child.eps, child.momentum, child.affine)
                steady.load_state_dict(child.state_dict())
                setattr(module, name, steady)
