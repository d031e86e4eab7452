"""The loss of networks that answer more than whether a pixel is particle."""

from typing import Any

import torch
from torch.nn import functional as F

from napari_mpseg.training.run.losses import Loss

FIELDS = 1.0
"""How much the other outputs count beside the first."""


class Objective:
    """The chosen loss of the first output, plus the weighted cross-entropy of the others.

    Cross-entropy also suits targets between 0 and 1, such as relative distances: it is least where the probability is
    the target. It is the mean over all outputs and known pixels, by their weights.

    Parameters
    ----------
    loss_of : callable
        Of :mod:`napari_mpseg.training.run.losses`. With a single output it is all there is.
    """

    def __init__(self, loss_of: Loss) -> None:
        self.loss_of = loss_of

    def __call__(
        self,
        logits: torch.Tensor,
        targets: torch.Tensor,
        known: torch.Tensor | None = None,
        weights: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Return the loss.

        Parameters
        ----------
        logits, targets : torch.Tensor
            ``(N, outputs, Y, X)``, float; targets 0 to 1.
        known : torch.Tensor, optional
            bool ``(N, 1, Y, X)``.
        weights : torch.Tensor, optional
            ``(N, outputs, Y, X)``; those of the first output are not looked at, which its loss weighs itself.
        """
        if logits.shape[1] == 1:
            return self.loss_of(logits, targets, known)
        first = self.loss_of(logits[:, :1], targets[:, :1], known)
        return first + FIELDS * _of_fields(logits[:, 1:], targets[:, 1:], known, weights)


def _of_fields(
    logits: torch.Tensor, targets: torch.Tensor, known: torch.Tensor | None, weights: torch.Tensor | None
) -> torch.Tensor:
    counted: Any = torch.ones_like(targets) if weights is None else weights[:, 1:]
    if known is not None:
        counted = torch.where(known, counted, 0.0)
        logits, targets = (torch.where(known, values, 0.0) for values in (logits, targets))
    each = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    found: torch.Tensor = (each * counted).sum() / counted.sum().clamp_min(1)
    return found
