"""Write a repainted region back into labels on disk, and take the last correction back."""

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import StoreError
from napari_mpseg.particles.review.audit import AuditRecord
from napari_mpseg.particles.review.edits import Box, EditError
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback, silent
from napari_mpseg.results.corrections import journal
from napari_mpseg.results.corrections.applying import STEPS, apply_journal, take_back, writing
from napari_mpseg.results.corrections.blocks import changed_blocks, same_as
from napari_mpseg.results.corrections.highest import highest_label
from napari_mpseg.results.corrections.journal import APPLYING, DONE, UNDOING, Journal
from napari_mpseg.results.corrections.place import LabelsPlace, place_in
from napari_mpseg.results.corrections.rows import (
    Frame,
    is_inside,
    plain_rows,
    read_newest,
    recorded_boxes,
    rows_of,
)
from napari_mpseg.results.corrections.settling import settle
from napari_mpseg.results.corrections.turns import if_free, in_turn

LARGEST_SIDE = 4096
"""Pixels of a side up to which a region is corrected in one piece."""


@dataclass(frozen=True)
class Correction:
    """What a correction did, or what taking it back did.

    Attributes
    ----------
    number : int
        Counted from 1 for these labels.
    box : tuple of int
        The region: first row, first column, row after the last, column after the last.
    touched, created, gone : tuple of int
        All labels whose pixels changed; those that are new, and those of which nothing is left.
    parents : dict of int to int
        The label that a new one is a part of.
    measured : pandas.DataFrame or None
        The touched labels measured anew, by label; after taking back, their rows as they were. None without a table.
    entry : dict
        What stands in the record of the review.
    notes : tuple of str
        What a user should know, one sentence each.
    """

    number: int
    box: Box
    touched: tuple[int, ...]
    created: tuple[int, ...]
    gone: tuple[int, ...]
    parents: dict[int, int]
    measured: Frame
    entry: dict[str, Any]
    notes: tuple[str, ...] = ()


def check_box(shape: Sequence[int], box: Box) -> None:
    """Refuse a region that is empty, outside of the labels, or too large.

    Raises
    ------
    EditError
        Says what to do.
    """
    y0, x0, y1, x1 = box
    if not (0 <= y0 < y1 <= shape[0] and 0 <= x0 < x1 <= shape[1]):
        raise EditError("The region lies outside of the labels. Choose one that holds part of them.")
    if max(y1 - y0, x1 - x0) > LARGEST_SIDE:
        raise EditError(
            f"The region is {x1 - x0} x {y1 - y0} px, and at most {LARGEST_SIDE} px a side are corrected in one piece. "
            "Zoom in, or draw a smaller rectangle."
        )


def take_region(place: LabelsPlace, box: Box) -> NDArray[Any]:
    """Return the labels of a region, to be painted on and given to :func:`correct_region`.

    Parameters
    ----------
    place : LabelsPlace
        Where the labels lie; what a killed process had begun to correct there is finished first.
    box : tuple of int
        First row, first column, row after the last, column after the last; up to 4096 px a side.

    Raises
    ------
    EditError
        If the region is empty or too large.
    StoreError
        If the labels cannot be read.
    """
    finish_left_over(place)
    labels = _plane(place.levels()[0])
    check_box(labels.shape, box)
    return np.asarray(labels[box[0] : box[2], box[1] : box[3]])


