"""PyTorch itself, operation by operation: 32 bit, bfloat16, or mixed precision."""

import copy
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import nn

from napari_mpseg.inference.runtimes.front import behind
from napari_mpseg.inference.runtimes.registry import Margins

Array = np.ndarray[Any, Any]


class EagerNetwork:
    """Runs a network in PyTorch, channels last.

    Parameters
    ----------
    network : torch.nn.Module
    device : torch.device
    number : str
        Number format of weights and activations.
    mixed : str, optional
        Number format of what autocast finds safe to compute in it.
    """

    def __init__(
        self, network: nn.Module, device: torch.device, number: str = "float32", mixed: str | None = None
    ) -> None:
        self.device = device
        self._takes_margins = bool(getattr(network, "takes_margins", False))
        self._mixed = None if mixed is None else getattr(torch, mixed)
        if number != "float32" or device.type != "cpu":
            network = copy.deepcopy(network)  # the caller's stays where it is, in its numbers
        if number != "float32":
            network = behind(network, lambda inner: _Lowered(inner, getattr(torch, number)))
        self._network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def __call__(self, batch: Array, margins: Margins = (0, 0, 0, 0)) -> Array:
        """Return probabilities; see ``RunningNetwork``."""
        with torch.inference_mode(), self._casting():
            pixels = torch.from_numpy(batch).to(self.device).contiguous(memory_format=torch.channels_last)
            if self._takes_margins:
                logits = self._network(pixels, margins)
            else:
                logits = cropped(self._network(pixels), margins)
            probability: Array = torch.sigmoid(alone(logits).float()).cpu().numpy()
        return probability

    def _casting(self) -> AbstractContextManager[Any]:
        return nullcontext() if self._mixed is None else torch.autocast(self.device.type, self._mixed)


class _Lowered(nn.Module):
    """A network whose numbers are shorter inside."""

    def __init__(self, network: nn.Module, number: torch.dtype) -> None:
        super().__init__()
        self.network, self.number = network.to(number), number

    def forward(self, x: torch.Tensor, *margins: object) -> torch.Tensor:
        logits: torch.Tensor = self.network(x.to(self.number), *margins)
        return logits.float()


def alone(values: Any) -> Any:
    """Return ``(N, Y, X)`` of arrays or tensors ``(N, 1, Y, X)``; those with more outputs as they are."""
    return values[:, 0] if values.shape[1] == 1 else values


def cropped(values: Any, margins: Margins) -> Any:
    """Return arrays or tensors ``(..., Y, X)`` less their margins."""
    if not any(margins):
        return values
    top, bottom, left, right = margins
    height, width = values.shape[-2:]
    return values[..., top : height - bottom, left : width - right]


def build(
    network: nn.Module, device: torch.device, radius: int | None, number: str = "float32", mixed: str | None = None
) -> EagerNetwork:
    """Return the network, ready to run; see :class:`EagerNetwork`."""
    return EagerNetwork(network, device, number, mixed)
