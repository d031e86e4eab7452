"""A network as a graph of operations, for images of any size, that other libraries can take."""

import warnings
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from napari_mpseg.inference.runtimes.registry import Margins

_LARGEST = 1 << 16  # side of an image, in strides
_SLACK = (2, 8, 40)  # how many strides beyond the least the smallest image has: the second where the first fails


class WithProbability(nn.Module):
    """A network less fixed margins, which gives probabilities.

    Parameters
    ----------
    network : torch.nn.Module
    margins : tuple of int
        Left out by the network itself if it can, else they must be 0.
    """

    def __init__(self, network: nn.Module, margins: Margins) -> None:
        super().__init__()
        self.network = network
        self._given = (margins,) if any(margins) else ()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``(1, C, Y, X)`` to probabilities ``(1, outputs, Y', X')``."""
        probability: torch.Tensor = torch.sigmoid(self.network(x, *self._given))
        return probability


@dataclass(frozen=True)
class Exportable:
    """What is exported: a network for windows with margins of at least so much.

    Attributes
    ----------
    network : torch.nn.Module
        Folded, on the CPU.
    channels : int
        Of its input.
    margin : int
        What is left out on all four sides.
    """

    network: nn.Module
    channels: int
    margin: int = 0

    @property
    def stride(self) -> int:
        """What height and width are multiples of."""
        return int(getattr(self.network, "stride", 1))

    def least(self, slack: int) -> int:
        """Return the side of the smallest image, in strides."""
        smallest = max(int(getattr(self.network, "smallest", 1)), 2 * self.margin)
        return -(-smallest // self.stride) + slack

    def example(self, slack: int) -> torch.Tensor:
        """Return an image to follow the operations with."""
        least = self.least(slack)
        return torch.rand(1, self.channels, (least + 2) * self.stride, (least + 3) * self.stride)


def export(item: Exportable) -> tuple[Any, int]:
    """Return the program of a network and the side of the smallest image that it works on.

    Height and width stay open, as windows at an image's border are smaller than those inside: zeros are padded there,
    and only there, at every layer, so that such windows cannot be padded to the others' size. One program for all
    sizes was as fast as one for each, which would have to be exported and compiled up to 16 times.

    Raises
    ------
    Exception
        Whatever the library raises for a network that it cannot follow.
    """
    problem: Exception | None = None
    for slack in _SLACK:
        try:
            return _exported(item, slack), item.least(slack) * item.stride
        except Exception as error:  # whatever a small image lets the network do
            problem = problem or error
    assert problem is not None
    raise problem


def _exported(item: Exportable, slack: int) -> Any:
    from torch.export import Dim

    margin = item.margin
    module = WithProbability(item.network, (margin,) * 4).eval()
    sides = {
        2 + axis: item.stride * Dim(name, min=item.least(slack), max=_LARGEST)
        for axis, name in enumerate(("height", "width"))
    }
    # Gradients on: in inference, networks work on strips, whose number depends on the size.
    with torch.inference_mode(False), torch.enable_grad(), quiet():
        return torch.export.export(module, (item.example(slack),), dynamic_shapes=(sides,), strict=False)


class quiet(warnings.catch_warnings):
    """Passes over what libraries warn their own developers of."""

    def __enter__(self) -> Any:
        found = super().__enter__()
        warnings.simplefilter("ignore")
        return found
