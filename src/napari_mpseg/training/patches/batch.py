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
        ``(N, 1, Y, X)``; 1 is particle.
    known : ndarray of bool or None
        ``(N, 1, Y, X)``; where the target is known. None: everywhere.
    """

    images: Array
    targets: Array
    known: Array | None = None


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
