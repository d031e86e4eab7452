"""The review of one labels layer: decisions, and edits of labels by hand or with napari's own tools. No Qt here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from napari_mpseg.errors import MpsegError
from napari_mpseg.gui.review_known import areas
from napari_mpseg.gui.review_measure import new_rows
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
        if not self._busy:
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
        if not pixels:
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
        before: list[pd.DataFrame] = []
        after: list[pd.DataFrame] = []
        counts = []
        for plane, edit in pixels:
            boxes = [self._box_painted(plane, label) for label in edit.affected]
            within = edits.union([edit.box, *(box for box in boxes if box[2])])
            rows, sizes = self._measured(plane, edit, within, {})
            before.append(rows_of(self.features, edit.affected))
            after.append(rows)
            counts.append(sizes)
        old: Frame = pd.concat(before)
        new: Frame = pd.concat(after)
        old, new = old[~old.index.duplicated()], new[~new.index.duplicated(keep="last")]
        self._write(new)
        labels = [int(label) for label in old.index]
        self._did(Step("paint", f"painting of {listed(labels)}", old, new, tuple(pixels)))
        self._record(
            "paint",
            labels,
            {"pixels": {label: size for sizes in counts for label, size in sizes[0].items()}},
            {"pixels": {label: size for sizes in counts for label, size in sizes[1].items()}},
        )

    # -- inside

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
        self._write_pixels(plane, edit)
        try:
            after, (old, new) = self._measured(plane, edit, within, parents or {})
            self._write(after)
        except BaseException:
            self._write_pixels(plane, edit.turned())  # no half of an edit stays
            self._write(before)
            raise
        self._did(Step(edit.action, text, before, after, ((plane, edit),)))
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

    def _box(self, plane: Plane, label: int, *, trusted: bool = False) -> edits.Box:
        """Return the rectangle of a label: the table's if it still holds, else looked for in the whole plane."""
        columns = ("bbox_y0", "bbox_x0", "bbox_y1", "bbox_x1")
        frame = self.features
        if all(name in frame for name in columns):
            values = [frame[name].iat[label] for name in columns]
            if not any(pd.isna(value) for value in values):
                y0, x0, y1, x1 = (int(value) for value in values)
                if trusted:
                    return y0, x0, y1, x1
                area = areas(frame)
                here = np.asarray(plane.pixels[y0:y1, x0:x1]) == label
                if area is not None and here.sum() == area[label]:
                    return y0, x0, y1, x1
        return edits.box_of(plane.pixels, label)

    def _box_painted(self, plane: Plane, label: int) -> edits.Box:
        """Return a rectangle that holds all of a label that was just painted, beside the stroke."""
        if self.is_there(label):
            return self._box(plane, label, trusted=True)
        try:
            return edits.box_of(plane.pixels, label)
        except EditError:  # nothing of it is left
            return 0, 0, 0, 0

    def _check_there(self, labels: Sequence[int]) -> None:
        reason = Plane.why_not(self.layer)
        if reason:
            raise EditError(reason)
        for label in labels:
            if not self.is_there(label):
                raise EditError(f"There is no particle {label}. Choose one that is there.")
