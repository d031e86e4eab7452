"""MultiResUNet and its reduced versions for tiny objects (Lee and Jhang 2021).

The paper gives parameters and operations but not the widths. The widths here were searched so that both come
within 10 % of its Table 4 (512 x 512 x 3 input, batch normalisation off): the tests hold it.
"""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from napari_mpseg.networks.blocks import Convolution, MultiResBlock, ResidualPath, refuse_width, start_from_nothing

Margins = tuple[int, int, int, int]
NO_MARGINS: Margins = (0, 0, 0, 0)
_BLOCK_RADIUS = 3  # three 3x3 convolutions
_PATH_RADIUS = 4  # four of them
_STRIP_ROWS = 64
_STRIP_PIXELS = 2**18


@dataclass(frozen=True)
class _LevelMargins:
    """What one decoder level may leave out, in its own pixels (top, bottom, left, right)."""

    output: Margins
    block: Margins
    path: Margins
    deeper: Margins


def _plan_margins(margins: Margins, levels: int) -> list[_LevelMargins]:
    """Go down the decoder and widen what is needed by the reach of each step."""
    plans = []
    for _ in range(levels):
        block = _reach_out(margins, _BLOCK_RADIUS)
        path = _reach_out(block, _PATH_RADIUS)
        top, bottom, left, right = (value // 2 for value in block)
        deeper = (top, bottom, left, right)
        plans.append(_LevelMargins(margins, block, path, deeper))
        margins = deeper
    return plans


def _reach_out(margins: Margins, radius: int) -> Margins:
    top, bottom, left, right = (max(0, value - radius) for value in margins)
    return top, bottom, left, right


def _between(outer: Margins, inner: Margins) -> Margins:
    top, bottom, left, right = (i - o for o, i in zip(outer, inner, strict=True))
    return top, bottom, left, right


def _doubled(margins: Margins) -> Margins:
    top, bottom, left, right = (2 * value for value in margins)
    return top, bottom, left, right


def _crop(x: torch.Tensor, margins: Margins) -> torch.Tensor:
    if margins == NO_MARGINS:
        return x
    top, bottom, left, right = margins
    height, width = x.shape[-2:]
    return x[..., top : height - bottom, left : width - right]


def _strip_rows(x: torch.Tensor, rows: int) -> int:
    """Return how many of `rows` to work on at once."""
    if torch.is_grad_enabled():
        return rows
    return max(_STRIP_ROWS, _STRIP_PIXELS // x.shape[-1])


class MultiResUNet(nn.Module):
    """Encoder and decoder of MultiRes blocks, skips through residual paths, logits for each pixel.

    Parameters
    ----------
    widths : tuple of int
        Channels per level, finest first; the last is the bottom block.
    in_channels : int
        Channels of the input.
    batch_norm : bool
        Normalise after every convolution. The paper's equations have none; training on few images is steadier
        with it.
    dropout : float
        Share of feature maps dropped behind the bottom block and before the head, in training only.
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
        self.takes_margins = True
        self.dropout = nn.Dropout2d(dropout)
        self.stem = Convolution(in_channels, levels[0], 3, batch_norm)
        before = [levels[0], *levels[:-1]]
        self.encoder = nn.ModuleList(MultiResBlock(i, o, batch_norm) for i, o in zip(before, levels, strict=True))
        self.bottom = MultiResBlock(levels[-1], bottom, batch_norm)
        self.paths = nn.ModuleList(ResidualPath(width, batch_norm) for width in levels)
        below = [*levels[1:], bottom]
        self.decoder = nn.ModuleList(
            MultiResBlock(width + deeper, width, batch_norm) for width, deeper in zip(levels, below, strict=True)
        )
        self.head = nn.Conv2d(levels[0], outputs, 1)
        start_from_nothing(self, self.head)

    def forward(self, x: torch.Tensor, margins: Margins = NO_MARGINS) -> torch.Tensor:
        """Map an image batch ``(N, C, Y, X)`` to logits ``(N, outputs, Y, X)``, less the margins.

        Parameters
        ----------
        x : torch.Tensor
            Images; Y and X are multiples of :attr:`stride`.
        margins : tuple of int
            Pixels at the top, bottom, left and right that the caller would throw away. They still serve as
            context, but the decoder, which costs most, computes of them only what the rest needs.
        """
        kept = []
        for level in range(len(self.encoder)):
            x = self._encode(level, x)
            kept.append(x)
            x = F.max_pool2d(x, 2)
        plans = _plan_margins(margins, len(kept))
        deepest = plans[-1].deeper
        context = _reach_out(deepest, _BLOCK_RADIUS)
        x = _crop(self.dropout(self.bottom(_crop(x, context))), _between(context, deepest))
        for level in reversed(range(len(kept))):
            x = self._decode(level, kept.pop(), x, plans[level])
        logits: torch.Tensor = self.head(self.dropout(x))
        return logits

    def _encode(self, level: int, x: torch.Tensor) -> torch.Tensor:
        """Return an encoder level's output; at inference strip by strip, as in :meth:`_decode`."""
        steps = nn.Sequential(self.stem, self.encoder[0]) if level == 0 else self.encoder[level]
        reach = _BLOCK_RADIUS + (level == 0)
        rows = x.shape[-2]
        strip = _strip_rows(x, rows)
        if strip >= rows:  # also what is exported to other runtimes, for images of any size
            out: torch.Tensor = steps(x)
            return out
        strips = []
        for start in range(0, rows, strip):
            low, high = max(0, start - reach), min(rows, start + strip + reach)
            out = steps(x[..., low:high, :])
            strips.append(out[..., start - low : min(start + strip, rows) - low, :])
        return torch.cat(strips, 2)

    def _decode(self, level: int, skip: torch.Tensor, below: torch.Tensor, plan: "_LevelMargins") -> torch.Tensor:
        """Return a decoder level's output; at inference strip by strip, or memory would peak here."""
        rows = skip.shape[-2] - plan.output[0] - plan.output[1]
        strip = _strip_rows(skip, rows)
        if strip >= rows:
            return self._decode_strip(level, skip, below, plan, plan.deeper)
        strips = []
        for start in range(0, rows, strip):
            left_over = max(0, rows - start - strip)
            top, bottom, left, right = plan.output
            part = _plan_margins((top + start, bottom + left_over, left, right), 1)[0]
            strips.append(self._decode_strip(level, skip, below, part, plan.deeper))
        return torch.cat(strips, 2)

    def _decode_strip(
        self, level: int, skip: torch.Tensor, below: torch.Tensor, plan: "_LevelMargins", given: Margins
    ) -> torch.Tensor:
        """Return the output inside ``plan.output``; `below` lacks the margins `given` of its level already."""
        path = self.paths[level](_crop(skip, plan.path))
        up = F.interpolate(_crop(below, _between(given, plan.deeper)), scale_factor=2, mode="nearest")
        x = torch.cat(
            [
                _crop(path, _between(plan.path, plan.block)),
                _crop(up, _between(_doubled(plan.deeper), plan.block)),
            ],
            1,
        )
        del path, up  # they would stay beside the block's own tensors
        return _crop(self.decoder[level](x), _between(plan.block, plan.output))


def multiresunet(
    in_channels: int = 3, batch_norm: bool = True, dropout: float = 0.0, width: int = 42, outputs: int = 1
) -> MultiResUNet:
    """Return MultiResUNet with all five stages (13 M parameters); `width` scales the channels of every stage."""
    refuse_width(width, 6)  # a block splits its channels into sixths
    return MultiResUNet(tuple(width * times for times in (1, 2, 4, 8, 32)), in_channels, batch_norm, dropout, outputs)


def half_multiresunet(
    in_channels: int = 3, batch_norm: bool = True, dropout: float = 0.0, outputs: int = 1
) -> MultiResUNet:
    """Return Half MultiResUNet: stages 0, 1, bottom and the two matching decoder stages (0.21 M parameters)."""
    return MultiResUNet((32, 48, 96), in_channels, batch_norm, dropout, outputs)


def quarter_multiresunet(
    in_channels: int = 3, batch_norm: bool = True, dropout: float = 0.0, outputs: int = 1
) -> MultiResUNet:
    """Return Quarter MultiResUNet: stage 0, bottom and one decoder stage (0.045 M parameters)."""
    return MultiResUNet((30, 12), in_channels, batch_norm, dropout, outputs)
