"""What came of the rounds of one preset or method, and the rows that are made of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from napari_mpseg.evaluation.aggregate import score
from napari_mpseg.evaluation.evidence import Evidence
from napari_mpseg.evaluation.pixel import PixelCounts
from napari_mpseg.experiments.protocol import Block, Column


@dataclass(frozen=True)
class Outcome:
    """One model, or one method, on one test set.

    Attributes
    ----------
    round_name, test_name : str
    evidences : tuple of Evidence
        One per test image.
    loss : float or None
        Validation loss of the model; None for what needs no training.
    """

    round_name: str
    test_name: str
    evidences: tuple[Evidence, ...]
    loss: float | None = None


def chosen_outcomes(outcomes: Sequence[Outcome], block: Block) -> list[Outcome]:
    """Return the outcomes that a block is made of: all, or of every test set the one of lowest validation loss."""
    if not block.best:
        return list(outcomes)
    best: dict[str, Outcome] = {}
    for one in outcomes:
        kept = best.setdefault(one.test_name, one)
        if one.loss is not None and kept.loss is not None and one.loss < kept.loss:
            best[one.test_name] = one
    return list(best.values())


def values_of(outcomes: Sequence[Outcome], columns: Sequence[Column]) -> dict[str, float]:
    """Return the value of every column by its metric; see :class:`~napari_mpseg.experiments.protocol.Column`.

    TP, FP, FN and TN averaged over rounds differ from their sums by a factor that no ratio of them feels.
    """
    together = [replace(evidence, group=one.round_name) for one in outcomes for evidence in one.evidences]
    return {column.metric: score(together, [column.metric], column.over)[column.metric] for column in columns}


def mean_counts(outcomes: Sequence[Outcome]) -> Mapping[str, float]:
    """Return TP, FP, FN and TN of the test images, averaged over the rounds."""
    total = sum((evidence.pixels for one in outcomes for evidence in one.evidences), PixelCounts())
    return {name: count / len(outcomes) for name, count in total.to_dict().items()}
