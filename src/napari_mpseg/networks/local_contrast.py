"""A network that sees how each pixel differs from its surroundings, so that backgrounds of any colour look alike."""

import torch
from torch import nn
from torch.nn import functional as F


class LocalContrast(nn.Module):
    """Wraps a network; inputs become (value - local mean) / (local standard deviation + floor).

    Parameters
    ----------
    network : torch.nn.Module
        Maps ``(N, C, Y, X)`` to logits ``(N, outputs, Y, X)``.
    radius : int
        Half side of the square of pixels that are the surroundings; about a large particle's diameter.
    floor : float
        On the scale of 0 to 1; keeps the noise of an even background small.

    Notes
    -----
    The mean is taken per channel; the deviation is the same for all, so that colours keep their ratios. At the border
    of an image, the pixels that are there are the surroundings.
    """

    def __init__(self, network: nn.Module, radius: int, floor: float = 0.02) -> None:
        super().__init__()
        self.network = network
        self.radius, self.floor = int(radius), float(floor)
        self.stride = int(getattr(network, "stride", 1))
        self.takes_margins = bool(getattr(network, "takes_margins", False))

    def forward(self, x: torch.Tensor, *margins: object) -> torch.Tensor:
        """Map images ``(N, C, Y, X)``, 0 to 1, to logits ``(N, outputs, Y, X)``, less margins where it takes them."""
        mean = self._around(x)
        spread = (self._around(x * x) - mean * mean).clamp_min(0).mean(1, keepdim=True).sqrt()
        logits: torch.Tensor = self.network((x - mean) / (spread + self.floor), *margins)
        return logits

    def _around(self, x: torch.Tensor) -> torch.Tensor:
        """Return the mean over the surroundings, one axis after the other."""
        for axis in (2, 3):
            # no window reaches further than the image: a larger one would only add nothing
            reach = min(self.radius, x.shape[axis] - 1)
            size, pad = [1, 1], [0, 0]
            size[axis - 2], pad[axis - 2] = 2 * reach + 1, reach
            x = F.avg_pool2d(x, size, 1, pad, count_include_pad=False)
        return x
