"""What a network does to its input before the layers that cost time."""

from collections.abc import Callable

from torch import nn

from napari_mpseg.networks.local_contrast import LocalContrast
from napari_mpseg.networks.standardised import Standardised

_FRONTS = (LocalContrast, Standardised)


def has_front(network: nn.Module) -> bool:
    """Return whether a network changes its input before its own layers see it."""
    return isinstance(network, _FRONTS)


def behind(network: nn.Module, change: Callable[[nn.Module], nn.Module]) -> nn.Module:
    """Return the network with its costly part replaced by ``change`` of it.

    Differences to a local mean, and squares of them, must not be taken in short numbers: they would be mostly
    rounding. They cost little, and stay in 32 bit.

    Parameters
    ----------
    network : torch.nn.Module
        The caller's own; it is changed.
    change : callable
        Takes and returns a network.
    """
    if isinstance(network, _FRONTS):
        network.network = behind(network.network, change)
        return network
    return change(network)
