"""What samplers give to the training loop."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Batch:
    """Patches for one step.

    Attributes
    ----------
    images : ndarray of float32
        ``(N, C, Y, X)``, about 0 to 1.
    targets : ndarray of float32
        ``(N, outputs, Y, X)``, 0 to 1; in the first, 1 is particle. Others are what the head says.
    known : ndarray of bool or None
        ``(N, 1, Y, X)``; where the targets are known. None: everywhere.
    weights : ndarray of float32 or None
        ``(N, outputs, Y, X)``; how much each target counts, for heads of several outputs.
    """

    images: Array
    targets: Array
    known: Array | None = None
    weights: Array | None = None


class Sampler(Protocol):
    """Draws the patches of a training run; the same state gives the same patches."""

    @property
    def steps_per_epoch(self) -> int:
        """Batches in one epoch."""
        ...

    def epoch(self) -> Iterator[Batch]:
        """Give the batches of the next epoch."""
        ...

    def state(self) -> Mapping[str, Any]:
        """Return what is needed to go on from here between two epochs, as plain JSON values."""
        ...

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state that :meth:`state` gave."""
        ...
