"""The review of a count: boxes that are accepted, rejected, drawn and moved, with undo. No Qt here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from napari_mpseg.errors import SettingsError
from napari_mpseg.gui.count_session import CountSession
from napari_mpseg.particles.counting.boxes import CORNERS, DRAWN, CountedBoxes
from napari_mpseg.particles.counting.record import keep_count

Row = Mapping[str, Any]


@dataclass(frozen=True)
class BoxStep:
    """One step that can be taken back.

    Attributes
    ----------
    number : int
        Of the box.
    text : str
        For the user.
    before, after : mapping or None
        The row of the box; None where it is not there. Both None: a decision on its labels, which the session of these
        takes back.
    """

    number: int
    text: str
    before: Row | None = None
    after: Row | None = None

    @property
    def of_labels(self) -> bool:
        """Whether the session of the labels takes it back."""
        return self.before is None and self.after is None


class CountReview:
    """Boxes of one labels layer, whose decisions are those on its particles.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
    layer : napari.layers.Labels
        With a particle table. The boxes are kept in its metadata, so that they are saved with it.
    boxes : CountedBoxes
        Found on these labels, or loaded with them.

    Attributes
    ----------
    on_change : callable
        Called with the numbers of boxes whose row is another one.

    Raises
    ------
    ImageError
        If the layer has no particle table.
    """

    def __init__(self, viewer: Any, layer: Any, boxes: CountedBoxes) -> None:
        self.session = CountSession(viewer, layer)
        self.layer = layer
        self.boxes = boxes
        self.on_change: Callable[[Sequence[int]], None] = lambda numbers: None
        self._done: list[BoxStep] = []
        self._undone: list[BoxStep] = []
        self._busy = False
        self.boxes = self._synced()
        self.session.on_change = self.sync
        layer.events.features.connect(self._on_features)
        self.store()

    # -- what there is

    @property
    def frame(self) -> pd.DataFrame:
        """The boxes, see :class:`~napari_mpseg.particles.counting.boxes.CountedBoxes`."""
        return self.boxes.frame

    def row(self, number: int) -> Row | None:
        """Return the row of a box, or None if there is no such box."""
        places = np.flatnonzero(self.frame["number"].to_numpy() == number)
        return None if not len(places) else dict(self.frame.iloc[int(places[0])])

    def order(self) -> list[int]:
        """Return the numbers of all boxes, the least sure first."""
        return [int(number) for number in self.boxes.least_sure_first().frame["number"]]

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        """Whether there is a step to do again."""
        return bool(self._undone)

    # -- decisions

    def decide(self, number: int, *, keep: bool) -> str:
        """Accept or reject a box, with all particles in it; return what was done.

        Raises
        ------
        EditError
            If its particles are gone.
        SettingsError
            If there is no such box.
        """
        row = self._there(number)
        text = f"box {number} {'accepted' if keep else 'rejected'}"
        if row["origin"] == DRAWN or not row["labels"]:
            self._change(number, row, {**row, "keep": keep, "reviewed": True}, text)
            return text
        labels = row["labels"]
        self._busy = True
        try:
            self.session.decide_together(labels, keep=keep, text=text)
        finally:
            self._busy = False
        self._did(BoxStep(number, text))
        self.sync()
        return text

    def take_decisions(self, decisions: Mapping[int, bool], text: str) -> None:
        """Decide on labels as was decided on them elsewhere; in the record, but no step of this review."""
        self._busy = True
        try:
            for keep in (True, False):
                labels = [label for label, kept in decisions.items() if kept is keep and self.session.is_there(label)]
                if labels:
                    self.session.decide_together(labels, keep=keep, text=text)
        finally:
            self._busy = False
        self.sync()
        self.store()

    def draw(self, corners: Sequence[float]) -> int:
        """Add a box that was drawn by hand, and return its number.

        Raises
        ------
        SettingsError
            If it has no area.
        """
        more = self.boxes.with_drawn([corners])
        number = int(more.frame["number"].iloc[-1])
        # numbers of boxes that were taken away, and may come back, are not used again
        used = [step.number for step in (*self._done, *self._undone)]
        if number in used:
            number = max(used) + 1
        self._change(number, None, {**dict(more.frame.iloc[-1]), "number": number}, f"box {number} drawn")
        return number

    def move(self, number: int, corners: Sequence[float]) -> None:
        """Give a box other corners."""
        row = self._there(number)
        new = dict(zip(CORNERS, map(float, corners), strict=True))
        if any(row[name] != new[name] for name in CORNERS):
            self._change(number, row, {**row, **new, "moved": True}, f"box {number} moved")

    def take_away(self, number: int) -> str:
        """Take a drawn box away, or reject a found one."""
        row = self._there(number)
        if row["origin"] != DRAWN:
            return self.decide(number, keep=False) if row["keep"] else ""
        self._change(number, row, None, f"box {number} taken away")
        return f"box {number} taken away"

    # -- back and forth

    def undo(self) -> BoxStep | None:
        """Take the last step back and return it; None if there is none."""
        return self._replay(self._done, self._undone, back=True)

    def redo(self) -> BoxStep | None:
        """Do the step again that was taken back last, and return it; None if there is none."""
        return self._replay(self._undone, self._done, back=False)

    def _replay(self, source: list[BoxStep], target: list[BoxStep], *, back: bool) -> BoxStep | None:
        if not source:
            return None
        step = source[-1]
        if step.of_labels:
            self._busy = True
            try:
                (self.session.undo if back else self.session.redo)()
            finally:
                self._busy = False
        else:
            self._put(step.number, *((step.after, step.before) if back else (step.before, step.after)))
            self.session.note_box({"action": "box"}, {}, f"{step.text}: {'taken back' if back else 'done again'}")
        target.append(source.pop())
        self.sync()
        if not step.of_labels:
            self.on_change([step.number])
        return step

    # -- following the table

    def sync(self) -> None:
        """Take over what was decided on the particles, here or elsewhere."""
        if self._busy:
            return
        before, self.boxes = self.boxes.frame, self._synced()
        differ = (before[["keep", "reviewed"]] != self.frame[["keep", "reviewed"]]).any(axis=1)
        if differ.any():
            self.on_change([int(number) for number in self.frame["number"][differ]])

    def store(self) -> None:
        """Keep the boxes with the labels."""
        keep_count(self.layer.metadata, self.boxes)

    def close(self) -> None:
        """Stop following the layer; everything is kept with it."""
        self.layer.events.features.disconnect(self._on_features)
        self.session.on_change = lambda: None
        self.session.close()
        self.store()

    # -- inside

    def _synced(self) -> CountedBoxes:
        labels = [label for labels in self.boxes.frame["labels"] for label in labels]
        return self.boxes.decided(self.session.keep_of(labels), self.session.decided)

    def _on_features(self, event: Any = None) -> None:
        self.sync()

    def _there(self, number: int) -> Row:
        row = self.row(number)
        if row is None:
            raise SettingsError(f"There is no box {number}. Choose one that is there.")
        return row

    def _change(self, number: int, before: Row | None, after: Row | None, text: str) -> None:
        self._put(number, before, after)
        self.session.note_box(_told(before), _told(after), text)
        self._did(BoxStep(number, text, before, after))
        self.on_change([number])

    def _put(self, number: int, before: Row | None, after: Row | None) -> None:
        """Write the row of a box, or take it out."""
        frame = self.frame
        if before is not None:
            frame = frame[frame["number"] != number]
        if after is not None:
            row = pd.DataFrame([after]).astype(frame.dtypes.to_dict())
            frame = pd.concat([frame, row]).sort_values("number", kind="stable") if len(frame) else row
        self.boxes = replace(self.boxes, frame=frame.reset_index(drop=True))
        self.store()

    def _did(self, step: BoxStep) -> None:
        self._done.append(step)
        self._undone.clear()


def _told(row: Row | None) -> dict[str, Any]:
    if row is None:
        return {}
    return {"number": int(row["number"]), "box": [float(row[name]) for name in CORNERS], "keep": bool(row["keep"])}
