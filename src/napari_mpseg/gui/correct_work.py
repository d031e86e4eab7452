"""Take a region of a labels layer, write it back, take that back: on disk or in memory. No Qt here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from napari_mpseg.gui.correct_region import Region
from napari_mpseg.gui.review_measure import table_calibration
from napari_mpseg.gui.review_others import writing_pixels_and_rows
from napari_mpseg.gui.review_pixels import Plane, write_pixels
from napari_mpseg.gui.review_rows import write_rows
from napari_mpseg.gui.review_sources import image_of, sources_of
from napari_mpseg.gui.review_table import can_be_reviewed
from napari_mpseg.particles.review.audit import KEY, AuditEntry, AuditRecord, append_audit
from napari_mpseg.particles.review.edits import EditError, LabelEdit, edit_of_pixels
from napari_mpseg.particles.table import ParticleTable, property_of
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback
from napari_mpseg.pyramids import refresh_displayed
from napari_mpseg.results.corrections.correct import Correction, correct_region, take_region, undo_last
from napari_mpseg.results.corrections.highest import highest_label
from napari_mpseg.results.corrections.place import LabelsPlace
from napari_mpseg.results.corrections.rows import Frame, measured_rows, read_newest, rows_after, rows_back, rows_of
from napari_mpseg.results.corrections.settling import Settled, settle

_BAND = 2**22  # pixels that are looked at in one piece
_SHOWN_BEFORE: WeakKeyDictionary[Any, dict[int, Frame]] = WeakKeyDictionary()
"""By layer that shows labels on disk, and number of a correction: the rows it touched, as they were in the layer."""
_NOTHING = "Nothing was changed in this region. Paint or erase first, or discard it."


@dataclass(frozen=True)
class Taken:
    """The labels of a region as they were, and a number that no particle has."""

    pixels: np.ndarray
    unused: int


@dataclass(frozen=True)
class Planned:
    """What a region that was painted on means, and the labels that this was said of, with a ring of one pixel."""

    settled: Settled
    ring: np.ndarray


@dataclass(frozen=True)
class Step:
    """A correction of labels in memory that can be taken back."""

    layer: Any
    plane: Plane
    edit: LabelEdit
    rows: Frame


def take(region: Region, *, on_progress: ProgressCallback, cancel: CancelToken) -> Taken:
    """Read a region; may be done in any thread.

    Raises
    ------
    MpsegError
        As of :func:`~napari_mpseg.results.corrections.correct.take_region`.
    """
    y0, x0, y1, x1 = region.box
    if region.place is None:
        pixels = np.array(region.pixels.pixels[y0:y1, x0:x1])
        return Taken(pixels, _highest_in_memory(region.layer) + 1)
    pixels = take_region(region.place, region.box)
    labels = region.place.levels()[0]
    table = read_newest(region.place.tables)
    highest = highest_label(region.place, labels, table, pixels, on_progress, cancel)
    return Taken(pixels, max(highest, len(region.layer.features) - 1) + 1)


# -- on disk


def correct_on_disk(
    region: Region,
    painted: np.ndarray,
    taken: np.ndarray,
    features: Any,
    *,
    separate: bool,
    on_progress: ProgressCallback,
    cancel: CancelToken,
) -> Correction:
    """Write a region back into the labels on disk; may be done in any thread.

    Parameters
    ----------
    region : Region
        With a place.
    painted, taken : numpy.ndarray
        ``(Y, X)``; as it is to be, and as it was.
    features : pandas.DataFrame or None
        Of the layer, which may have columns that the table on disk has not: those are measured as well.
    separate, on_progress, cancel
        As in :func:`~napari_mpseg.results.corrections.correct.correct_region`.
    """
    place = _needed(region.place)
    done = correct_region(
        place, region.box, painted, taken=taken, separate=separate, on_progress=on_progress, cancel=cancel
    )
    columns = [str(name) for name in features] if features is not None else []
    measured = {name for name in columns if property_of(name) is not None}
    if features is None or (done.measured is not None and measured <= set(map(str, done.measured.columns))):
        return done
    table = ParticleTable.from_features(features, table_calibration(features, region.layer))
    there = [label for label in done.touched if label not in done.gone]
    rows = measured_rows(
        place.levels()[0],
        table,
        there,
        region.box,
        image=place.image(),
        probability=place.probability(),
        perimeter=perimeter_of(region.layer),
    )
    return replace(done, measured=rows)


def undo_on_disk(place: LabelsPlace, *, on_progress: ProgressCallback, cancel: CancelToken) -> Correction:
    """Take the last correction of labels on disk back; may be done in any thread."""
    return undo_last(place, on_progress=on_progress, cancel=cancel)


def show_correction(viewer: Any, layer: Any, done: Correction, *, undone: bool = False) -> None:
    """Bring a layer in step with what was written to disk: its pixels, its table, its record.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
    layer : napari.layers.Labels
        That shows the labels on disk.
    done : Correction
        What was done.
    undone : bool
        Whether it was taken back.
    """
    if layer.multiscale:
        refresh_displayed(list(layer.data), done.box)
    layer.refresh()
    append_audit(layer.metadata, AuditEntry(**{**done.entry, "labels": tuple(done.entry["labels"])}))
    if done.measured is None or not _has_table(layer):
        return
    before = rows_of(layer.features, sorted({*done.touched, *done.parents.values()}))
    own = getattr(layer, "__wrapped__", layer)
    rows = before.loc[list(done.touched)]
    if undone:
        write_rows(viewer, layer, rows_back(rows, _as_they_were(own, done)))
    else:
        _SHOWN_BEFORE.setdefault(own, {})[done.number] = rows
        write_rows(viewer, layer, rows_after(before, done.measured, done.parents).loc[list(done.touched)])


def _as_they_were(layer: Any, done: Correction) -> Frame:
    """Return the rows from before a correction: the table's on disk, with what only the layer had, such as decisions.

    A particle that was erased takes decisions with it that were not saved yet.
    """
    old, shown = done.measured.copy(), _SHOWN_BEFORE.get(layer, {}).pop(done.number, None)
    for name in shown if shown is not None else ():
        if name not in old or property_of(str(name)) is None:
            old[name] = shown[name]
    return old


# -- in memory


def plan_in_memory(
    region: Region, painted: np.ndarray, *, separate: bool, on_progress: ProgressCallback, cancel: CancelToken
) -> Planned:
    """Say what a region that was painted on means for labels in memory; may be done in any thread, changes nothing.

    Raises
    ------
    EditError
        If nothing was changed, or the labels have another shape by now.
    """
    ring, inner = _with_ring(region)
    if np.array_equal(ring[inner], painted):
        raise EditError(_NOTHING)
    settled = settle(
        ring,
        painted,
        inner,
        highest=_highest_in_memory(region.layer),
        outside=_elsewhere(region.pixels.pixels, region.box, np.unique(ring), on_progress, cancel),
        separate=separate,
        connectivity=connectivity_of(region.layer),
    )
    if not settled.touched:
        raise EditError(_NOTHING)
    return Planned(settled, ring)


def correct_in_memory(viewer: Any, region: Region, planned: Planned) -> Step:
    """Write a region back into labels in memory: one step of napari's history, and the rows of what was touched.

    Raises
    ------
    EditError
        If the labels were changed since that was planned.
    """
    ring, inner = _with_ring(region)
    if not np.array_equal(ring, planned.ring):
        raise EditError("The labels were changed meanwhile. Apply again.")
    settled, plane, (y0, x0, _, _) = planned.settled, region.pixels, region.box
    y, x = np.nonzero(settled.labels != ring[inner])
    edit = edit_of_pixels("paint", y + y0, x + x0, ring[inner][y, x], settled.labels[y, x])
    rows = _write(viewer, region.layer, plane, edit, settled)
    _record(region.layer, "correct", settled.touched, {}, {"region": list(region.box)})
    return Step(region.layer, plane, edit, rows)


def undo_in_memory(viewer: Any, step: Step) -> None:
    """Take a correction of labels in memory back.

    Raises
    ------
    EditError
        If its pixels were changed since.
    """
    edit = step.edit.turned()
    if not np.array_equal(step.plane.values(edit.y, edit.x), edit.before):
        raise EditError("The pixels were changed since, so this correction cannot be taken back. Use napari's undo.")
    # as the rows are before the pixels are there again: whoever follows the pixels may write rows of their own
    now = rows_of(step.layer.features, list(step.rows.index)) if _has_rows(step) else None
    _write_shown(step.layer, step.plane, edit)
    if now is not None:
        write_rows(viewer, step.layer, rows_back(now, step.rows))
    _record(step.layer, "undo", step.edit.affected, {"action": "correct"}, {})


def perimeter_of(layer: Any) -> str:
    """Return the estimator of the perimeter that a layer's table was measured with, where its record says so."""
    value = _setting(layer, "perimeter")
    return value if isinstance(value, str) else "imagej"


