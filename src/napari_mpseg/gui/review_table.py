"""The table and the record of a layer that is reviewed. No Qt here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from napari_mpseg.errors import ImageError
from napari_mpseg.gui.review_assigned import note_assigned, own_at_first, with_own_column
from napari_mpseg.gui.review_known import Known, areas, as_edited, of_right_types
from napari_mpseg.gui.review_pixels import Plane, write_pixels
from napari_mpseg.gui.review_rows import write_rows
from napari_mpseg.gui.review_step import DECISIONS, Counts, Frame, Sources
from napari_mpseg.particles.classes.assigned import ASSIGNED
from napari_mpseg.particles.review.audit import append_audit, audit_of, own_record
from napari_mpseg.particles.review.columns import with_review_columns
from napari_mpseg.particles.review.edits import LabelEdit
from napari_mpseg.particles.table import ParticleTable


def can_be_reviewed(layer: Any) -> bool:
    """Whether a labels layer has a particle table."""
    features = getattr(layer, "features", None)
    return features is not None and "index" in features and len(features.columns) > 1


class ReviewTable:
    """Reads and writes the table and the record of one labels layer.

    Parameters and errors are those of :class:`~napari_mpseg.gui.review_state.ReviewState`.
    """

    def __init__(self, viewer: Any, layer: Any, sources: Sources | None = None) -> None:
        if not can_be_reviewed(layer):
            raise ImageError(f"Layer {layer.name!r} has no particle table yet. Measure it first.")
        self._viewer, self.layer = viewer, layer
        self.sources = sources or Sources()
        self._busy = False
        self.on_change: Callable[[], None] = lambda: None
        self.on_gone: Callable[[], None] = lambda: None
        own_record(layer.metadata)
        self.audit = audit_of(layer.metadata)
        self._decided_labels = self.audit.reviewed()
        self._decided: Counter[int] = Counter(dict.fromkeys(self._decided_labels, 1))
        self._stale: set[int] | None = None
        self._add_columns()
        self._own_at_first = own_at_first(self.features, layer.metadata)
        self._look_at_table()

    # -- what there is

    @property
    def features(self) -> Any:
        """The layer's features, a data frame: one row per label, row 0 the background."""
        return self.layer.features

    @property
    def has_table(self) -> bool:
        """Whether there is a table with decisions; somebody may have put something else in its place."""
        there = can_be_reviewed(self.layer) and set(DECISIONS) <= set(self.features.columns)
        return there and of_right_types(self.features)

    @property
    def decided(self) -> Collection[int]:
        """Labels that somebody decided on, some perhaps gone."""
        return self._decided_labels

    def is_there(self, label: int) -> bool:
        """Whether there is a particle of that number."""
        return self.has_table and 0 < label < len(self.features) and not pd.isna(self.features["keep"].iat[label])

    def rejected(self) -> np.ndarray:
        """Return for each row of the table whether the particle was rejected."""
        if not self.has_table:
            return np.zeros(0, bool)
        return np.asarray(self.features["keep"].eq(False).fillna(False), bool)

    def counts(self) -> Counts:
        """Return how many particles there are, reviewed, kept, rejected, and kept of each class."""
        if not self.has_table:
            return Counts(0, 0, 0, 0)
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

    def stale(self, pixels: Sequence[tuple[Plane, LabelEdit]] = ()) -> list[int]:
        """Return labels whose number of pixels is not that of the table: they were changed since it was measured.

        Parameters
        ----------
        pixels : sequence of (Plane, LabelEdit)
            Edits that were written already, but are not to count.
        """
        area, data = (areas(self.features) if self.has_table else None), self.layer.data
        if area is None or not isinstance(data, np.ndarray):
            return []
        rows = len(area)
        counts = np.zeros(rows + 1, np.int64)
        for part in np.array_split(data.reshape(-1), max(1, data.size // 2**22)):
            counts += np.bincount(np.minimum(part, rows).astype(np.int64), minlength=rows + 1)
        for _, edit in pixels:
            for values, sign in ((edit.before, 1), (edit.after, -1)):
                counts += sign * np.bincount(np.minimum(values, rows).astype(np.int64), minlength=rows + 1)
        labels = [int(label) for label in np.flatnonzero(counts[1:rows] != np.nan_to_num(area[1:])) + 1]
        self._stale = set(labels)
        return labels

    def _is_stale(self, label: int, pixels: Sequence[tuple[Plane, LabelEdit]] = ()) -> bool:
        """Whether a label is not as the table has it; looked up in the whole layer once, then followed."""
        if self._stale is None:
            self.stale(pixels)
        return self._stale is not None and label in self._stale

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
        if {"class", ASSIGNED} & set(rows.columns):
            note_assigned(self.layer.metadata, self.features, (int(label) for label in rows.index))
        self._look_at_table()

    def _count_labels(self, labels: Iterable[int], change: int) -> None:
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

    def _add_own(self) -> None:
        """Add the column that says which classes were given by hand, where it is missing."""
        if ASSIGNED in self.features:
            return
        known = self._known
        frame = with_own_column(self.features, self._own_at_first if known.own is None else known.own_classes)
        self._busy = True
        try:
            self.layer.features = frame
        finally:
            self._busy = False
        self._look_at_table()

    def _look_at_table(self) -> None:
        """Remember what is in the table, to find later what others changed."""
        self._known, self._frame = Known.of(self.features), self.features
