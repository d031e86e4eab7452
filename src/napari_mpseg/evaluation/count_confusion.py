"""Counting, particle by particle: right, false and missed ones of each image, and the errors of the counts."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_mpseg.errors import SettingsError
from napari_mpseg.evaluation.count import COUNT_ENTRIES
from napari_mpseg.evaluation.evidence import Evidence
from napari_mpseg.evaluation.matching import CRITERIA
from napari_mpseg.evaluation.metric_entry import Array, Evidences, MetricEntry

if TYPE_CHECKING:
    import pandas as pd

ONE_TO_ONE = ("iou", "distance")
"""Criteria of a match by which no particle has two partners, as counting needs."""

ALL_IMAGES = "(all images)"


@dataclass(frozen=True)
class ImageCount:
    """How one image was counted.

    Attributes
    ----------
    image : str
        Its name.
    truth, counted : int
        True particles, and those that were counted.
    tp, fp, fn : int
        Counted ones that stand for a true one; those that stand for none; true ones that nothing stands for.
    """

    image: str
    truth: int
    counted: int
    tp: int
    fp: int
    fn: int

    @property
    def error(self) -> int:
        """Counted minus true."""
        return self.counted - self.truth


def count_confusion(evidence: Evidence, criterion: str = "iou", value: float | None = None) -> ImageCount:
    """Tell right, false and missed particles of an image, each matched with one other at most.

    Parameters
    ----------
    evidence : Evidence
        Of boxes (:func:`~napari_mpseg.evaluation.count_boxes.box_evidence`), or of particles.
    criterion : str
        ``"iou"`` or ``"distance"``.
    value : float, optional
        Least intersection over union, default 0.5; or largest distance in pixels, default 3.

    Raises
    ------
    SettingsError
        If the criterion would count one particle for several, or the value is impossible.
    """
    if criterion not in ONE_TO_ONE:
        raise SettingsError(
            f"By {criterion!r} one particle can stand for several, so nothing could be counted. Use "
            f"{' or '.join(ONE_TO_ONE)}."
        )
    matching = CRITERIA[criterion](evidence.particles, value)
    right, counted = len(matching.found), evidence.n_predicted - len(matching.neutral)
    return ImageCount(evidence.name, evidence.n_truth, counted, right, counted - right, evidence.n_truth - right)


def count_table(evidences: Evidences, criterion: str = "iou", value: float | None = None) -> "pd.DataFrame":
    """Return one row for each image and one for all of them.

    Columns: ``image``, ``truth``, ``counted``, ``tp``, ``fp``, ``fn``, ``error`` (counted minus true), ``mae`` and
    ``mse``. Of one image these are the size and the square of its error, of all images their means (Lee et al. 2022);
    the other columns of all images are sums.

    Raises
    ------
    SettingsError
        Without any evidence, or as of :func:`count_confusion`.
    """
    import pandas as pd

    if not len(evidences):
        raise SettingsError("The errors of counting need one image or more; none was given.")
    rows = [count_confusion(evidence, criterion, value) for evidence in evidences]
    frame = pd.DataFrame([{**asdict(row), "error": row.error} for row in rows])
    sizes = {"count-mae": "mae", "count-mse": "mse"}
    entries = {sizes[entry.name]: entry for entry in COUNT_ENTRIES if entry.name in sizes}
    frame = frame.assign(**{name: entry.each(evidences) for name, entry in entries.items()})
    whole = frame.drop(columns="image").sum().to_dict() | {"image": ALL_IMAGES}
    whole |= {name: entry.of(evidences) for name, entry in entries.items()}
    kinds = dict.fromkeys(("truth", "counted", "tp", "fp", "fn", "error"), "int64")
    return pd.concat([frame, pd.DataFrame([whole])], ignore_index=True).astype(kinds)


def count_wrong(value: float | None = None) -> MetricEntry:
    """Return the metric ``count-wrong``: false and missed particles, which in the difference of counts may cancel.

    Raises
    ------
    SettingsError
        If `value` is no intersection over union.
    """
    least = CRITERIA["iou"].checked(value)

    def weighted(evidences: Evidences, weights: Array) -> Array:
        rows = [count_confusion(evidence, "iou", least) for evidence in evidences]
        wrong = np.asarray([row.fp + row.fn for row in rows], np.float64)
        return np.asarray(weights @ wrong / np.maximum(weights.sum(1), 1))

    variant: Callable[[float], MetricEntry] = count_wrong
    return MetricEntry(
        "count-wrong",
        "counted wrongly",
        "count",
        "Mean over images of false plus missed particles; two particles match if "
        f"{CRITERIA['iou'].definition.format(value=least)}.",
        "Always defined; 0 with neither truth nor prediction.",
        "lower",
        weighted,
        "napari-mpseg",
        variant=variant,
    )


COUNT_WRONG = count_wrong()