def connectivity_of(layer: Any) -> int:
    """Return how the run that made a layer's labels connected pixels, where its record says so: 1 sides, 2 corners."""
    value = _setting(layer, "connectivity")
    return value if value in (1, 2) else 2


def _setting(layer: Any, name: str) -> Any:
    value: Any = layer.metadata
    for key in (KEY, "provenance", "settings", name):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _write(viewer: Any, layer: Any, plane: Plane, edit: LabelEdit, settled: Settled) -> Frame:
    """Write pixels and the rows of what they touch; return the rows as they were."""
    before = (
        rows_of(layer.features, sorted({*settled.touched, *settled.parents.values()})) if _has_table(layer) else None
    )
    features = layer.features
    _write_shown(layer, plane, edit)
    if before is None:
        return None
    try:
        there = [label for label in settled.touched if label not in settled.gone]
        sources = sources_of(viewer, layer, image_of(viewer, layer))
        measured = measured_rows(
            plane.pixels,
            ParticleTable.from_features(features, table_calibration(features, layer)),
            there,
            edit.box,
            image=sources.image(plane.index),
            probability=sources.probability(plane.index),
            perimeter=perimeter_of(layer),
        )
        after = rows_after(before, measured, settled.parents).loc[list(settled.touched)]
        if "plane" in after and plane.index:
            number = int(np.ravel_multi_index(plane.index, layer.data.shape[:-2]))
            after.loc[[label for label in settled.created if label in after.index], "plane"] = number
        write_rows(viewer, layer, after)
    except BaseException:
        _write_shown(layer, plane, edit.turned())  # no half of a correction stays
        raise
    return before.loc[list(settled.touched)]


