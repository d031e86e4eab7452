"""The registry of architectures; an entry loads torch only when a network is built."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from napari_mpseg.errors import ModelError
from napari_mpseg.registry import Registry

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class NetworkEntry:
    """One architecture.

    Attributes
    ----------
    name, title : str
        What users type, and what menus show.
    factory : str
        ``"module:function"`` returning a :class:`torch.nn.Module` with an integer ``stride`` attribute, which maps
        ``(N, C, Y, X)`` to logits ``(N, 1, Y, X)``.
    source : str
        The paper it comes from.
    published : mapping
        Figures of the paper: ``parameters`` and ``flops`` (multiplications plus additions at 512 x 512 x 3).
    """

    name: str
    title: str
    factory: str
    source: str
    published: Mapping[str, float] = field(default_factory=dict)

    def build(self, in_channels: int = 3, **options: Any) -> "nn.Module":
        """Build the network with random weights.

        Raises
        ------
        ModelError
            If an option is unknown to the architecture.
        """
        module, function = self.factory.split(":")
        try:
            network: nn.Module = getattr(importlib.import_module(module), function)(in_channels=in_channels, **options)
        except TypeError as error:
            raise ModelError(f"Network {self.name!r} cannot be built with {options}: {error}.") from error
        return network


NETWORKS: Registry[NetworkEntry] = Registry("network")

_LEE = "Lee and Jhang 2021"
NETWORKS.add(
    "half-multiresunet",
    NetworkEntry(
        "half-multiresunet",
        "Half MultiResUNet",
        "napari_mpseg.networks.multires:half_multiresunet",
        _LEE,
        {"parameters": 0.2149e6, "flops": 42.9e9},
    ),
)
NETWORKS.add(
    "quarter-multiresunet",
    NetworkEntry(
        "quarter-multiresunet",
        "Quarter MultiResUNet",
        "napari_mpseg.networks.multires:quarter_multiresunet",
        _LEE,
        {"parameters": 0.0445e6, "flops": 21.9e9},
    ),
)
