"""Weights of one network for another that differs in its outputs alone."""

from collections.abc import Mapping

import torch
from torch import nn


def transplanted(network: nn.Module, weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return weights for a network, from those of one of the same kind with more or fewer outputs.

    Parameters
    ----------
    network : torch.nn.Module
        Freshly built.
    weights : mapping
        State of the other one. Layers that do not fit give their first output, the logit of particle; what lies beside
        it stays as it was built.

    Returns
    -------
    dict
        To be loaded into `network`; weights that fit are those of the other, untouched.
    """
    fitting = {}
    for name, own in network.state_dict().items():
        theirs = weights.get(name)
        if theirs is None or theirs.shape == own.shape or theirs.shape[1:] != own.shape[1:]:
            if theirs is not None:
                fitting[name] = theirs
            continue  # loading it says what does not fit
        mixed = own.clone()
        mixed[:1] = theirs[:1]
        fitting[name] = mixed
    return fitting
