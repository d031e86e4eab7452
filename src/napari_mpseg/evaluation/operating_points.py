"""A threshold chosen on validation images by a stated aim."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import ImageError, SettingsError
from napari_mpseg.evaluation.count_curve import check_levels, count_curve
from napari_mpseg.evaluation.evidence import gather_evidence
from napari_mpseg.evaluation.pixel import f_beta, precision, recall
from napari_mpseg.evaluation.probability import counts_by_level
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback, silent
from napari_mpseg.registry import Registry

__all__ = [
    "AIMS",
    "Aim",
    "OperatingPoint",
    "ThresholdCase",
    "ThresholdCurves",
    "choose_threshold",
    "count_curve",
    "threshold_case",
    "threshold_curves",
]

Numbers = NDArray[np.float64]

LEVELS = 255
"""Stored level of probability 1."""
_ENOUGH = 0.5  # share of the best F1 that a threshold must reach to be taken for its count or area


@dataclass(frozen=True, eq=False)
class ThresholdCase:
    """What every threshold leads to on one image.

    Attributes
    ----------
    levels : ndarray of int64
        ``(2, 256)``: pixels of background and of particle in truth at each stored level of probability.
    counts : ndarray of int64
        ``(256,)``: particles at every threshold, see :func:`count_curve`.
    n_truth : int
        True particles of the least size or more.
    """

    levels: NDArray[np.int64]
    counts: NDArray[np.int64]
    n_truth: int


@dataclass(frozen=True, eq=False)
class ThresholdCurves:
    """What every threshold leads to on all images together.

    Arrays are float64 ``(256,)``; at position k all pixels of a stored probability of k or more are particle.

    Attributes
    ----------
    precision, recall, f05, f1, f2 : ndarray
        Over pixels. Precision is 1 where nothing is predicted.
    area : ndarray
        Predicted over true pixels; without true ones, predicted pixels.
    count : ndarray
        Predicted particles, mean over the images.
    n_truth : float
        True particles, mean over the images.
    found : ndarray of bool
        Where any pixel is predicted.
    """

    precision: Numbers
    recall: Numbers
    f05: Numbers
    f1: Numbers
    f2: Numbers
    area: Numbers
    count: Numbers
    n_truth: float
    found: NDArray[np.bool_]


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
        Name in :data:`AIMS`.
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


@dataclass(frozen=True)
class Aim:
    """What a threshold is chosen for.

    Attributes
    ----------
    name : str
    title : str
        For menus.
    definition : str
        Which threshold is taken.
    default : float or None
        Of the value that it demands, 0 to 1; None where it demands none.
    pick : callable
        From curves and value to: what is reached ``(256,)``, how good each level is ``(256,)`` (higher is better, -inf
        impossible), and whether each fulfils the aim ``(256,)``.
    """

    name: str
    title: str
    definition: str
    default: float | None
    pick: Callable[[ThresholdCurves, float], tuple[Numbers, Numbers, NDArray[np.bool_]]]

    def checked(self, value: float | None) -> float | None:
        """Return the demanded value, the default for None; raise :class:`SettingsError` if it makes no sense."""
        if self.default is None:
            if value is not None:
                raise SettingsError(f"The aim {self.name!r} demands no value: leave out {value!r}.")
            return None
        if value is None:
            return self.default
        if not 0 < value <= 1:
            raise SettingsError(f"{value!r} is impossible for {self.name!r}: give a share above 0 and up to 1.")
        return float(value)


AIMS: Registry[Aim] = Registry("aim")


def _best(beta_name: str) -> Callable[[ThresholdCurves, float], Any]:
    def pick(curves: ThresholdCurves, _value: float) -> Any:
        reached = getattr(curves, beta_name)
        return reached, reached, np.ones(256, bool)

    return pick


def _recall_at_least(curves: ThresholdCurves, value: float) -> Any:
    enough = curves.recall >= value - 1e-12
    return curves.recall, np.where(enough, 1 + curves.precision, curves.recall), enough


def _precision_at_least(curves: ThresholdCurves, value: float) -> Any:
    enough = (curves.precision >= value - 1e-12) & curves.found
    merit = np.where(enough, 2 + curves.recall, np.where(curves.found, curves.precision, -1))
    return curves.precision, merit, enough


def _nearest(reached: Numbers, off: Numbers, curves: ThresholdCurves) -> Any:
    """Take the smallest error among thresholds that fit at all; of equal ones that with the best F1."""
    fits = curves.f1 >= _ENOUGH * curves.f1[1:].max()
    nearest = off[1:][fits[1:]].min()
    merit = np.where(fits, np.where(off == nearest, 1 + curves.f1, -off), -np.inf)
    return reached, merit, np.ones(256, bool)


def _count_bias_zero(curves: ThresholdCurves, _value: float) -> Any:
    bias = curves.count - curves.n_truth
    return _nearest(bias, np.abs(bias), curves)


def _equal_area(curves: ThresholdCurves, _value: float) -> Any:
    return _nearest(curves.area, np.abs(curves.area - 1), curves)


_FITS = "Only thresholds with at least half of the best pixel F1 are considered; of equal ones that with the best F1."
for _aim in (
    Aim("best-f1", "best F1", "The threshold with the highest pixel F1.", None, _best("f1")),
    Aim("best-f0.5", "best F0.5 (precision first)", "The threshold with the highest pixel F0.5.", None, _best("f05")),
    Aim("best-f2", "best F2 (recall first)", "The threshold with the highest pixel F2.", None, _best("f2")),
    Aim(
        "recall-at-least",
        "recall of at least",
        "Of the thresholds whose pixel recall is the value or more, the one with the highest precision.",
        0.9,
        _recall_at_least,
    ),
    Aim(
        "precision-at-least",
        "precision of at least",
        "Of the thresholds whose pixel precision is the value or more, the one with the highest recall.",
        0.9,
        _precision_at_least,
    ),
    Aim(
        "count-bias-zero",
        "right number of particles",
        f"The threshold whose number of particles, over all images, is nearest to the true one. {_FITS}",
        None,
        _count_bias_zero,
    ),
    Aim(
        "equal-area",
        "right total area",
        f"The threshold whose particle pixels, over all images, come nearest to the true number. {_FITS}",
        None,
        _equal_area,
    ),
):
    AIMS.add(_aim.name, _aim)


def threshold_case(
    probability: Any,
    truth: Any,
    *,
    min_size: int = 3,
    connectivity: int = 2,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> ThresholdCase:
    """Find out what every threshold leads to on one image, part by part.

    Parameters
    ----------
    probability : array
        uint8 ``(Y, X)``; 255 stands for 1.
    truth : array
        ``(Y, X)`` labels or a mask.
    min_size, connectivity : int
        As in segmentation: least pixels of a particle, and 1 for 4 or 2 for 8 neighbours.
    on_progress, cancel
        See :mod:`napari_mpseg.progress`.

    Raises
    ------
    ImageError
        If the probability is not uint8, the truth holds no labels, or their shapes differ.
    SettingsError
        If `min_size` or `connectivity` makes no sense.
    """
    check_levels(probability)
    if tuple(probability.shape) != tuple(getattr(truth, "shape", ())):
        raise ImageError(
            f"Probability and truth must cover the same pixels, but their shapes are {tuple(probability.shape)} and "
            f"{tuple(getattr(truth, 'shape', ()))}."
        )
    nothing = np.broadcast_to(np.False_, probability.shape)
    steps: dict[str, Any] = {"connectivity": connectivity, "on_progress": on_progress, "cancel": cancel}
    evidence = gather_evidence(nothing, truth, probability=probability, min_size=max(1, min_size), **steps)
    counts = count_curve(probability, min_size, **steps)
    return ThresholdCase(np.asarray(evidence.levels), counts, evidence.n_truth)


def threshold_curves(cases: Sequence[ThresholdCase]) -> ThresholdCurves:
    """Return the curves of all images together.

    Raises
    ------
    SettingsError
        Without any image.
    """
    if not cases:
        raise SettingsError("A threshold is chosen on one image or more with truth; none was given.")
    counts = counts_by_level(*np.sum([case.levels for case in cases], 0))
    tp, fp, fn, _ = counts
    area = (tp + fp) / max(int(tp[0] + fn[0]), 1)
    return ThresholdCurves(
        precision=np.where(tp + fp > 0, precision(*counts), 1.0),
        recall=recall(*counts),
        f05=f_beta(0.5)(*counts),
        f1=f_beta(1.0)(*counts),
        f2=f_beta(2.0)(*counts),
        area=area,
        count=np.mean([case.counts for case in cases], 0),
        n_truth=float(np.mean([case.n_truth for case in cases])),
        found=tp + fp > 0,
    )


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
        Of :class:`ThresholdCase`, or of pairs of probability (uint8 ``(Y, X)``) and truth (labels or mask).
    aim : str
        Name in :data:`AIMS`.
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
        As :func:`threshold_case`.
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
        threshold=round((level - 0.5) / LEVELS, 3),
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