def _write_shown(layer: Any, plane: Plane, edit: LabelEdit) -> None:
    """Write pixels of a layer that may be hidden: napari holds no picture of such a one, which it writes into too."""
    was_visible, layer.visible = layer.visible, True
    try:
        with writing_pixels_and_rows(layer):
            write_pixels(layer, plane, edit)
    finally:
        layer.visible = was_visible


def _with_ring(region: Region) -> tuple[np.ndarray, tuple[slice, slice]]:
    """Return a region with one pixel around it where the image goes on, and where the region lies in that."""
    pixels, (y0, x0, y1, x1) = region.pixels.pixels, region.box
    if y1 > pixels.shape[0] or x1 > pixels.shape[1]:
        raise EditError("The labels have another size by now. Discard the region, and take it again.")
    top, left = max(y0 - 1, 0), max(x0 - 1, 0)
    return np.array(pixels[top : y1 + 1, left : x1 + 1]), (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))


def _elsewhere(
    pixels: np.ndarray, box: Sequence[int], labels: np.ndarray, on_progress: ProgressCallback, cancel: CancelToken
) -> set[int]:
    """Return those of some labels that lie outside of a box as well."""
    y0, x0, y1, x1 = box
    sought = set(labels.tolist()) - {0}
    found: set[int] = set()
    rows = max(1, _BAND // max(1, pixels.shape[1]))
    bands = range(0, pixels.shape[0], rows)
    for done, top in enumerate(bands):
        cancel.check()
        on_progress(Progress("Looking at all labels", done, len(bands), "bands"))
        band = pixels[top : top + rows]
        a, b = np.clip([y0 - top, y1 - top], 0, len(band))
        for part in (band[:a], band[b:], band[a:b, :x0], band[a:b, x1:]):
            if sought - found:
                there = part[np.isin(part, np.array(sorted(sought - found), labels.dtype))]
                found |= set(np.unique(there).tolist())
    return found


def _highest_in_memory(layer: Any) -> int:
    return max(len(layer.features) - 1, int(layer.data.max(initial=0)))


def _has_rows(step: Step) -> bool:
    return step.rows is not None and _has_table(step.layer)


def _has_table(layer: Any) -> bool:
    return can_be_reviewed(layer)


def _record(
    layer: Any, action: str, labels: Sequence[int], before: Mapping[str, Any], after: Mapping[str, Any]
) -> None:
    append_audit(layer.metadata, AuditRecord().add(action, labels, before, after))


def _needed(place: LabelsPlace | None) -> LabelsPlace:
    if place is None:
        raise EditError("These labels do not lie on disk.")
    return place
