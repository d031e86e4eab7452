"""What every threshold leads to, on one image and on several together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import ImageError, SettingsError
from napari_mpseg.evaluation.count_curve import check_levels, count_curve
from napari_mpseg.evaluation.evidence import gather_evidence
from napari_mpseg.evaluation.pixel import f_beta, precision, recall
from napari_mpseg.evaluation.probability import counts_by_level
from napari_mpseg.progress import CancelToken, ProgressCallback, silent

Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ThresholdCase:
    """What every threshold leads to on one image.

    Attributes
    ----------
    levels : ndarray of int64
        ``(2, 256)``: pixels of background and of particle in truth at each stored level of probability.
    counts : ndarray of int64
        ``(256,)``: particles at every threshold, see :func:`~napari_mpseg.evaluation.count_curve.count_curve`.
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
