"""A network made ready to predict windows: folded, on its device, in its number format, one forward pass at a time."""

import copy
import threading
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from napari_mpseg.errors import MpsegError
from napari_mpseg.images.scaling import Scaling

_forward = threading.Lock()  # torch uses all cores for one pass; two at once only double the memory


class NetworkPredictor:
    """Turns windows of pixels into probabilities with a network.

    Parameters
    ----------
    network : torch.nn.Module
        Maps ``(N, C, Y, X)`` to logits ``(N, 1, Y, X)``; has an integer ``stride``.
    scaling : Scaling
        Brings pixels to the network's input range.
    radius : int or None
        Receptive radius in pixels, None if larger than a window should be.
    device : torch.device
        Where to run.
    """

    preferred_tile = 640
    workers = 1
    """Tiles in flight. On the CPU one forward pass already uses all cores, and its threads wait for each other: a
    second tile being read or written beside it costs more than it saves."""

    def __init__(self, network: nn.Module, scaling: Scaling, radius: int | None, device: torch.device) -> None:
        self.stride = int(getattr(network, "stride", 1))
        self.exact = radius is not None
        self.halo = radius if radius is not None else 128
        self.scaling = scaling
        self.device = device
        self._takes_margins = bool(getattr(network, "takes_margins", False))
        self.network = folded(network).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        if device.type == "cuda":
            self.preferred_tile, self.workers = 2048, 2

    def predict(self, window: Any, margins: tuple[int, int, int, int] = (0, 0, 0, 0)) -> np.ndarray[Any, Any]:
        """Return the probability of a window less its margins, float32 ``(Y, X)``; see ``TilePredictor``."""
        return self.predict_scaled(self.scaled(window), margins)

    def scaled(self, window: Any) -> np.ndarray[Any, Any]:
        """Return the pixels of a window as network input, float32 ``(Y, X, C)``."""
        pixels = self.scaling.apply(np.asarray(window))
        return pixels[..., None] if pixels.ndim == 2 else pixels

    def predict_scaled(
        self, pixels: np.ndarray[Any, Any], margins: tuple[int, int, int, int] = (0, 0, 0, 0)
    ) -> np.ndarray[Any, Any]:
        """Return the probability of pixels that are network input already; see :meth:`predict`."""
        with _forward, torch.inference_mode():
            try:
                return self._forward(pixels, margins)
            except (torch.OutOfMemoryError, MemoryError) as error:
                raise MpsegError(
                    f"Not enough memory for a window of {pixels.shape[0]} x {pixels.shape[1]} pixels on "
                    f"{self.device}. Choose a smaller tile size."
                ) from error

    def _forward(self, pixels: np.ndarray[Any, Any], margins: tuple[int, int, int, int]) -> np.ndarray[Any, Any]:
        batch = torch.from_numpy(np.ascontiguousarray(pixels))[None].permute(0, 3, 1, 2)
        batch = batch.to(self.device)
        if self._takes_margins:
            logits = self.network(batch, margins)[0, 0]
        else:
            top, bottom, left, right = margins
            logits = self.network(batch)[0, 0]
            logits = logits[top : logits.shape[0] - bottom, left : logits.shape[1] - right]
        probability: np.ndarray[Any, Any] = torch.sigmoid(logits.float()).cpu().numpy()
        return probability


def folded(network: nn.Module) -> nn.Module:
    """Return a copy in evaluation mode with every batch normalisation folded into the convolution before it."""
    network = copy.deepcopy(network).eval()
    for module in network.modules():
        if isinstance(module, nn.Sequential):
            for index in range(len(module) - 1):
                before, after = module[index], module[index + 1]
                if isinstance(before, nn.Conv2d) and isinstance(after, nn.BatchNorm2d):
                    module[index] = fuse_conv_bn_eval(before, after)
                    module[index + 1] = nn.Identity()
    return network
