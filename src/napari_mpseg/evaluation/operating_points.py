"""A threshold chosen on validation images by a stated aim."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.evaluation.aims import AIMS, Aim
from napari_mpseg.evaluation.count_curve import count_curve
from napari_mpseg.evaluation.levels import LEVELS, threshold_of
from napari_mpseg.evaluation.threshold_curves import ThresholdCase, ThresholdCurves, threshold_case, threshold_curves
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback, silent

__all__ = [
    "AIMS",
    "LEVELS",
    "Aim",
    "OperatingPoint",
    "ThresholdCase",
    "ThresholdCurves",
    "choose_threshold",
    "count_curve",
    "threshold_case",
    "threshold_curves",
    "threshold_of",
]


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold and what it leads to.

    Attributes
    ----------
    threshold : float
        Pixels of a higher probability are particle.
    level : int
        The smallest stored probability that is above it, 1 to 255.
    aim : str
        Name in :data:`~napari_mpseg.evaluation.aims.AIMS`.
    value : float or None
        What the aim demands.
    reached : float
        What was reached, in terms of the aim: F, recall, precision, mean count bias, or predicted over true area.
    fulfilled : bool
        False if the aim demands a value that no threshold reaches; the threshold is then the one that comes nearest.
    precision, recall, f1 : float
        Over pixels, there.
    count_bias : float
        Mean over images of predicted minus true particles, there.
    images : int
        How many the choice rests on.
    curves : ThresholdCurves
        Of all thresholds; not compared, not in :meth:`to_dict`.
    """

    threshold: float
    level: int
    aim: str
    value: float | None
    reached: float
    fulfilled: bool
    precision: float
    recall: float
    f1: float
    count_bias: float
    images: int
    curves: ThresholdCurves = field(compare=False, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return all but the curves, ready for JSON and a model card."""
        return {name: value for name, value in vars(self).items() if name != "curves"}


def choose_threshold(
    cases: Sequence[ThresholdCase | tuple[Any, Any]],
    aim: str = "best-f1",
    value: float | None = None,
    *,
    min_size: int = 3,
    connectivity: int = 2,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> OperatingPoint:
    """Choose a threshold by an aim, on all images together.

    Give images that were used neither for training nor for the final test. Where several thresholds do equally well,
    the middle of the longest run of them is taken, farthest from where something changes.

    Parameters
    ----------
    cases : sequence
        Of :class:`~napari_mpseg.evaluation.threshold_curves.ThresholdCase`, or of pairs of probability (uint8
        ``(Y, X)``) and truth (labels or mask).
    aim : str
        Name in :data:`~napari_mpseg.evaluation.aims.AIMS`.
    value : float, optional
        What the aim demands, where it demands something: the recall of ``"recall-at-least"``.
    min_size, connectivity : int
        For pairs, as in segmentation.
    on_progress, cancel
        See :mod:`napari_mpseg.progress`.

    Raises
    ------
    UnknownNameError
        If no aim is called so.
    SettingsError
        Without any image, or if the value makes no sense.
    ImageError
        As :func:`~napari_mpseg.evaluation.threshold_curves.threshold_case`.
    """
    entry = AIMS[aim]
    demanded = entry.checked(value)
    known: list[ThresholdCase] = []
    for done, case in enumerate(cases):
        on_progress(Progress("Comparing at every threshold", done, len(cases), "images"))
        if not isinstance(case, ThresholdCase):
            case = threshold_case(*case, min_size=min_size, connectivity=connectivity, cancel=cancel)
        known.append(case)
    curves = threshold_curves(known)
    reached, merit, fulfilled = entry.pick(curves, demanded or 0.0)
    best = merit[1:] >= merit[1:].max() - 1e-12
    level = 1 + _middle_of_longest_run(best)
    return OperatingPoint(
        threshold=threshold_of(level),
        level=level,
        aim=aim,
        value=demanded,
        reached=float(reached[level]),
        fulfilled=bool(fulfilled[level]),
        precision=float(curves.precision[level]),
        recall=float(curves.recall[level]),
        f1=float(curves.f1[level]),
        count_bias=float(curves.count[level] - curves.n_truth),
        images=len(known),
        curves=curves,
    )


def _middle_of_longest_run(flags: NDArray[np.bool_]) -> int:
    steps = np.diff(np.concatenate([[0], flags.astype(np.int8), [0]]))
    starts, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    longest = int(np.argmax(ends - starts))
    return int(starts[longest] + ends[longest] - 1) // 2
