"""The columns of Table 1 of Baek et al. 2021 for a cross-validation."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from napari_mpseg.evaluation.crossval_report import HeldOutFold
from napari_mpseg.evaluation.evidence import Evidence
from napari_mpseg.evaluation.metric import METRICS
from napari_mpseg.evaluation.pixel import PixelCounts, count_pixels

_TITLES = ("balanced accuracy", "precision", "recall", "mean IoU", "F0.5", "F1", "F2")


@dataclass(frozen=True)
class ProtocolScores:
    """The seven metrics.

    All but the mean IoU come from TP, FP, FN and TN averaged over the folds. The IoU is taken per image and averaged
    over all images, each predicted by the network that did not see it.
    """

    balanced_accuracy: float
    precision: float
    recall: float
    mean_iou: float
    f05: float
    f1: float
    f2: float

    def to_dict(self) -> dict[str, float]:
        """Return the scores by name."""
        return asdict(self)

    def to_row(self, name: str) -> str:
        """Return a row of a Markdown table."""
        values = " | ".join(f"{getattr(self, field.name):.3f}" for field in fields(self))
        return f"| {name} | {values} |"


def protocol_header() -> str:
    """Return the head of the Markdown table."""
    return f"| method | {' | '.join(_TITLES)} |\n|---|{'---|' * len(_TITLES)}"


def protocol_scores(held: Sequence[HeldOutFold], threshold: float | None = None) -> ProtocolScores:
    """Score a cross-validation as Baek et al. score theirs.

    Parameters
    ----------
    held : sequence of HeldOutFold
    threshold : float, optional
        Probabilities above it are particle; default that of each model's card.
    """
    folds, ious = [], []
    for outcome in held:
        level = outcome.model.card.threshold if threshold is None else threshold
        counts = [
            count_pixels(np.asarray(probability) > level, np.asarray(patch.mask))
            for probability, patch in zip(outcome.probabilities, outcome.fold.patches, strict=True)
        ]
        folds.append(sum(counts, PixelCounts()))
        ious += [METRICS["iou"].of([Evidence("", pixels=count)]) for count in counts]
    # The mean of the counts differs from their sum by a factor that no ratio of them feels.
    total = sum(folds, PixelCounts())
    values: dict[str, Any] = {
        name: METRICS[metric].of([Evidence("", pixels=total)])
        for name, metric in (
            ("balanced_accuracy", "balanced-accuracy"),
            ("precision", "precision"),
            ("recall", "recall"),
            ("f05", "f0.5"),
            ("f1", "f1"),
            ("f2", "f2"),
        )
    }
    return ProtocolScores(mean_iou=float(np.mean(ious)), **values)
