"""Evidence of a cross-validation: each fold beside the prediction of a network that never saw it."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from napari_mpseg.evaluation.evidence import Evidence, gather_evidence


class HeldOutFold(Protocol):
    """A fold with the probabilities a network gave that never saw it."""

    @property
    def fold(self) -> Any:
        """Name and patches (each with ``name``, ``image`` and ``mask``)."""
        ...

    @property
    def model(self) -> Any:
        """The network's model; its card has the threshold."""
        ...

    @property
    def probabilities(self) -> Sequence[Any]:
        """One array ``(Y, X)`` per patch."""
        ...


def fold_evidence(outcome: HeldOutFold, threshold: float | None = None, min_size: int = 3) -> list[Evidence]:
    """Compare the fold's patches with their truth.

    Parameters
    ----------
    outcome : HeldOutFold
    threshold : float, optional
        Probabilities above it are particle; default that of the model's card.
    min_size : int
        Least number of pixels of a particle that counts.
    """
    level = outcome.model.card.threshold if threshold is None else threshold
    return [
        gather_evidence(
            np.asarray(probability) > level,
            np.asarray(patch.mask),
            min_size=min_size,
            name=patch.name,
            group=outcome.fold.name,
        )
        for probability, patch in zip(outcome.probabilities, outcome.fold.patches, strict=True)
    ]
