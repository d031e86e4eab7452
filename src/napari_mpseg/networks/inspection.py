"""What one can look at in a network: its figures, and the histograms of its kernel weights.

In the histograms one sees which layers have learnt: deep stages whose weights stay near zero may be cut, which is how
Lee and Jhang 2021 came to their half and quarter networks.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn

from napari_mpseg.errors import ModelError
from napari_mpseg.networks.geometry import count_flops, count_parameters, receptive_radius, stride_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LIMIT = 128
NEAR_ZERO = 0.01
_ROW_HEIGHT = 0.26  # inch


@dataclass(frozen=True)
class NetworkFigures:
    """Size, cost and reach of a network.

    Attributes
    ----------
    parameters : int
        Trainable weights.
    flops : int
        Multiplications plus additions for a 512 x 512 image.
    receptive_radius : int or None
        How far an input pixel reaches in the output, in pixels; None if further than `limit`.
    stride : int
        What height and width of images must be multiples of.
    limit : int
        Largest radius that was looked for.
    """

    parameters: int
    flops: int
    receptive_radius: int | None
    stride: int
    limit: int = LIMIT

    @property
    def receptive_field(self) -> int | None:
        """Side in pixels of what an output pixel depends on; None if larger than was looked for."""
        return None if self.receptive_radius is None else 2 * self.receptive_radius + 1


@dataclass(frozen=True)
class LayerHistogram:
    """How the weights of one convolution are distributed.

    Attributes
    ----------
    name : str
        Of the layer within the network.
    shape : tuple of int
        Of the kernel: outputs, inputs per group, height, width (transposed convolutions: inputs first).
    counts : numpy.ndarray
        int64 ``(bins,)``, weights per bin; they add up to all weights of the layer.
    edges : numpy.ndarray
        float64 ``(bins + 1,)``, symmetric about zero, up to the layer's largest weight.
    mean, std : float
        Of the weights.
    near_zero : float
        Share of weights whose size is below :data:`NEAR_ZERO`.
    """

    name: str
    shape: tuple[int, ...]
    counts: np.ndarray[Any, Any]
    edges: np.ndarray[Any, Any]
    mean: float
    std: float
    near_zero: float


def describe(network: nn.Module, in_channels: int = 3) -> NetworkFigures:
    """Return the figures of a network.

    Parameters
    ----------
    network : torch.nn.Module
        As the registry builds it.
    in_channels : int
        Channels it was built for.
    """
    return NetworkFigures(
        count_parameters(network),
        count_flops(network, in_channels),
        receptive_radius(network, in_channels, LIMIT),
        stride_of(network),
    )


def weight_histograms(network: nn.Module, bins: int = 64) -> list[LayerHistogram]:
    """Return the histogram of every convolution's kernel weights, in the order of the network's layers.

    Parameters
    ----------
    network : torch.nn.Module
        Trained or fresh.
    bins : int
        Bins per layer.

    Raises
    ------
    ModelError
        If weights are not finite: such a network is broken.
    """
    found = []
    for name, module in network.named_modules():
        if not isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            continue
        weights = module.weight.detach().cpu().double().numpy()
        if not np.isfinite(weights).all():
            raise ModelError(f"Layer {name} has weights that are not finite numbers: the network is broken.")
        largest = float(np.abs(weights).max()) or 1.0
        counts, edges = np.histogram(weights, bins, (-largest, largest))
        near_zero = float((np.abs(weights) < NEAR_ZERO).mean())
        found.append(
            LayerHistogram(name, weights.shape, counts, edges, float(weights.mean()), float(weights.std()), near_zero)
        )
    return found


def write_histograms(histograms: Sequence[LayerHistogram], path: Path) -> None:
    """Write the histograms as CSV, one row per layer and bin: layer, shape, mean, std, near_zero, low, high, count."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("layer", "shape", "mean", "std", "near_zero", "low", "high", "count"))
        for layer in histograms:
            shape = "x".join(map(str, layer.shape))
            told = (layer.name, shape, f"{layer.mean:.6g}", f"{layer.std:.6g}", f"{layer.near_zero:.6g}")
            for low, high, count in zip(layer.edges[:-1], layer.edges[1:], layer.counts, strict=True):
                writer.writerow((*told, f"{low:.6g}", f"{high:.6g}", int(count)))


def draw_histograms(histograms: Sequence[LayerHistogram], path: Path, title: str = "") -> None:
    """Draw the histograms as a PNG: one row per layer, first layer on top, all on the same axis of weights.

    Beside each row stands the share of weights near zero. A curve's height says nothing across rows: each is drawn to
    its own maximum.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 1.4 + _ROW_HEIGHT * len(histograms)), layout="constrained")
    FigureCanvasAgg(figure)
    _draw(figure, histograms, title)
    figure.savefig(path, format="png", dpi=100)


def _draw(figure: "Figure", histograms: Sequence[LayerHistogram], title: str) -> None:
    curves, shares = figure.subplots(1, 2, sharey=True, width_ratios=(4, 1))
    rows = range(len(histograms))
    for row, layer in zip(rows, histograms, strict=True):
        height = 0.85 * layer.counts / max(1, layer.counts.max())
        curves.stairs(row - height, layer.edges, baseline=row, fill=True, color="tab:blue")
    widest = max((3 * layer.std for layer in histograms), default=0.0) or 1.0
    curves.set_xlim(-widest, widest)
    curves.set_ylim(len(histograms) - 0.4, -1)
    curves.set_yticks(list(rows), [layer.name for layer in histograms], fontsize=7)
    curves.axvline(0, color="black", linewidth=0.5)
    curves.set_xlabel("weight")
    shares.barh([row - 0.4 for row in rows], [100 * layer.near_zero for layer in histograms], 0.6, color="tab:gray")
    shares.set_xlim(0, 100)
    shares.set_xlabel(f"% below {NEAR_ZERO:g}")
    if title:
        figure.suptitle(title)
