"""Decisions of a review, undo, and the record, which also holds what others change meanwhile. No Qt here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from napari_mpseg.errors import ImageError
from napari_mpseg.gui.review_known import Known, areas, as_edited, differences
from napari_mpseg.gui.review_pixels import Plane, write_pixels
from napari_mpseg.gui.review_rows import rows_of, write_rows
from napari_mpseg.gui.review_step import DECISIONS, Counts, Frame, Sources, Step, decisions_by_label, decisions_in
from napari_mpseg.particles.review.audit import DECIDING, append_audit, audit_of
from napari_mpseg.particles.review.columns import with_review_columns
from napari_mpseg.particles.review.definitions import UNCLASSIFIED
from napari_mpseg.particles.review.edits import EditError, LabelEdit
from napari_mpseg.particles.table import ParticleTable

_OWN = "class_assigned"  # whether the user gave the class, where classifying put that column
_MANY = 50  # cells changed at once elsewhere that are written down one by one


def can_be_reviewed(layer: Any) -> bool:
    """Whether a labels layer has a particle table."""
    features = getattr(layer, "features", None)
    return features is not None and "index" in features and len(features.columns) > 1


class ReviewState:
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
        if not can_be_reviewed(layer):
            raise ImageError(f"Layer {layer.name!r} has no particle table yet. Measure it first.")
        self._viewer, self.layer = viewer, layer
        self.sources = sources or Sources()
        self._done: list[Step] = []
        self._undone: list[Step] = []
        self._busy = False
        self.on_change: Callable[[], None] = lambda: None
        self.audit = audit_of(layer.metadata)
        self._decided_labels = self.audit.reviewed()
        self._decided: Counter[int] = Counter(dict.fromkeys(self._decided_labels, 1))
        self._add_columns()
        self._known = self._snapshot()
        self.connect()

    # -- what there is

    @property
    def features(self) -> Any:
        """The layer's features, a data frame: one row per label, row 0 the background."""
        return self.layer.features

    @property
    def decided(self) -> Collection[int]:
        """Labels that somebody decided on, some perhaps gone."""
        return self._decided_labels

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

    def is_there(self, label: int) -> bool:
        """Whether there is a particle of that number."""
        return 0 < label < len(self.features) and not pd.isna(self.features["keep"].iat[label])

    def rejected(self) -> np.ndarray:
        """Return for each row of the table whether the particle was rejected."""
        return np.asarray(self.features["keep"].eq(False).fillna(False), bool)

    def counts(self) -> Counts:
        """Return how many particles there are, reviewed, kept, rejected, and kept of each class."""
        there = self.features["keep"].notna().to_numpy().copy()
        there[:1] = False
        rejected = self.rejected()
        classes = self.features["class"][there & ~rejected].value_counts(sort=False)
        reviewed = sum(1 for label in self._decided_labels if label < len(there) and there[label])
        return Counts(
            int(there.sum()),
            reviewed,
            int((there & ~rejected).sum()),
            int((there & rejected).sum()),
            {str(name): int(count) for name, count in classes.items()},
        )

    def stale(self) -> list[int]:
        """Return labels whose number of pixels is not that of the table: they were changed since it was measured."""
        area, data = areas(self.features), self.layer.data
        if area is None or not isinstance(data, np.ndarray):
            return []
        rows = len(area)
        counts = np.zeros(rows + 1, np.int64)
        for part in np.array_split(data.reshape(-1), max(1, data.size // 2**22)):
            counts += np.bincount(np.minimum(part, rows).astype(np.int64), minlength=rows + 1)
        return [int(label) for label in np.flatnonzero(counts[1:rows] != np.nan_to_num(area[1:])) + 1]

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
        columns = [name for name in (*DECISIONS, _OWN) if name in self.features]
        before = rows_of(self.features, [label], columns)
        after = before.copy()
        action, text = "accept", "kept"
        if keep is not None:
            after["keep"] = keep
            action, text = ("accept", "kept") if keep else ("reject", "rejected")
        if to_class is not None:
            after["class"] = to_class
            if _OWN in after:
                after[_OWN] = True
            action, text = "class", f"is {to_class}"
        self._write(after)
        self._did(Step(action, f"particle {label} {text}", before, after))
        self._record(action, [label], decisions_in(before, label), decisions_in(after, label))

    def add_class(self, name: str) -> None:
        """Offer one more class, without giving it to any particle."""
        self.notice()
        if name not in self.features["class"].cat.categories:
            self._busy = True
            try:
                self.layer.features = self.features.assign(
                    **{"class": self.features["class"].cat.add_categories([name])}
                )
            finally:
                self._busy = False
            self._known = self._snapshot()

    # -- back and forth

    def undo(self) -> Step | None:
        """Take the last step back and return it; None if there is none.

        Raises
        ------
        EditError
            If its pixels were changed by something else meanwhile; the step is then left out, nothing is changed.
        """
        return self._replay(self._done, self._undone, "undo")

    def redo(self) -> Step | None:
        """Do the step again that was taken back last, and return it; raises as :meth:`undo`."""
        return self._replay(self._undone, self._done, "redo")

    def _replay(self, source: list[Step], target: list[Step], action: str) -> Step | None:
        self.notice()
        if not source:
            return None
        step = source.pop()
        back = action == "undo"
        ways = [(plane, edit.turned() if back else edit) for plane, edit in step.pixels]
        for plane, edit in ways:
            if not np.array_equal(plane.values(edit.y, edit.x), edit.before):
                raise EditError(
                    f"“{step.text}” cannot be {'taken back' if back else 'done again'}: these pixels were changed "
                    "since by something else. The step was left out."
                )
        rows = step.before if back else step.after
        for plane, edit in reversed(ways) if back else ways:
            self._write_pixels(plane, edit)
        now = rows_of(self.features, step.labels, rows.columns)
        self._write(rows)
        target.append(step)
        self._count(step, -1 if back else 1)
        self._record(
            action, step.labels, {"action": step.action, **decisions_by_label(now)}, decisions_by_label(rows), step.text
        )
        return step

    # -- changes made elsewhere

    def connect(self) -> None:
        """Follow tables that are put in the place of this one."""
        self.layer.events.features.connect(self._on_features)

    def close(self) -> None:
        """Stop following the layer, once all that changed is in the record; :meth:`connect` goes on."""
        self.notice()
        self.layer.events.features.disconnect(self._on_features)

    def notice(self) -> int:
        """Write down what was edited in napari's own table, which tells nobody, and return how many cells that were."""
        if not can_be_reviewed(self.layer) or not set(DECISIONS) <= set(self.features.columns):
            return 0
        self._settle()
        known, now = self._known, self._snapshot()
        changed = differences(known, now)
        self._known = now
        if not changed:
            return 0
        labels = sorted({label for label, _, _, _ in changed})
        if len(labels) > _MANY:
            self._record_many(changed)
        else:
            for label in labels:
                mine = [one for one in changed if one[0] == label]
                self._count_labels([label], 1)
                self._record("table", [label], {n: b for _, n, b, _ in mine}, {n: a for _, n, _, a in mine})
                self._mark_own(label, [name for _, name, _, _ in mine])
        self.on_change()
        return len(changed)

    def _settle(self) -> None:
        """Finish what is still to be taken note of, before anything else is."""

    def _mark_own(self, label: int, names: Sequence[str]) -> None:
        if "class" in names and _OWN in self.features and self.features[_OWN].iat[label] is not True:
            self._write(rows_of(self.features, [label], [_OWN]).assign(**{_OWN: True}))

    def _record_many(self, changed: Sequence[tuple[int, str, Any, Any]]) -> None:
        before: dict[str, Counter[str]] = {}
        after: dict[str, Counter[str]] = {}
        for _, name, was, now in changed:
            before.setdefault(name, Counter())[str(was)] += 1
            after.setdefault(name, Counter())[str(now)] += 1
        number = len({label for label, _, _, _ in changed})
        self._record("found", (), before, after, f"{number:,} particles, changed together outside this review")

    def _on_features(self, event: Any = None) -> None:
        if self._busy:
            return
        if not can_be_reviewed(self.layer):
            return
        if any(name not in self.features for name in DECISIONS):
            self._carry_over()
        self._add_columns()  # in the types that napari's table can edit
        self.notice()

    def _carry_over(self) -> None:
        """Put decisions back into a table that was measured anew without them, where the particle is the same."""
        known = self._known
        self._add_columns()
        rows = len(self.features)
        carried = [label for label in known.labels if label < rows and self.is_there(label)]
        area = areas(self.features)
        if area is not None and known.area is not None:
            carried = [label for label in carried if area[label] == known.area[label]]
        values: Frame = pd.DataFrame(
            {
                "class": [known.value("class", one) for one in carried],
                "keep": [known.keep[one] == 1 for one in carried],
            },
            index=carried,
            dtype=object,
        )
        values = values[(values["keep"] == False) | ~values["class"].isin([None, UNCLASSIFIED])]  # noqa: E712 - a column, not a truth
        if len(values):
            self._write(values)
        self._known = self._snapshot()
        self._record("found", (), note=f"The table was made anew; decisions on {len(values):,} particles were kept.")
        self.on_change()

    # -- inside

    def _write_pixels(self, plane: Plane, edit: LabelEdit) -> None:
        self._busy = True
        try:
            write_pixels(self.layer, plane, edit)
        finally:
            self._busy = False

    def _write(self, rows: Frame) -> None:
        self._busy = True
        try:
            write_rows(self._viewer, self.layer, rows)
        finally:
            self._busy = False
        self._known = self._snapshot()

    def _did(self, step: Step) -> None:
        self._done.append(step)
        self._undone.clear()
        self._count(step, 1)

    def _count(self, step: Step, change: int) -> None:
        if step.action in DECIDING:
            self._count_labels(step.labels, change)

    def _count_labels(self, labels: Sequence[int], change: int) -> None:
        for label in labels:
            self._decided[int(label)] += change
            (self._decided_labels.add if self._decided[int(label)] > 0 else self._decided_labels.discard)(int(label))

    def _record(
        self,
        action: str,
        labels: Sequence[int],
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
        note: str = "",
    ) -> None:
        append_audit(self.layer.metadata, self.audit.add(action, labels, before, after, note))

    def _add_columns(self) -> None:
        if all(name in self.features for name in DECISIONS) and as_edited(self.features):
            return
        table = ParticleTable.from_features(self.features)
        frame = with_review_columns(table).to_features()
        self._busy = True
        try:
            self.layer.features = frame.reindex(range(max(len(frame), len(self.features)))).assign(
                index=np.arange(max(len(frame), len(self.features)))
            )
        finally:
            self._busy = False

    def _snapshot(self) -> Known:
        return Known.of(self.features)
