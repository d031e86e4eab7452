"""The scores of a cross-validation, beside one fixed grey level fitted on the other folds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from napari_mpseg.evaluation.report import evaluate

MIN_SIZE = 3


class HeldOutFold(Protocol):
    """A fold with the probabilities a network gave that never saw it."""

    @property
    def fold(self) -> Any:
        """Name and patches (each with ``image`` and ``mask``)."""
        ...

    @property
    def model(self) -> Any:
        """The network's model; its card has the threshold."""
        ...

    @property
    def probabilities(self) -> Sequence[Any]:
        """One array ``(Y, X)`` per patch."""
        ...


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
    curves = [_level_counts(outcome.fold) for outcome in held]
    scores = []
    for index, outcome in enumerate(held):
        masks = [np.asarray(patch.mask) for patch in outcome.fold.patches]
        found = [np.asarray(probability) > outcome.model.card.threshold for probability in outcome.probabilities]
        total = evaluate(_row(found), _row(masks), MIN_SIZE)
        ious = [evaluate(a, b, MIN_SIZE).iou for a, b in zip(found, masks, strict=True)]
        others = sum(curve for other, curve in enumerate(curves) if other != index)
        level = int(np.argmax(_f1(others)))
        scores.append(
            FoldScore(
                outcome.fold.name,
                total.f1,
                float(np.mean(ious)),
                _detected(_row(found), _row(masks)),
                total.particle_recall,
                total.particle_precision,
                total.n_truth,
                level,
                float(_f1(curves[index])[level]),
            )
        )
    return CrossvalReport(tuple(scores))


def _detected(found: Any, truth: Any) -> float:
    from skimage.measure import label

    labels = label(truth, connectivity=2)
    large = np.flatnonzero(np.bincount(labels.ravel()) >= MIN_SIZE)
    large = large[large > 0]
    return float(np.isin(large, labels[found]).mean()) if len(large) else 1.0


def _row_of(name: str, values: Sequence[float]) -> str:
    return f"| {name} | {' | '.join(f'{value:.3f}' for value in values)} |"


def _row(masks: Sequence[Any]) -> Any:
    """Lay masks side by side with a gap, so that no particle touches the next patch's."""
    return np.concatenate([np.pad(mask, ((0, 0), (0, 2))) for mask in masks], 1)


def _level_counts(fold: Any) -> Any:
    """Return true positives, predicted and true pixels per grey level, ``(3, 256)``."""
    counts = np.zeros((3, 256))
    for patch in fold.patches:
        # a mean is above a whole level exactly if it is when rounded up
        grey = np.ceil(patch.image[..., :3].mean(2) - 1e-9).astype(int)
        above = np.bincount(grey.ravel(), minlength=256)
        inside = np.bincount(grey[patch.mask], minlength=256)
        counts[0] += inside.sum() - np.cumsum(inside)
        counts[1] += above.sum() - np.cumsum(above)
        counts[2] += inside.sum()
    return counts


def _f1(counts: Any) -> Any:
    return 2 * counts[0] / np.maximum(counts[1] + counts[2], 1)
