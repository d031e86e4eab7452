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


class LabelledFold(HeldOutFold, Protocol):
    """A fold predicted by a network that tells particles apart itself."""

    @property
    def labels(self) -> Sequence[Any]:
        """One array ``(Y, X)`` per patch: the particles as the network tells them apart at its card's threshold."""
        ...

    @property
    def truths(self) -> Sequence[Any]:
        """One array ``(Y, X)`` per patch: the true particles as they are labelled."""
        ...


def fold_evidence(outcome: HeldOutFold, threshold: float | None = None, min_size: int = 3) -> list[Evidence]:
    """Compare the fold's patches with their truth.

    Parameters
    ----------
    outcome : HeldOutFold or LabelledFold
        Particles are the connected pixels of mask and truth, or what the labels say.
    threshold : float, optional
        Probabilities above it are particle; default that of the model's card. Labels hold for the card's only: with
        another one connected pixels are taken.
    min_size : int
        Least number of pixels of a particle that counts.
    """
    patches: Sequence[Any] = outcome.fold.patches
    if threshold is None and hasattr(outcome, "labels"):
        sides = zip(outcome.labels, outcome.truths, strict=True)  # type: ignore[attr-defined]
    else:
        level = outcome.model.card.threshold if threshold is None else threshold
        masks = [np.asarray(probability) > level for probability in outcome.probabilities]
        sides = zip(masks, [np.asarray(patch.mask) for patch in patches], strict=True)
    return [
        gather_evidence(predicted, truth, min_size=min_size, name=patch.name, group=outcome.fold.name)
        for (predicted, truth), patch in zip(sides, patches, strict=True)
    ]
