"""Decisions on boxes, as decisions on the labels in them. No Qt here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from napari_mpseg.gui.review_rows import rows_of
from napari_mpseg.gui.review_session import ReviewSession
from napari_mpseg.gui.review_step import DECISIONS, Step, decisions_by_label
from napari_mpseg.particles.review.edits import EditError


class CountSession(ReviewSession):
    """A review in which several particles are decided on together: those of one box.

    Parameters and errors are those of :class:`~napari_mpseg.gui.review_state.ReviewState`.
    """

    def decide_together(self, labels: Sequence[int], *, keep: bool, text: str) -> None:
        """Keep or reject several particles in one step.

        Raises
        ------
        EditError
            If none of them is there.
        """
        self.notice()
        there = [label for label in labels if self.is_there(label)]
        if not there:
            raise EditError("The particles of this box are gone: the labels were changed since. Count again.")
        before = rows_of(self.features, there, [name for name in DECISIONS if name in self.features])
        after = before.copy()
        after["keep"] = keep
        self._write(after)
        action = "accept" if keep else "reject"
        self._did(Step(action, text, before, after))
        self._record(action, there, decisions_by_label(before), decisions_by_label(after), f"{text}, as a box")

    def keep_of(self, labels: Sequence[int]) -> dict[int, bool]:
        """Return which labels are kept; those that are gone are not."""
        keep = self.features["keep"].fillna(False).to_numpy(bool) if self.has_table else ()
        return {label: bool(0 < label < len(keep) and keep[label]) for label in labels}

    def note_box(self, before: Mapping[str, Any], after: Mapping[str, Any], note: str) -> None:
        """Write down what was done to a box that has no labels, or to the corners of one."""
        self._record("box", (), before, after, note)
