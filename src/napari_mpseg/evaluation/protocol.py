"""The columns of Table 1 of Baek et al. 2021 for a cross-validation."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

from napari_mpseg.evaluation.aggregate import TABLE_1, score
from napari_mpseg.evaluation.held_out import HeldOutFold, fold_evidence

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
    evidences = [evidence for outcome in held for evidence in fold_evidence(outcome, threshold)]
    return ProtocolScores(*score(evidences, TABLE_1, "folds").values())
