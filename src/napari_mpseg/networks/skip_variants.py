"""U-Nets that differ in which encoder level reaches which decoder stage (Lee et al. 2022)."""

import torch
from torch import nn
from torch.nn import functional as F

from napari_mpseg.networks.blocks import Convolution, refuse_width

_LEVELS = 5
_SLOPE = 0.1
Wiring = tuple[tuple[int, ...], ...]
"""For every decoder stage, deepest first, the encoder levels that it receives; 0 is the shallowest."""

_STAGES = range(1, _LEVELS)
STANDARD: Wiring = tuple((_LEVELS - 1 - stage,) for stage in _STAGES)
SEMI_DENSE: Wiring = tuple(tuple(range(stage)) for stage in _STAGES)
REVERSE: Wiring = tuple((stage - 1,) for stage in _STAGES)


def _leaky(x: torch.Tensor) -> torch.Tensor:
    return F.leaky_relu(x, _SLOPE, inplace=True)


class _Stage(nn.Module):
    """Two 3x3 convolutions with batch normalisation and LeakyReLU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = Convolution(inputs, outputs, 3, batch_norm=True)
        self.second = Convolution(outputs, outputs, 3, batch_norm=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``(N, inputs, Y, X)`` to ``(N, outputs, Y, X)``."""
        return _leaky(self.second(_leaky(self.first(x))))


class ResizedSkip(nn.Module):
    """Brings an encoder level to a decoder stage's size (bicubic) and channels (1x1 convolution, LeakyReLU).

    Parameters
    ----------
    inputs, outputs : int
        Channels of the encoder level and of the decoder stage.
    scale : float
        Size of the stage over size of the level: a power of two.
    """

    def __init__(self, inputs: int, outputs: int, scale: float) -> None:
        super().__init__()
        self.scale = scale
        self.convolution = Convolution(inputs, outputs, 1, batch_norm=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``(N, inputs, Y, X)`` to ``(N, outputs, scale * Y, scale * X)``."""
        # A 1x1 convolution and a resizing may change places; the one that leaves less to compute goes first.
        if self.scale < 1:
            x = F.interpolate(x, scale_factor=self.scale, mode="bicubic")
        x = self.convolution(x)
        if self.scale > 1:
            x = F.interpolate(x, scale_factor=self.scale, mode="bicubic")
        return _leaky(x)


class SkipVariantUNet(nn.Module):
    """Five-level U-Net whose skip connections are given by a wiring.

    Parameters
    ----------
    wiring : tuple of tuple of int
        For every decoder stage, deepest first, the encoder levels that it receives.
    in_channels : int
        Channels of the input.
    width : int
        Channels of the first level; they double from level to level. The paper has 64 to 1024.
    outputs : int
        Numbers per pixel; the first is the logit of particle.

    Notes
    -----
    Encoder and decoder stages are two 3x3 convolutions, each with batch normalisation (and so no bias) and LeakyReLU of
    slope 0.1; 2x2 max pooling between levels; 2x2 transposed convolutions upwards, which halve the channels. Where
    a stage receives only the level of its own size, that is passed on as it is; otherwise every level it receives goes
    through a :class:`ResizedSkip`. A stage works on all it receives and the upsampled map, concatenated.

    Input ``(N, C, Y, X)`` with Y and X multiples of :attr:`stride`; output logits ``(N, outputs, Y, X)``.

    References
    ----------
    Lee et al. 2022: standard, semi-dense and reverse skip connections.
    """

    def __init__(self, wiring: Wiring, in_channels: int = 3, width: int = 64, outputs: int = 1) -> None:
        super().__init__()
        refuse_width(width)
        self.stride = 2 ** (_LEVELS - 1)
        self.wiring = wiring
        widths = [width * 2**level for level in range(_LEVELS)]
        self.encoder = nn.ModuleList(_Stage(i, o) for i, o in zip([in_channels, *widths], widths, strict=False))
        self.up = nn.ModuleList()
        self.skips = nn.ModuleList()
        self.decoder = nn.ModuleList()
        for own, received in zip(reversed(range(_LEVELS - 1)), wiring, strict=True):
            wide = widths[own]
            self.up.append(nn.ConvTranspose2d(2 * wide, wide, 2, stride=2, bias=False))
            self.skips.append(
                nn.ModuleList(
                    nn.Identity() if received == (own,) else ResizedSkip(widths[level], wide, 2.0 ** (level - own))
                    for level in received
                )
            )
            self.decoder.append(_Stage(wide * (1 + len(received)), wide))
        self.head = nn.Conv2d(width, outputs, 1)
        self._initialise()

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
                nn.init.kaiming_normal_(module.weight, a=_SLOPE, nonlinearity="leaky_relu")
        assert self.head.bias is not None
        with torch.no_grad():  # particles are rare: start near "nothing anywhere"
            self.head.weight.mul_(0.1)
            nn.init.zeros_(self.head.bias)
            nn.init.constant_(self.head.bias[:1], -4.0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map an image batch ``(N, C, Y, X)`` to logits ``(N, outputs, Y, X)``."""
        levels = self.encode(x)
        x = levels[-1]
        for stage in range(len(self.wiring)):
            x = self.decode(stage, x, levels)
        logits: torch.Tensor = self.head(x)
        return logits

    def encode(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Return the outputs of the encoder levels, shallowest first."""
        levels: list[torch.Tensor] = []
        for stage in self.encoder:
            levels.append(stage(F.max_pool2d(levels[-1], 2) if levels else x))
        return levels

    def decode(self, stage: int, below: torch.Tensor, levels: list[torch.Tensor]) -> torch.Tensor:
        """Return the output of a decoder stage (0 is the deepest) from the one below it and the encoder levels."""
        skips = self.skips[stage]
        assert isinstance(skips, nn.ModuleList)
        received = [skip(levels[level]) for skip, level in zip(skips, self.wiring[stage], strict=True)]
        merged: torch.Tensor = self.decoder[stage](torch.cat([*received, self.up[stage](below)], 1))
        return merged


def unet_standard(in_channels: int = 3, width: int = 64, outputs: int = 1) -> SkipVariantUNet:
    """Return the U-Net with symmetric skips: every decoder stage receives the level of its own size."""
    return SkipVariantUNet(STANDARD, in_channels, width, outputs)


def unet_semi_dense(in_channels: int = 3, width: int = 64, outputs: int = 1) -> SkipVariantUNet:
    """Return the U-Net with semi-dense skips: decoder stage k (deepest is 1) receives encoder levels 1 to k."""
    return SkipVariantUNet(SEMI_DENSE, in_channels, width, outputs)


def unet_reverse(in_channels: int = 3, width: int = 64, outputs: int = 1) -> SkipVariantUNet:
    """Return the U-Net with reverse skips: decoder stage k (deepest is 1) receives encoder level k."""
    return SkipVariantUNet(REVERSE, in_channels, width, outputs)
