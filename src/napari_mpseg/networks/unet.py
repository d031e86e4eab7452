"""U-Net and its shortened version for tiny objects (Lee and Jhang 2021).

The paper gives parameters and operations but not the widths. The widths here double from level to level and were
searched so that both figures come within 10 % of its Table 4 (512 x 512 x 3 input): the tests hold it.
"""

import torch
from torch import nn
from torch.nn import functional as F

from napari_mpseg.networks.blocks import Convolution, refuse_width, start_from_nothing


class DoubleConvolution(nn.Module):
    """Two 3x3 convolutions, each followed by ReLU.

    Parameters
    ----------
    inputs, outputs : int
        Channels.
    batch_norm : bool
        See :class:`~napari_mpseg.networks.blocks.Convolution`.
    """

    def __init__(self, inputs: int, outputs: int, batch_norm: bool) -> None:
        super().__init__()
        self.first = Convolution(inputs, outputs, 3, batch_norm)
        self.second = Convolution(outputs, outputs, 3, batch_norm)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``(N, inputs, Y, X)`` to ``(N, outputs, Y, X)``."""
        return F.relu(self.second(F.relu(self.first(x), inplace=True)), inplace=True)


class UNet(nn.Module):
    """Encoder with 2x2 max pooling, decoder with nearest-neighbour upsampling, skips by concatenation.

    Parameters
    ----------
    widths : tuple of int
        Channels per level, finest first; the last is the bottom stage.
    in_channels : int
        Channels of the input.
    batch_norm : bool
        Normalise after every convolution. The paper has none; training on few images is steadier with it.
    dropout : float
        Share of feature maps dropped behind the bottom stage and before the head, in training only.
    outputs : int
        Numbers per pixel; the first is the logit of particle.

    Notes
    -----
    Input ``(N, C, Y, X)`` with Y and X multiples of :attr:`stride`; output logits ``(N, outputs, Y, X)``.
    """

    def __init__(
        self,
        widths: tuple[int, ...],
        in_channels: int = 3,
        batch_norm: bool = True,
        dropout: float = 0.0,
        outputs: int = 1,
    ) -> None:
        super().__init__()
        *levels, bottom = widths
        self.stride = 2 ** len(levels)
        self.dropout = nn.Dropout2d(dropout)
        above = [in_channels, *levels]
        self.encoder = nn.ModuleList(DoubleConvolution(i, o, batch_norm) for i, o in zip(above, levels, strict=False))
        self.bottom = DoubleConvolution(levels[-1], bottom, batch_norm)
        below = [*levels[1:], bottom]
        self.decoder = nn.ModuleList(
            DoubleConvolution(width + deeper, width, batch_norm) for width, deeper in zip(levels, below, strict=True)
        )
        self.head = nn.Conv2d(levels[0], outputs, 1)
        start_from_nothing(self, self.head)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map an image batch ``(N, C, Y, X)`` to logits ``(N, outputs, Y, X)``."""
        kept = []
        for stage in self.encoder:
            x = stage(x)
            kept.append(x)
            x = F.max_pool2d(x, 2)
        x = self.dropout(self.bottom(x))
        for stage in reversed(self.decoder):
            x = stage(torch.cat([kept.pop(), F.interpolate(x, scale_factor=2, mode="nearest")], 1))
        logits: torch.Tensor = self.head(self.dropout(x))
        return logits


def unet(
    in_channels: int = 3, batch_norm: bool = True, dropout: float = 0.0, width: int = 56, outputs: int = 1
) -> UNet:
    """Return U-Net with all five stages (22 M parameters); `width` scales the channels of every stage."""
    refuse_width(width)
    widths = (width, 2 * width, 4 * width, 8 * width, 100 * width // 7)
    return UNet(widths, in_channels, batch_norm, dropout, outputs)


def half_unet(
    in_channels: int = 3, batch_norm: bool = True, dropout: float = 0.0, width: int = 60, outputs: int = 1
) -> UNet:
    """Return Half U-Net: stages 0, 1, bottom and the two matching decoder stages (1.8 M parameters)."""
    refuse_width(width)
    return UNet((width, 2 * width, 64 * width // 15), in_channels, batch_norm, dropout, outputs)