def correct_region(
    place: LabelsPlace,
    box: Box,
    painted: NDArray[Any],
    *,
    taken: NDArray[Any] | None = None,
    separate: bool = True,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> Correction:
    """Write a repainted region into labels on disk: pixels, smaller levels, the rows of touched particles, the record.

    All is written to a journal first. A process that is killed later leaves labels that are finished when they are next
    opened; one that is killed earlier leaves them as they were.

    Parameters
    ----------
    place : LabelsPlace
        See :func:`~napari_mpseg.results.corrections.place.place_in`.
    box : tuple of int
        The region. Pixels outside of it never change.
    painted : numpy.ndarray
        ``(Y, X)``, whole numbers; 0 is background. What their numbers become, says
        :func:`~napari_mpseg.results.corrections.settling.settle`.
    taken : numpy.ndarray, optional
        The region as it was taken; the labels must still be so.
    separate : bool
        Whether pieces that were parted become particles of their own.
    on_progress, cancel
        See :mod:`napari_mpseg.progress`. It cannot be cancelled any more once the journal is written.

    Returns
    -------
    Correction

    Raises
    ------
    EditError
        If nothing was changed, or the region does not fit.
    StoreError
        If the labels changed since they were taken, are being changed by somebody else, or cannot be written.
    """
    with in_turn(place):
        _finish(place)
        stored, notes = _planned(place, box, painted, taken, separate, on_progress, cancel or CancelToken())
        path = place.folder / f"{stored.about['number']:04d}{APPLYING}.npz"
        on_progress(Progress(STEPS[0], 0, len(STEPS), "steps"))
        journal.write(path, stored)
        done = apply_journal(place, path, on_progress)
    return Correction(**{**_told(done), "notes": notes})


def _planned(
    place: LabelsPlace,
    box: Box,
    painted: NDArray[Any],
    taken: NDArray[Any] | None,
    separate: bool,
    on_progress: ProgressCallback,
    cancel: CancelToken,
) -> tuple[Journal, tuple[str, ...]]:
    """Return what a correction is to do, and what a user should know. Nobody else writes the labels meanwhile."""
    labels = _plane(place.levels()[0])
    check_box(labels.shape, box)
    if painted.shape != (box[2] - box[0], box[3] - box[1]) or painted.dtype.kind not in "iu":
        raise EditError("What was painted does not fit the region: whole numbers of its height and width are needed.")
    ring, inner = _with_ring(labels, box)
    if taken is not None and not np.array_equal(ring[inner], taken):
        raise StoreError(
            "The labels were changed by somebody else since this region was taken. Discard it, and take it again."
        )
    table = read_newest(place.tables)
    highest = highest_label(place, labels, table, ring, on_progress, cancel)
    outside = _outside(table, np.unique(ring), box)
    connectivity = int(dict(place.record().get("settings") or {}).get("connectivity", 2))
    settled = settle(
        ring, painted, inner, highest=highest, outside=outside, separate=separate, connectivity=connectivity
    )
    if not settled.touched:
        raise EditError("Nothing was changed in this region. Paint or erase first, or discard it.")
    after = max(highest, *settled.created, 0)
    if after > np.iinfo(labels.dtype).max:
        raise EditError(f"Label {after} does not fit into {labels.dtype} labels. Save them as int32 first.")
    cancel.check()
    old = None if table is None else rows_of(table.frame, sorted({*settled.touched, *settled.parents.values()}))
    listed = [one for one, *_ in journal.listed(place.folder)]
    number = max(int(place.kept().get("corrected", 0)), *listed, 0) + 1  # that of one taken back is not given again
    blocks, before, changed = changed_blocks(labels, box, settled.labels)
    about = {
        "box": list(box),
        "number": number,
        "chunk": list(before.shape[1:]),
        "touched": settled.touched,
        "created": settled.created,
        "gone": settled.gone,
        "parents": {str(new): int(parent) for new, parent in settled.parents.items()},
        "highest": [highest, after],
        "rows": None if old is None else plain_rows(old),
        "entry": _entry(box, number, settled.touched, ring[inner], settled.labels),
    }
    return Journal(blocks, before, changed, about), tuple(settled.notes())


def last_correction(place: LabelsPlace) -> tuple[int, Box] | None:
    """Return number and region of the correction that :func:`undo_last` would take back, or None."""
    done = [(number, path) for number, state, path in journal.listed(place.folder) if state == DONE]
    if not done:
        return None
    number, path = done[-1]
    y0, x0, y1, x1 = journal.read_about(path)["box"]
    return number, (y0, x0, y1, x1)


def undo_last(place: LabelsPlace, *, on_progress: ProgressCallback = silent, cancel: Any = None) -> Correction:
    """Take the last correction back: pixels, smaller levels, rows of the table. The record keeps both.

    Decisions on particles that were made since stay. It is as safe against being killed as :func:`correct_region`.

    Raises
    ------
    EditError
        If there is none, or the labels were changed since in another way.
    StoreError
        If they are being changed by somebody else, or cannot be written.
    """
    with in_turn(place):
        _finish(place)
        done = [path for _, state, path in journal.listed(place.folder) if state == DONE]
        if not done:
            raise EditError("There is no correction to take back.")
        stored = journal.read(done[-1])
        if not same_as(place.levels()[0], stored.blocks, stored.after):
            raise EditError(
                "The labels were changed since in another way, so this correction cannot be taken back. "
                "Correct the region again."
            )
        path = journal.in_state(done[-1], UNDOING)
        with writing(place):
            done[-1].rename(path)
        return Correction(**_told(take_back(place, path, on_progress)))


def finish_left_over(where: LabelsPlace | str | os.PathLike[str]) -> list[str]:
    """Finish the corrections that a killed process had begun; one that a process is still at work on is left to it.

    Parameters
    ----------
    where : LabelsPlace or path-like
        Labels, or a store; one of anything else passes.

    Returns
    -------
    list of str
        What was done, for the user.

    Raises
    ------
    StoreError
        If there is something to be finished and it cannot be.
    """
    place = where if isinstance(where, LabelsPlace) else place_in(where)
    if place is None or all(state == DONE for _, state, _ in journal.listed(place.folder)):
        return []
    with if_free(place) as free:
        return _finish(place) if free else []


def _finish(place: LabelsPlace) -> list[str]:
    """Finish what was begun, by whoever keeps all others from writing."""
    notes = []
    for number, state, path in journal.listed(place.folder):
        if state == DONE:
            continue
        (apply_journal if state == APPLYING else take_back)(place, path, silent)
        what = "Correction" if state == APPLYING else "Taking back correction"
        notes.append(f"{what} {number} of {place.store.name}, which had been interrupted, was finished.")
    return notes


def _entry(box: Box, number: int, touched: Sequence[int], before: NDArray[Any], after: NDArray[Any]) -> dict[str, Any]:
    """Return who changed what, for the record of the review; pixels are those in the region."""
    sizes = [
        dict(zip(*(one.tolist() for one in np.unique(part, return_counts=True)), strict=True))
        for part in (before, after)
    ]
    counts = [{label: size.get(label, 0) for label in touched} for size in sizes]
    entry = AuditRecord().add(
        "correct",
        touched,
        {"pixels": counts[0]},
        {"pixels": counts[1], "correction": number, "region": list(box)},
        f"region of {box[3] - box[1]} x {box[2] - box[0]} px at column {box[1]}, row {box[0]}",
    )
    return {**asdict(entry), "labels": list(entry.labels)}


def _told(about: dict[str, Any]) -> dict[str, Any]:
    return {
        "number": about["number"],
        "box": tuple(about["box"]),
        "touched": tuple(about["touched"]),
        "created": tuple(about["created"]),
        "gone": tuple(about["gone"]),
        "parents": {int(new): int(parent) for new, parent in about["parents"].items()},
        "measured": about["measured"],
        "entry": about["entry"],
    }


def _outside(table: Any, labels: NDArray[Any], box: Box) -> set[int]:
    """Return those of some labels that, as the table says, lie outside of the region as well."""
    if table is None:
        return set()
    boxes = recorded_boxes(table.frame, [int(one) for one in labels if one > 0])
    return {label for label, each in boxes.items() if not is_inside(each, box)}


def _with_ring(labels: Any, box: Box) -> tuple[NDArray[Any], tuple[slice, slice]]:
    """Return a region with one pixel around it where the image goes on, and where the region lies in that."""
    y0, x0, y1, x1 = box
    top, left = max(y0 - 1, 0), max(x0 - 1, 0)
    ring = np.asarray(labels[top : min(y1 + 1, labels.shape[0]), left : min(x1 + 1, labels.shape[1])])
    return ring, (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))


def _plane(labels: Any) -> Any:
    if labels.ndim != 2:
        raise EditError("Only labels of one plane are corrected on disk. Open the plane as a layer of its own.")
    return labels
