"""The review of one labels layer: decisions, and edits of labels by hand or with napari's own tools. No Qt here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from napari_mpseg.errors import MpsegError
from napari_mpseg.gui.review_known import areas
from napari_mpseg.gui.review_measure import measured_as, new_rows
from napari_mpseg.gui.review_others import is_written_elsewhere
from napari_mpseg.gui.review_pixels import Plane, plane_of, strokes
from napari_mpseg.gui.review_rows import MOST_EMPTY, rows_of
from napari_mpseg.gui.review_state import ReviewState
from napari_mpseg.gui.review_step import Frame, Sources, Step, listed
from napari_mpseg.particles.review import edits
from napari_mpseg.particles.review.edits import EditError, LabelEdit, edit_of_pixels


class ReviewSession(ReviewState):
    """Decisions and edits of labels, each measured, recorded and to be taken back.

    Parameters and errors are those of :class:`~napari_mpseg.gui.review_state.ReviewState`.
    """

    def __init__(self, viewer: Any, layer: Any, sources: Sources | None = None) -> None:
        self._strokes: list[tuple[Plane, LabelEdit]] = []
        super().__init__(viewer, layer, sources)

    def connect(self) -> None:
        """Follow what is painted too."""
        super().connect()
        self.layer.events.paint.connect(self._on_paint)
        self.layer.events.labels_update.connect(self._follow_strokes)

    def close(self) -> None:
        """Stop following the layer, once all that changed is in the record; :meth:`connect` goes on."""
        super().close()
        self.layer.events.paint.disconnect(self._on_paint)
        self.layer.events.labels_update.disconnect(self._follow_strokes)

    # -- edits of labels

    def merge(self, labels: Sequence[int]) -> int:
        """Make several particles one, and return its number.

        Raises
        ------
        EditError
            If that cannot be done; nothing is changed.
        """
        self._check_there(labels)
        planes = {plane_of(self.layer, label) for label in labels}
        if len(planes) > 1:
            raise EditError("Particles of different planes cannot be merged. Choose two of the same plane.")
        (plane,) = planes
        pixels = plane.pixels
        within = edits.union([self._box(plane, label) for label in labels])
        edit = edits.merge_labels(pixels, labels, within)
        target = min(int(label) for label in labels)
        self._edit(plane, edit, within, f"particles {listed(edit.affected)} merged")
        return target

    def split(self, label: int, line: Any) -> tuple[int, ...]:
        """Cut a particle along a line of pixel coordinates ``(N, 2)``, and return the numbers of the new parts.

        Raises
        ------
        EditError
            If the line does not part it; nothing is changed.
        """
        self._check_there([label])
        plane = plane_of(self.layer, label)
        within = self._box(plane, label)
        edit = edits.split_label(plane.pixels, label, line, self.unused(), within)
        parents = dict.fromkeys(edit.created, label)
        self._edit(plane, edit, within, f"particle {label} split into {listed(edit.affected)}", parents)
        return edit.created

    def delete(self, label: int) -> None:
        """Make a particle background.

        Raises
        ------
        EditError
            If that cannot be done.
        """
        self._check_there([label])
        plane = plane_of(self.layer, label)
        within = self._box(plane, label)
        self._edit(plane, edits.delete_label(plane.pixels, label, within), within, f"particle {label} deleted")

    def redraw(self, label: int, outline: Any) -> None:
        """Give a particle the pixels inside an outline of pixel coordinates ``(N, 2)``; other particles stay.

        Raises
        ------
        EditError
            If nothing would be left of it; nothing is changed.
        """
        self._check_there([label])
        plane = plane_of(self.layer, label)
        within = self._box(plane, label)
        mask, origin = edits.outline_mask(outline)
        edit = edits.redraw_label(plane.pixels, label, mask, origin, within)
        if not len(edit):
            raise EditError(f"The outline is the one that particle {label} has already.")
        self._edit(plane, edit, edits.union([within, edit.box]), f"particle {label} redrawn")

    def unused(self) -> int:
        """Return a number above all labels in use, but for labels far beyond the table."""
        rows = len(self.features)
        if not isinstance(self.layer.data, np.ndarray):
            return rows
        near = self.layer.data[(self.layer.data >= rows) & (self.layer.data < rows + MOST_EMPTY)]
        return max(rows - 1, int(near.max(initial=0))) + 1

    # -- painting with napari's tools

    def _on_paint(self, event: Any) -> None:
        """Take note of a stroke; napari tells of some before their pixels are written."""
        if not self._busy and self.has_table and not is_written_elsewhere(self.layer):
            self._strokes += strokes(self.layer, event.value)
            self._follow_strokes()

    def _follow_strokes(self, event: Any = None) -> None:
        """Bring table and record in step with what was painted."""
        written = [np.array_equal(plane.values(edit.y, edit.x), edit.after) for plane, edit in self._strokes]
        if self._busy or not written or not all(written):
            return
        pixels, self._strokes = self._strokes, []
        self._take_in(pixels)

    def _take_in(self, pixels: Sequence[tuple[Plane, LabelEdit]]) -> None:
        self.notice()
        if not pixels or not self.has_table:
            return
        try:
            self._painted(pixels)
        except MpsegError as error:
            labels = sorted({label for _, edit in pixels for label in edit.affected})
            self._record("paint", labels, note=f"painted, but the table could not follow: {error}")
        self.on_change()

    def _settle(self) -> None:
        """Take in strokes that were painted over before they could be followed, as they are now."""
        pixels, self._strokes = self._strokes, []
        if pixels and not self._busy:
            told = [(plane, edit_of_pixels("paint", e.y, e.x, e.before, plane.values(e.y, e.x))) for plane, e in pixels]
            self._take_in([one for one in told if len(one[1])])

    def _painted(self, pixels: Sequence[tuple[Plane, LabelEdit]]) -> None:
        was_stale = self._any_stale(pixels)
        new, counts = self._measured_all(pixels)
        old: Frame = rows_of(self.features, [int(label) for label in new.index])
        self._write(new)
        labels = [int(label) for label in old.index]
        text = f"painting of {listed(labels)}"
        self._did(Step("paint", text, old, new, tuple(pixels), None if was_stale else self._measured_as()))
        self._record(
            "paint",
            labels,
            {"pixels": {label: size for sizes in counts for label, size in sizes[0].items()}},
            {"pixels": {label: size for sizes in counts for label, size in sizes[1].items()}},
        )

    # -- inside

    def _measured_all(self, pixels: Sequence[tuple[Plane, LabelEdit]]) -> tuple[Frame, list[Any]]:
        """Return the new rows of all labels that several edits changed, and their sizes before and after."""
        after: list[pd.DataFrame] = []
        counts = []
        for plane, edit in pixels:
            boxes = [self._box_painted(plane, label, pixels) for label in edit.affected]
            within = edits.union([edit.box, *(box for box in boxes if box[2])])
            rows, sizes = self._measured(plane, edit, within, {})
            after.append(rows)
            counts.append(sizes)
        new: Frame = pd.concat(after)
        new = new[~new.index.duplicated(keep="last")]
        self._fresh(new.index)
        return new, counts

    def _measured_rows(self, ways: Sequence[tuple[Plane, LabelEdit]]) -> Frame:
        # as painting: what a merge or a split does to decisions is not to be done here
        return self._measured_all([(plane, replace(edit, action="paint")) for plane, edit in ways])[0]

    def _measured_as(self) -> Any:
        return measured_as(self.features, self.layer)

    def _any_stale(self, pixels: Sequence[tuple[Plane, LabelEdit]], *, written: bool = True) -> bool:
        """Whether a label was not as the table had it before it was edited."""
        affected = {label for _, edit in pixels for label in edit.affected}
        return any(self._is_stale(label, pixels if written else ()) for label in affected)

    def _fresh(self, labels: Any) -> None:
        """Take note that rows were measured from all pixels of their labels."""
        if self._stale is not None:
            self._stale -= {int(label) for label in labels}

    def _edit(
        self,
        plane: Plane,
        edit: LabelEdit,
        within: edits.Box,
        text: str,
        parents: Mapping[int, int] | None = None,
    ) -> None:
        self.notice()
        before = rows_of(self.features, edit.affected)
        was_stale = self._any_stale(((plane, edit),), written=False)
        self._write_pixels(plane, edit)
        try:
            after, (old, new) = self._measured(plane, edit, within, parents or {})
            self._write(after)
        except BaseException:
            self._write_pixels(plane, edit.turned())  # no half of an edit stays
            self._write(before)
            raise
        self._fresh(edit.affected)
        self._did(Step(edit.action, text, before, after, ((plane, edit),), None if was_stale else self._measured_as()))
        self._record(edit.action, edit.affected, {"pixels": old}, {"pixels": new})

    def _measured(
        self, plane: Plane, edit: LabelEdit, within: edits.Box, parents: Mapping[int, int]
    ) -> tuple[Frame, tuple[dict[int, int], dict[int, int]]]:
        """Return the new rows of all labels that an edit changed, and their sizes before and after."""
        rows = new_rows(self.layer, self.features, self.sources, plane, edit, within, parents)
        y0, x0, y1, x1 = within
        window = np.asarray(plane.pixels[y0:y1, x0:x1])
        after = {label: int((window == label).sum()) for label in edit.affected}
        gained = {label: int((edit.after == label).sum() - (edit.before == label).sum()) for label in edit.affected}
        before = {label: after[label] - gained[label] for label in edit.affected}
        return rows, (before, after)

    def _box(self, plane: Plane, label: int) -> edits.Box:
        """Return the rectangle of a label: the table's if it still holds, else looked for in the whole plane."""
        found, area = self._box_in_table(label), areas(self.features)
        if found is not None and area is not None and not self._is_stale(label):
            y0, x0, y1, x1 = found
            if (np.asarray(plane.pixels[y0:y1, x0:x1]) == label).sum() == area[label]:
                return found
        return edits.box_of(plane.pixels, label)

    def _box_painted(self, plane: Plane, label: int, pixels: Sequence[tuple[Plane, LabelEdit]]) -> edits.Box:
        """Return a rectangle that holds all of a label that was just painted, beside the stroke."""
        found = self._box_in_table(label) if self.is_there(label) else None
        # where the label lay before the stroke, if all of it did; only labels in memory are known so well
        if found is not None and isinstance(self.layer.data, np.ndarray) and not self._is_stale(label, pixels):
            return found
        try:
            return edits.box_of(plane.pixels, label)
        except EditError:  # nothing of it is left
            return 0, 0, 0, 0

    def _box_in_table(self, label: int) -> edits.Box | None:
        columns = ("bbox_y0", "bbox_x0", "bbox_y1", "bbox_x1")
        frame = self.features
        if not all(name in frame for name in columns) or label >= len(frame):
            return None
        values = [frame[name].iat[label] for name in columns]
        if any(pd.isna(value) for value in values):
            return None
        y0, x0, y1, x1 = (int(value) for value in values)
        return y0, x0, y1, x1

    def _check_there(self, labels: Sequence[int]) -> None:
        reason = Plane.why_not(self.layer)
        if reason:
            raise EditError(reason)
        for label in labels:
            if not self.is_there(label):
                raise EditError(f"There is no particle {label}. Choose one that is there.")
