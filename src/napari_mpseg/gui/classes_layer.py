"""The classes of one labels layer's particles: which are the user's own, which were given, and what was before.

The user's own classes lie in ``layer.metadata["napari-mpseg"]["assigned"]`` (label -> class), what rules or a
classifier gave under ``"predicted"``. A table that somebody put in place says itself which classes are the user's, in
the column ``class_assigned``. What the table showed when it was last looked at is noted too: napari's own table changes
cells without a word, and what differs is the user's doing. No Qt here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from napari_mpseg.errors import SettingsError
from napari_mpseg.gui.classes_marks import is_marked, still_there
from napari_mpseg.gui.classes_record import change_and_record, told
from napari_mpseg.gui.classes_undo import Step, changed_labels, class_columns, taken_back, untouched
from napari_mpseg.particles.classes.assigned import ASSIGNED, COLUMNS, assigned_in, given_names, merged
from napari_mpseg.particles.classes.rules import UNCLASSIFIED, as_classes
from napari_mpseg.particles.review.audit import AuditRecord
from napari_mpseg.particles.table import ParticleTable

_STEPS_KEPT = 30
_BY_LABEL = ("assigned", "predicted")
_NOTED = (*_BY_LABEL, "shown", "written")


class LayerClasses:
    """Reads and writes the class columns of a measured labels layer.

    Parameters
    ----------
    layer : napari.layers.Labels
        With features as :meth:`~napari_mpseg.particles.table.ParticleTable.to_features` makes them.
    """

    def __init__(self, layer: Any) -> None:
        self.layer = getattr(layer, "__wrapped__", layer)  # napari hands widgets proxies, which end with the widget
        self._steps: list[Step] = []
        self._seen: Any = None  # the table that was looked at last, and which of its rows were marked
        self._marked: frozenset[int] = frozenset()

    @property
    def measured(self) -> bool:
        """Whether the layer has a particle table."""
        features = self.layer.features
        return "index" in features.columns and len(features.columns) > 1

    @property
    def table(self) -> ParticleTable:
        """The layer's particle table as it is now.

        Raises
        ------
        SettingsError
            If there is none.
        """
        if not self.measured:
            raise SettingsError(f"The particles of {self.layer.name} are not measured yet. Measure them first.")
        return ParticleTable.from_features(self.layer.features)

    @property
    def record(self) -> dict[str, Any]:
        """What this plugin notes in the layer's metadata."""
        found = self.layer.metadata.setdefault("napari-mpseg", {})
        return found if isinstance(found, dict) else {}

    # -- whose classes they are ----------------------------------------------------------------------------------

    def assigned(self) -> pd.Series:
        """Return the user's own classes, label -> class, with what was edited in the features table since."""
        mine = self._noted("assigned")
        features = self.layer.features
        if "index" in features.columns:
            mine = still_there(mine, features)
        if "class" in features.columns and "index" in features.columns:
            mine = self._with_edits(mine, features)
        else:
            self.record["shown"] = None
        self._look_at_table()
        self.record["assigned"] = mine
        labels = pd.Index(list(mine), dtype="int64")
        return pd.Series(list(mine.values()), index=labels, dtype=object, name="class").sort_index()

    def _noted(self, key: str) -> dict[int, str]:
        """Return names by label as noted in the metadata; files have the labels as text."""
        return {int(label): str(name) for label, name in (self.record.get(key) or {}).items()}

    def _look_at_table(self) -> None:
        features = self._seen = self.layer.features
        marked = ASSIGNED in features.columns and "index" in features.columns
        self._marked = frozenset(features.loc[is_marked(features), "index"].astype(int)) if marked else frozenset()

    def _with_edits(self, mine: dict[int, str], features: pd.DataFrame) -> dict[int, str]:
        """Return the user's classes with those that are marked, or that the table did not show when last looked at."""
        record = self.record
        now = features.set_index(features["index"].astype("int64"))
        now = now[now.index > 0]
        names = given_names(now["class"])
        says = ASSIGNED in now.columns
        marked = names[is_marked(now).loc[names.index]] if says else names[:0]
        shown = record.get("shown")
        record["shown"] = _by_label(names)
        if shown is None or (record.get("written") and not says):  # the classes came with the table
            record["written"] = False
            record["predicted"] = self._come_with(now, names)
            edited = names[~names.index.isin([*record["predicted"], *mine])]
            return {**mine, **_by_label(edited), **_by_label(marked)}
        if says and self._seen is not None and features is not self._seen:  # it was put in place, and says whose
            record["predicted"] = {**self._noted("predicted"), **_by_label(names.drop(marked.index))}
            return _by_label(marked)
        before = pd.Series({int(label): name for label, name in shown.items()}, dtype=object)
        edited = names[names != before.reindex(names.index)]
        emptied = now.index[now["class"].astype(object) == UNCLASSIFIED]
        cleared = set(emptied) & set(mine) & set(before.index)
        if says:
            cleared |= self._marked - set(marked.index)
        if says and len(edited):
            features.loc[features["index"].isin(edited.index), ASSIGNED] = True
        return {
            **{label: name for label, name in mine.items() if label not in cleared},
            **_by_label(edited),
            **_by_label(marked),
        }

    @staticmethod
    def _come_with(now: pd.DataFrame, names: pd.Series) -> dict[int, str]:
        """Return which of the classes that came with a table are not the user's.

        Those not marked; without marks, where every particle has a class something gave them, and where only some have
        one the user did.
        """
        if ASSIGNED in now.columns:
            others = names.drop(assigned_in(now).index)
        else:
            others = names if len(names) == len(now) else names[:0]
        return _by_label(others)

    def names(self) -> list[str]:
        """Return the names of all classes there are, those of the drop-down in napari's table first."""
        features = self.layer.features
        known: list[str] = []
        if "class" in features.columns:
            column = features["class"]
            values = column.cat.categories if hasattr(column, "cat") else given_names(column).unique()
            known = [str(name) for name in values]
        known += [str(name) for name in (self.record.get("assigned") or {}).values()]
        return [name for name in dict.fromkeys(known) if name and name != UNCLASSIFIED]

    def counts(self) -> pd.DataFrame:
        """Return, by class, how many particles have it (``all``) and how many of those the user gave (``mine``)."""
        mine = self.assigned().value_counts()
        features = self.layer.features
        everyone = pd.Series(dtype="int64")
        if "class" in features.columns and "index" in features.columns:
            everyone = features.loc[features["index"] > 0, "class"].astype(object).fillna(UNCLASSIFIED).value_counts()
        names = self.names()
        if everyone.get(UNCLASSIFIED):
            names.append(UNCLASSIFIED)
        return pd.DataFrame({"all": everyone, "mine": mine}).reindex(names).fillna(0).astype("int64")

    # -- writing -------------------------------------------------------------------------------------------------

    def assign(self, labels: Sequence[int], name: str) -> int:
        """Give particles a class that counts as the user's own; returns how many.

        Raises
        ------
        SettingsError
            If the name is empty or none of the labels is a measured particle.
        """
        name = name.strip()
        if not name or name == UNCLASSIFIED:
            raise SettingsError("Choose a class, or type the name of a new one.")
        present = self._present(labels)
        mine = self.assigned()
        mine = pd.concat([mine.drop(present, errors="ignore"), pd.Series(name, index=present, dtype=object)])
        self._write(self._given(), mine, "class", "given in Classify particles")
        return len(present)

    def unassign(self, labels: Sequence[int]) -> int:
        """Take back the user's own class of particles; they get what was predicted, if anything was."""
        mine = self.assigned()
        present = [label for label in self._present(labels) if label in mine.index]
        if not present:
            raise SettingsError("None of the selected particles has a class of yours.")
        self._write(self._given(), mine.drop(present), "class", "no longer a class given by hand")
        return len(present)

    def take_all(self) -> int:
        """Count every class that is in the table now as the user's own."""
        names = given_names(self.table.frame.set_index("label").get("class", pd.Series(dtype=object)))
        if names.empty:
            raise SettingsError("The table has no classes yet.")
        given = self._given()
        self._write(given, names, "class", "all classes of the table count as given by hand")
        return len(names)

    def apply(self, found: pd.DataFrame | pd.Series) -> None:
        """Write classes that rules or a classifier gave, one per row of :attr:`table`; the user's own stay."""
        mine = self.assigned()
        labels = self.table.labels
        found = found.set_axis(labels, axis=0)
        self._write(found, mine[mine.index.isin(labels)], "found", "given by rules or by a classifier")

    def add_name(self, name: str) -> None:
        """Offer a class in the drop-down of napari's table."""
        self.assigned()  # before another table is put in place
        column = self.layer.features.get("class")
        if column is not None and hasattr(column, "cat") and name not in column.cat.categories:
            self.layer.features = self.layer.features.assign(**{"class": column.cat.add_categories([name])})
            self._look_at_table()

    @property
    def can_undo(self) -> bool:
        """Whether there are earlier classes to bring back."""
        return bool(self._steps)

    def undo(self) -> int:
        """Take back the last change; returns for how many particles. Those that were changed since stay as they are."""
        mine, predicted = self.assigned(), self._noted("predicted")
        step = self._steps.pop()
        features = self.layer.features
        restored = taken_back(features, step)
        held = untouched(features, step)
        stay = set(held.index[~held.to_numpy(bool)])
        now, then = class_columns(features), class_columns(restored)
        labels = changed_labels(now, then)
        if stay:
            old = {key: {int(label): name for label, name in (step.notes[key] or {}).items()} for key in _BY_LABEL}
            for key, new in zip(_BY_LABEL, (_by_label(mine), predicted), strict=True):
                kept = {label: name for label, name in old[key].items() if label not in stay}
                self.record[key] = {**kept, **{label: name for label, name in new.items() if label in stay}}
            self.record["shown"] = _by_label(given_names(then["class"])) if "class" in then else None
        else:
            self.record.update(step.notes)
        self._put(restored, now, then, labels, "undo", "taken back in Classify particles", {"action": step.action})
        return len(labels)

    def _put(
        self,
        features: pd.DataFrame,
        before: pd.DataFrame,
        after: pd.DataFrame,
        labels: list[int],
        action: str,
        note: str,
        about: dict[str, str] | None = None,
    ) -> None:
        """Put a table with other classes in place, and write down what changed."""
        old, new = ({"class": told(one["class"].reindex(labels))} if "class" in one else {} for one in (before, after))
        entry = AuditRecord().add(action, labels, {**old, **(about or {})}, new, note)

        def change() -> None:
            self.layer.features = features

        change_and_record(self.layer, change, entry)
        self._look_at_table()

    def _present(self, labels: Sequence[int]) -> list[int]:
        known = set(self.table.labels.tolist())
        present = [int(label) for label in labels if int(label) in known]
        if not present:
            raise SettingsError("No particle is selected. Click one in the picture, or rows of the features table.")
        return present

    def _given(self) -> pd.DataFrame:
        """Return what was predicted, by label, as a classifier would give it."""
        frame = self.table.frame.set_index("label")
        predicted = pd.Series(self._noted("predicted"), dtype=object).reindex(frame.index)
        names = (*self.names(), UNCLASSIFIED)
        codes = pd.Categorical(
            predicted.fillna(UNCLASSIFIED), categories=list(dict.fromkeys((*names, *predicted.dropna())))
        )
        classes = as_classes(codes.codes.astype("int64"), tuple(codes.categories), frame.index)
        likely = frame.get("class_probability", pd.Series(float("nan"), index=frame.index))
        return pd.DataFrame({"class": classes, "class_probability": likely}, index=frame.index)

    def _write(self, found: pd.DataFrame | pd.Series, mine: pd.Series, action: str, note: str) -> None:
        features = self.layer.features
        before, notes = class_columns(features), {key: self.record.get(key) for key in _NOTED}
        columns = merged(found, mine)
        given = found["class"] if isinstance(found, pd.DataFrame) else found
        self.record["assigned"] = _by_label(mine)
        self.record["predicted"] = _by_label(given_names(given))
        self.record["shown"], self.record["written"] = _by_label(given_names(columns["class"])), True
        columns[ASSIGNED] = columns[ASSIGNED].astype("boolean")
        columns = columns.reindex(features["index"].astype("int64")).set_axis(features.index, axis=0)
        written = features.assign(**{str(name): values for name, values in columns.items()})
        order = list(map(str, features.columns))
        place = order.index("class") if "class" in order else min(1, len(order))
        order = [name for name in order if name not in COLUMNS]
        written = written[[*order[:place], *COLUMNS, *order[place:]]]
        after = class_columns(written)
        step = Step(before, after, tuple(map(str, features.columns)), notes, action)
        self._steps = [*self._steps[-_STEPS_KEPT + 1 :], step]
        self._put(written, before, after, changed_labels(before, after), action, note)


def _by_label(names: pd.Series) -> dict[int, str]:
    return dict(zip(names.index.astype("int64").tolist(), names.astype(str).tolist(), strict=True))
