"""Networks whose first steps stay in PyTorch while another library runs the rest."""

import copy
from typing import Any

import numpy as np
import torch
from torch import nn

from napari_mpseg.inference.runtimes.compiled import CompiledNetwork, Library
from napari_mpseg.inference.runtimes.eager import alone, cropped
from napari_mpseg.inference.runtimes.front import behind, has_front
from napari_mpseg.inference.runtimes.registry import Margins

Array = np.ndarray[Any, Any]


class _Inside(nn.Module):
    """Stands in a network for its costly part."""

    def __init__(self, running: CompiledNetwork) -> None:
        super().__init__()
        self._running = running

    def forward(self, x: torch.Tensor, margins: Margins = (0, 0, 0, 0)) -> torch.Tensor:
        found = torch.from_numpy(self._running(x.numpy(), margins))
        return found[:, None] if found.ndim == 3 else found


class Fronted:
    """What a network does to its input in PyTorch, the rest by another library.

    Parameters
    ----------
    network : torch.nn.Module
    radius : int or None
    library : Library
    """

    def __init__(self, network: nn.Module, radius: int | None, library: Library) -> None:
        def compiled(inner: nn.Module) -> nn.Module:
            return _Inside(CompiledNetwork(inner, radius, library))

        self._takes_margins = bool(getattr(network, "takes_margins", False))
        self._network = behind(copy.deepcopy(network), compiled)

    def __call__(self, batch: Array, margins: Margins = (0, 0, 0, 0)) -> Array:
        """Return probabilities; see ``RunningNetwork``."""
        with torch.inference_mode():
            given = (margins,) if self._takes_margins and any(margins) else ()
            found: Array = alone(self._network(torch.from_numpy(np.ascontiguousarray(batch)), *given)).numpy()
        return found if given else cropped(found, margins)


def ready(network: nn.Module, radius: int | None, library: Library) -> Fronted | CompiledNetwork:
    """Return the network run by a library, its front in PyTorch if it has one.

    Raises
    ------
    SettingsError
        If the library cannot take such a network.
    """
    return (Fronted if has_front(network) else CompiledNetwork)(network, radius, library)
