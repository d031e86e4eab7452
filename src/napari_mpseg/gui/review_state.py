"""Decisions of a review, and undo. No Qt here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from napari_mpseg.gui.review_assigned import is_given
from napari_mpseg.gui.review_follow import FollowedTable
from napari_mpseg.gui.review_measure import measured_as
from napari_mpseg.gui.review_pixels import Plane
from napari_mpseg.gui.review_replay import left_as_it_is, measured_again, restored, same_rows
from napari_mpseg.gui.review_rows import rows_of
from napari_mpseg.gui.review_step import DECISIONS, Frame, Sources, Step, decisions_by_label, decisions_in
from napari_mpseg.gui.review_table import can_be_reviewed
from napari_mpseg.particles.classes.assigned import ASSIGNED
from napari_mpseg.particles.review.audit import DECIDING
from napari_mpseg.particles.review.edits import EditError, LabelEdit

__all__ = ["ReviewState", "can_be_reviewed"]

_Ways = Sequence[tuple[Plane, LabelEdit]]


class ReviewState(FollowedTable):
    """Decisions on the particles of one labels layer, in its table and in its record.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
        Where it is shown.
    layer : napari.layers.Labels
        With a particle table, see :func:`can_be_reviewed`. Columns ``class`` and ``keep`` are added if missing.
    sources : Sources
        Where edited particles are measured from.

    Raises
    ------
    ImageError
        If the layer has no particle table.
    """

    def __init__(self, viewer: Any, layer: Any, sources: Sources | None = None) -> None:
        self._done: list[Step] = []
        self._undone: list[Step] = []
        super().__init__(viewer, layer, sources)

    # -- what was done

    @property
    def last_text(self) -> str:
        """What was done last, as a sentence."""
        return f"{self._done[-1].text[:1].upper()}{self._done[-1].text[1:]}." if self._done else ""

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        """Whether there is a step to do again."""
        return bool(self._undone)

    # -- decisions

    def decide(self, label: int, *, keep: bool | None = None, to_class: str | None = None) -> None:
        """Keep or reject a particle, or give it a class.

        Raises
        ------
        EditError
            If there is no such particle.
        """
        self.notice()
        if not self.is_there(label):
            raise EditError(f"There is no particle {label}. Choose one that is there.")
        if to_class is not None:
            self._add_own()
        columns = [name for name in (*DECISIONS, ASSIGNED) if name in self.features]
        before = rows_of(self.features, [label], columns)
        after = before.copy()
        action, text = "accept", "kept"
        if keep is not None:
            after["keep"] = keep
            action, text = ("accept", "kept") if keep else ("reject", "rejected")
        if to_class is not None:
            after["class"] = to_class
            after[ASSIGNED] = is_given(to_class)
            action, text = "class", f"is {to_class}"
        self._write(after)
        self._did(Step(action, f"particle {label} {text}", before, after))
        self._record(action, [label], decisions_in(before, label), decisions_in(after, label))

    def add_class(self, name: str) -> None:
        """Offer one more class, without giving it to any particle."""
        self.notice()
        if self.has_table and name not in self.features["class"].cat.categories:
            self._busy = True
            try:
                self.layer.features = self.features.assign(
                    **{"class": self.features["class"].cat.add_categories([name])}
                )
            finally:
                self._busy = False
            self._look_at_table()

    # -- back and forth

    def undo(self) -> Step | None:
        """Take the last step back and return it; None if there is none.

        Decisions that were changed since by somebody else stay as they are.

        Raises
        ------
        EditError
            If its pixels were changed by something else meanwhile; the step is then left out. If the labels have
            another shape now, or the table is gone; the step is then kept. Nothing is changed.
        """
        return self._replay(self._done, self._undone, "undo")

    def redo(self) -> Step | None:
        """Do the step again that was taken back last, and return it; raises as :meth:`undo`."""
        return self._replay(self._undone, self._done, "redo")

    def _replay(self, source: list[Step], target: list[Step], action: str) -> Step | None:
        self.notice()
        if not source:
            return None
        step, back = source[-1], action == "undo"
        if not self.has_table:
            raise EditError("This layer has no particle table any more. Measure it, then go on.")
        ways = [(plane, edit.turned() if back else edit) for plane, edit in step.pixels]
        self._check_pixels(step, ways, source, "taken back" if back else "done again")
        to, other = (step.before, step.after) if back else (step.after, step.before)
        columns = list(self.features.columns if ways else other.columns)
        now = rows_of(self.features, step.labels, columns)
        self._replace(step, ways[::-1] if back else ways, now, to, other)
        target.append(source.pop())
        self._count(step, -1 if back else 1)
        rows = rows_of(self.features, step.labels, columns)
        left = left_as_it_is(now, to, other)
        self._record(
            action,
            step.labels,
            {"action": step.action, **decisions_by_label(now)},
            decisions_by_label(rows),
            f"{step.text}. {left}" if left else step.text,
        )
        return step

    def _check_pixels(self, step: Step, ways: _Ways, source: list[Step], what: str) -> None:
        for plane, edit in ways:
            try:
                unchanged = np.array_equal(plane.values(edit.y, edit.x), edit.before)
            except IndexError as error:
                raise EditError(
                    f"“{step.text}” cannot be {what}: these labels were changed since by something else and have "
                    "another size now. The step is kept for when they have the size again."
                ) from error
            if not unchanged:
                source.pop()
                raise EditError(
                    f"“{step.text}” cannot be {what}: these pixels were changed since by something else. The step was "
                    "left out."
                )

    def _replace(self, step: Step, ways: _Ways, now: Frame, to: Frame, other: Frame) -> None:
        """Write pixels and rows of a step; neither, if one fails."""
        as_it_was = step.measured_as is not None and step.measured_as == measured_as(self.features, self.layer)
        for plane, edit in ways:
            self._write_pixels(plane, edit)
        try:
            rows = restored(now, to, other, pixels=bool(ways))
            if ways and not (as_it_was and same_rows(now, other)):
                rows = measured_again(rows, self._measured_rows(ways), now, to, other)
            self._write(rows[[label < len(self.features) or bool(ways) for label in rows.index]])
        except BaseException:
            for plane, edit in reversed(ways):
                self._write_pixels(plane, edit.turned())
            self._write(now[[label < len(self.features) for label in now.index]])
            raise

    def _measured_rows(self, ways: _Ways) -> Frame:
        """Return the rows of all labels that edits changed, measured as they are now."""
        raise NotImplementedError

    # -- inside

    def _did(self, step: Step) -> None:
        self._done.append(step)
        self._undone.clear()
        self._count(step, 1)

    def _count(self, step: Step, change: int) -> None:
        if step.action in DECIDING:
            self._count_labels(step.labels, change)
