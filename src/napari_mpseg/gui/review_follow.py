"""Changes that others make in the table of a layer while it is reviewed: taken over, and written down. No Qt here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from napari_mpseg.errors import MpsegError
from napari_mpseg.gui.review_assigned import all_given, is_given
from napari_mpseg.gui.review_known import Known, areas, differences
from napari_mpseg.gui.review_rows import rows_of
from napari_mpseg.gui.review_step import DECISIONS, Frame, Sources
from napari_mpseg.gui.review_table import ReviewTable, can_be_reviewed
from napari_mpseg.particles.classes.assigned import ASSIGNED
from napari_mpseg.particles.review.definitions import UNCLASSIFIED

_MANY = 50  # particles changed at once elsewhere that are written down one by one
_Change = tuple[int, str, Any, Any]  # label, column, before, after


class FollowedTable(ReviewTable):
    """Follows the table of a layer, whoever changes it.

    Parameters and errors are those of :class:`~napari_mpseg.gui.review_state.ReviewState`.
    """

    def __init__(self, viewer: Any, layer: Any, sources: Sources | None = None) -> None:
        super().__init__(viewer, layer, sources)
        self.connect()

    def connect(self) -> None:
        """Follow tables that are put in the place of this one, and take over the one that was meanwhile."""
        self.layer.events.features.connect(self._on_features)
        self.layer.events.data.connect(self._on_data)
        self._stale = None
        if self.features is not self._frame or not self.has_table:
            self._take_table()

    def close(self) -> None:
        """Stop following the layer, once all that changed is in the record; :meth:`connect` goes on."""
        self.notice()
        self.layer.events.features.disconnect(self._on_features)
        self.layer.events.data.disconnect(self._on_data)

    def notice(self) -> int:
        """Write down what was edited in napari's own table, which tells nobody, and return how many cells that were."""
        if not self.has_table:
            return 0
        self._settle()
        replaced, known = self.features is not self._frame, self._known
        now = Known.of(self.features)
        changed = differences(known, now)
        self._look_at_table()
        if not changed:
            return 0
        # particles that came or went with their pixels were decided on by nobody
        was, is_now = _particles(known), _particles(now)
        changed = [one for one in changed if was[one[0]] and is_now[one[0]]]
        decisions, others = self._sorted(changed, replaced)
        if others:
            self._record_many("found", others, "given by rules or by a classifier")
        if decisions:
            self._take_over(decisions, known, replaced)
        self.on_change()
        return len(changed)

    def _settle(self) -> None:
        """Finish what is still to be taken note of, before anything else is."""

    def _sorted(self, changed: list[_Change], replaced: bool) -> tuple[list[_Change], list[_Change]]:
        """Return the changes that are decisions, and the rest: classes that a table put in place says nobody gave."""
        if not replaced or ASSIGNED not in self.features:
            return changed, []
        given = self.features[ASSIGNED].eq(False).fillna(False).to_numpy(bool)
        decisions = [one for one in changed if one[1] != "class" or not given[one[0]]]
        return decisions, [one for one in changed if one[1] == "class" and given[one[0]]]

    def _take_over(self, changed: Sequence[_Change], known: Known, replaced: bool) -> None:
        """Count, record and mark decisions that were made elsewhere."""
        by_label: dict[int, list[_Change]] = {}
        for one in changed:
            by_label.setdefault(one[0], []).append(one)
        self._count_labels(by_label, 1)
        if len(by_label) > _MANY:
            self._record_many("table", changed, "changed together outside this review")
        else:
            for label, mine in sorted(by_label.items()):
                self._record("table", [label], {n: b for _, n, b, _ in mine}, {n: a for _, n, _, a in mine})
        # a table that was put in place says itself which classes are the user's, or a rule gave all of them
        if not replaced or (ASSIGNED not in self.features and not all_given(self.features)):
            self._mark_own([label for label, name, _, _ in changed if name == "class"])

    def _mark_own(self, labels: Sequence[int]) -> None:
        if not labels:
            return
        self._add_own()
        rows = rows_of(self.features, [label for label in sorted(labels) if self.is_there(label)], ["class", ASSIGNED])
        self._write(rows[[ASSIGNED]].assign(**{ASSIGNED: [is_given(name) for name in rows["class"]]}))

    def _record_many(self, action: str, changed: Sequence[_Change], how: str) -> None:
        before: dict[str, Counter[str]] = {}
        after: dict[str, Counter[str]] = {}
        for _, name, was, now in changed:
            before.setdefault(name, Counter())[str(was)] += 1
            after.setdefault(name, Counter())[str(now)] += 1
        labels = sorted({label for label, _, _, _ in changed})
        count = f"{len(labels):,} particle{'s' if len(labels) > 1 else ''}"
        self._record(action, labels, before, after, f"{count}, {how}")

    def _on_data(self, event: Any = None) -> None:
        self._stale = None

    def _on_features(self, event: Any = None) -> None:
        if self._busy:
            return
        try:
            self._take_table()
        except MpsegError:  # it cannot be reviewed: who shows this review looks again, and says why
            self.on_gone()

    def _take_table(self) -> None:
        """Go on with the table that is there now."""
        if not can_be_reviewed(self.layer):
            self.on_gone()
            return
        self._stale = None
        if any(name not in self.features for name in DECISIONS):
            self._carry_over()
        self._add_columns()  # in the types that napari's table can edit
        if self._known.own is not None and ASSIGNED not in self.features:
            self._keep_own()
        self.notice()

    def _keep_own(self) -> None:
        """Mark the classes that were given by hand in a table that does not say so any more."""
        known = self._known
        self._add_own()
        # what else changed is still to be noticed
        self._known = known

    def _carry_over(self) -> None:
        """Put decisions back into a table that was measured anew without them, where the particle is the same."""
        known = self._known
        self._add_columns()
        if known.own is not None:
            self._add_own()
        rows = len(self.features)
        carried = [label for label in known.labels if label < rows and self.is_there(label)]
        area = areas(self.features)
        if area is not None and known.area is not None:
            carried = [label for label in carried if area[label] == known.area[label]]
        values: Frame = pd.DataFrame(
            {
                "class": [known.value("class", one) for one in carried],
                "keep": [known.keep[one] == 1 for one in carried],
                **({} if known.own is None else {ASSIGNED: [bool(known.own[one]) for one in carried]}),
            },
            index=carried,
            dtype=object,
        )
        values = values[(values["keep"] == False) | ~values["class"].isin([None, UNCLASSIFIED])]  # noqa: E712 - a column, not a truth
        if len(values):
            self._write(values)
        self._look_at_table()
        self._record("found", (), note=f"The table was made anew; decisions on {len(values):,} particles were kept.")
        self.on_change()


def _particles(known: Known) -> np.ndarray:
    """Return by label whether there is a particle; one whose `keep` somebody emptied is still measured."""
    decided = known.keep >= 0
    return decided if known.area is None else decided | ~np.isnan(known.area)
