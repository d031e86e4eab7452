"""The scores of a cross-validation, beside one fixed grey level fitted on the other folds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_mpseg.evaluation.aggregate import score
from napari_mpseg.evaluation.evidence import Evidence, gather_evidence
from napari_mpseg.evaluation.held_out import HeldOutFold, fold_evidence
from napari_mpseg.evaluation.matching import by_overlap
from napari_mpseg.evaluation.pixel import f_beta
from napari_mpseg.evaluation.probability import counts_by_level

MIN_SIZE = 3


@dataclass(frozen=True)
class FoldScore:
    """Scores of one fold.

    Attributes
    ----------
    fold : str
    f1 : float
        Pixel F1 over all pixels of the fold together.
    mean_iou : float
        Mean over the fold's patches of their intersection over union.
    detected : float
        Share of the true particles of 3 px or more in which at least one pixel was predicted.
    particle_recall, particle_precision : float
        The same with predicted particles of 3 px or more only, as results have them; one common pixel is enough.
    particles : int
        True particles of 3 px or more.
    level, level_f1 : float
        The grey level (0 to 255) that fits the other folds best, and its pixel F1 on this fold.
    """

    fold: str
    f1: float
    mean_iou: float
    detected: float
    particle_recall: float
    particle_precision: float
    particles: int
    level: int
    level_f1: float


@dataclass(frozen=True)
class CrossvalReport:
    """Scores per fold."""

    folds: tuple[FoldScore, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return all numbers by fold and their means, for the model card."""
        columns = ("f1", "mean_iou", "detected", "particle_recall", "particle_precision", "level_f1")
        return {
            "what": "pixel F1 and particle scores, each fold predicted by a network trained on the others",
            **{score.fold: {name: round(getattr(score, name), 4) for name in columns} for score in self.folds},
            "mean": {name: round(float(np.mean([getattr(s, name) for s in self.folds])), 4) for name in columns},
        }

    def to_markdown(self) -> str:
        """Return a table for people."""
        lines = [
            "| fold held out | pixel F1 | mean IoU | detected | particle recall "
            "| particle precision | fixed grey level F1 |",
            "|---|---|---|---|---|---|---|",
        ]
        rows = [
            (s.fold, s.f1, s.mean_iou, s.detected, s.particle_recall, s.particle_precision, s.level_f1)
            for s in self.folds
        ]
        means = [float(value) for value in np.mean([values for _, *values in rows], axis=0)]
        lines += [_row_of(name, values) for name, *values in rows]
        lines.append(_row_of("mean", means))
        return "\n".join(lines)


def report_folds(held: Sequence[HeldOutFold]) -> CrossvalReport:
    """Score every fold of a cross-validation.

    Parameters
    ----------
    held : sequence of HeldOutFold
        One per fold; together they are all the data.
    """
    by_grey = [_by_grey(outcome.fold) for outcome in held]
    scores = []
    for index, outcome in enumerate(held):
        evidences = fold_evidence(outcome, min_size=MIN_SIZE)
        total = score(evidences, ("f1", "particle-recall", "particle-precision"))
        others = sum(levels for other, levels in enumerate(by_grey) if other != index)
        level = int(np.argmax(_f1(others)))
        scores.append(
            FoldScore(
                outcome.fold.name,
                total["f1"],
                score(evidences, ("iou",), "mean")["iou"],
                _detected(fold_evidence(outcome, min_size=1)),
                total["particle-recall"],
                total["particle-precision"],
                sum(evidence.n_truth for evidence in evidences),
                level,
                float(_f1(by_grey[index])[level]),
            )
        )
    return CrossvalReport(tuple(scores))


def _detected(evidences: Sequence[Evidence]) -> float:
    """Return the share of the true particles of the least size in which any pixel was predicted."""
    found = large = 0
    for evidence in evidences:
        counts = evidence.particles.truth_areas >= MIN_SIZE
        large += int(counts.sum())
        found += int(counts[by_overlap(evidence.particles, 0.5).found].sum())
    return found / large if large else 1.0


def _row_of(name: str, values: Sequence[float]) -> str:
    return f"| {name} | {' | '.join(f'{value:.3f}' for value in values)} |"


def _by_grey(fold: Any) -> Any:
    """Return pixels of background and of particle by mean grey level, ``(2, 256)``."""
    levels = np.zeros((2, 256))
    for patch in fold.patches:
        # a mean is above a whole level exactly if it is when rounded up
        grey = np.ceil(patch.image[..., :3].mean(2) - 1e-9).astype(np.uint8)
        mask = np.asarray(patch.mask)
        levels += np.asarray(gather_evidence(mask, mask, probability=grey, min_size=1).levels)
    return levels


def _f1(levels: Any) -> Any:
    """Return the pixel F1 if all pixels above a grey level are particle, for 0 to 254."""
    return f_beta(1.0)(*counts_by_level(*levels))[1:]
