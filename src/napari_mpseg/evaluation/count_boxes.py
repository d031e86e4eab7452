"""Boxes as evidence: what was counted beside what should have been, so that every metric of particles applies."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import ImageError
from napari_mpseg.evaluation.evidence import Evidence, ParticleEvidence
from napari_mpseg.evaluation.pairs import check_labels, parts_of
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback, silent

Boxes = NDArray[np.float64]
Ids = NDArray[np.int64]

_AT_ONCE = 4_000_000  # pairs of boxes that are compared together


def label_boxes(
    labels: Any,
    growth: tuple[int, int] = (0, 0),
    *,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> Boxes:
    """Return the bounding box of every label, read part by part.

    Parameters
    ----------
    labels : array
        ``(Y, X)`` whole numbers (numpy, dask, zarr); each number but 0 is one particle, in one piece or not.
    growth : tuple of int
        By how many pixels boxes are made larger at the top and bottom, and left and right; not beyond the image. As
        joining strands makes its boxes larger too, those of a truth must be to be compared with them.
    on_progress, cancel
        See :mod:`napari_mpseg.progress`.

    Returns
    -------
    ndarray of float64
        ``(N, 4)``: y0, x0, y1, x1 in pixels, ends not included, by rising label.

    Raises
    ------
    ImageError
        If they are no labels.
    Cancelled
        If `cancel` was set.
    """
    check_labels("truth", labels)
    parts = list(parts_of(labels))
    found: list[tuple[Ids, Ids]] = []
    for done, part in enumerate(parts):
        if cancel is not None:
            cancel.check()
        on_progress(Progress("Reading", done, len(parts), "parts"))
        values = np.asarray(labels[part.slices])
        y, x = np.nonzero(values)
        if len(y):
            numbers, which = np.unique(values[y, x], return_inverse=True)
            y, x = y + part.core[0], x + part.core[2]
            found.append((numbers.astype(np.int64), _around(which.ravel(), len(numbers), y, x, y + 1, x + 1)))
    on_progress(Progress("Reading", len(parts), len(parts), "parts"))
    if not found:
        return np.zeros((0, 4))
    numbers, which = np.unique(np.concatenate([each[0] for each in found]), return_inverse=True)
    boxes = _around(which.ravel(), len(numbers), *np.concatenate([each[1] for each in found]).T)
    down, right = growth
    grown = boxes + np.array([-down, -right, down, right])
    height, width = labels.shape
    return np.asarray(np.clip(grown, 0, [height, width, height, width]), np.float64)


def _around(which: Ids, count: int, y0: Ids, x0: Ids, y1: Ids, x1: Ids) -> Ids:
    boxes = np.empty((count, 4), np.int64)
    boxes[:, :2], boxes[:, 2:] = np.iinfo(np.int64).max, -1
    for column, (better, values) in enumerate(((np.minimum, y0), (np.minimum, x0), (np.maximum, y1), (np.maximum, x1))):
        better.at(boxes[:, column], which, values)
    return boxes


def box_evidence(counted: Any, truth: Any, *, name: str = "image", scores: Any = None) -> Evidence:
    """Return evidence in which each particle is its box.

    Its areas are those of boxes, in whole pixels; so an intersection over union is that of boxes, and a distance that
    of their middles. There are no counts of pixels in it.

    Parameters
    ----------
    counted, truth : array
        ``(N, 4)`` and ``(M, 4)``: y0, x0, y1, x1 in pixels, ends not included.
    name : str
        Of the image.
    scores : array, optional
        ``(N,)``: confidence of each counted box; without, or where it is missing, 1.

    Raises
    ------
    ImageError
        If they are no boxes.
    """
    found, true = _checked(counted, "counted"), _checked(truth, "true")
    pairs = [np.zeros((0, 3), np.int64), *_overlaps(found, true)]
    every = np.concatenate(pairs)
    sure = np.ones(len(found)) if scores is None else np.nan_to_num(np.asarray(scores, np.float64), nan=1.0)
    particles = ParticleEvidence(
        truth_labels=np.arange(1, len(true) + 1),
        predicted_labels=np.arange(1, len(found) + 1),
        truth_areas=_areas(true),
        predicted_areas=_areas(found),
        truth_centres=_middles(true),
        predicted_centres=_middles(found),
        scores=sure,
        pair_truth=every[:, 1],
        pair_predicted=every[:, 0],
        pair_pixels=every[:, 2],
    )
    return Evidence(name, particles=particles, min_size=1)


def _checked(boxes: Any, which: str) -> Ids:
    array = np.asarray(boxes, np.float64)
    if array.size == 0:
        return np.zeros((0, 4), np.int64)
    if array.ndim != 2 or array.shape[1] != 4 or not (array[:, 2:] > array[:, :2]).all():
        raise ImageError(f"The {which} boxes are not (N, 4) with y0 < y1 and x0 < x1; their shape is {array.shape}.")
    # a box drawn by hand covers the pixels that it touches
    return np.concatenate([np.floor(array[:, :2]), np.ceil(array[:, 2:])], 1).astype(np.int64)


def _areas(boxes: Ids) -> Ids:
    return np.asarray((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))


def _middles(boxes: Ids) -> Boxes:
    return np.asarray((boxes[:, :2] + boxes[:, 2:] - 1) / 2)


def _overlaps(found: Ids, true: Ids) -> Iterator[Ids]:
    """Give positions and common pixels of boxes that overlap; only those of nearly the same rows are compared."""
    if not len(found) or not len(true):
        return
    by_top, order = np.argsort(true[:, 0], kind="stable"), np.argsort(found[:, 0], kind="stable")
    tops, tallest = true[by_top, 0], int((true[:, 2] - true[:, 0]).max())
    step = max(1, min(256, _AT_ONCE // len(true)))
    for start in range(0, len(order), step):
        mine = order[start : start + step]
        low = np.searchsorted(tops, found[mine, 0].min() - tallest)
        near = by_top[low : np.searchsorted(tops, found[mine, 2].max())]
        one, other = found[mine][:, None], true[near][None]
        sides = np.minimum(one[..., 2:], other[..., 2:]) - np.maximum(one[..., :2], other[..., :2])
        i, j = np.nonzero((sides > 0).all(-1))
        yield np.stack([mine[i], near[j], sides[i, j].prod(-1)], 1)
