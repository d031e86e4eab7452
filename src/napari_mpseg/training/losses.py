"""The registry of losses. Each takes logits and targets ``(N, 1, Y, X)`` and returns a scalar."""

from collections.abc import Callable

import torch
from torch.nn import functional as F

from napari_mpseg.registry import Registry

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
LOSSES: Registry[Loss] = Registry("loss")


@LOSSES.register("bce")
def bce(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return the mean binary cross-entropy with particle pixels weighted 9 times.

    References
    ----------
    Baek et al. 2021 and Park et al. 2022 use a weight of 9.
    """
    return _cross_entropy(logits, target, 9.0)


@LOSSES.register("dice")
def dice(logits: torch.Tensor, target: torch.Tensor, epsilon: float = 1.0) -> torch.Tensor:
    """Return the mean over the batch of 1 - (2 sum(M M') + eps) / (sum M + sum M' + eps), on probabilities.

    References
    ----------
    Park et al. 2022, supporting information S2.
    """
    probability = torch.sigmoid(logits).flatten(1)
    truth = target.flatten(1)
    overlap = (probability * truth).sum(1)
    return (1 - (2 * overlap + epsilon) / (probability.sum(1) + truth.sum(1) + epsilon)).mean()


@LOSSES.register("bce+dice")
def bce_and_dice(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return the sum of cross-entropy (weight 3, times 10) and Dice over the whole batch.

    Particles fill a few hundredths of a per cent of the pixels: the factor brings the cross-entropy's gradient to
    the size of Dice's, and Dice over the batch does not reward or punish crops without any particle.
    """
    whole = dice(logits.reshape(1, -1), target.reshape(1, -1))
    return 10 * _cross_entropy(logits, target, 3.0) + whole


def _cross_entropy(logits: torch.Tensor, target: torch.Tensor, positive_weight: float) -> torch.Tensor:
    weight = torch.tensor(positive_weight, device=logits.device)
    return F.binary_cross_entropy_with_logits(logits, target, pos_weight=weight)
