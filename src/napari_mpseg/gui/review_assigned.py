"""Which classes were given by hand: in a layer's table, and in its metadata for the class widget. No Qt here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from napari_mpseg.particles.classes.assigned import ASSIGNED, given_names
from napari_mpseg.particles.review.audit import KEY
from napari_mpseg.particles.review.definitions import UNCLASSIFIED

Frame = Any  # a pandas.DataFrame; the stubs know too little of cells of any type


def is_given(name: Any) -> bool:
    """Whether a class says something."""
    return not pd.isna(name) and str(name).strip() not in ("", UNCLASSIFIED)


def all_given(features: Frame) -> bool:
    """Whether every particle has a class: then a rule or a classifier gave them, nobody types so many."""
    return len(given_names(features["class"])) >= int(features["keep"].notna().sum())


def own_at_first(features: Frame, metadata: Any) -> dict[int, str]:
    """Return the classes, by label, that count as the user's own in a table that does not say which are.

    Those noted in the metadata; without a note all classes, where only some particles have one.
    """
    names = given_names(features["class"])
    named = zip(names.index.tolist(), names.tolist(), strict=True)
    there = {int(label): str(name) for label, name in named if not pd.isna(features["keep"].iat[label])}
    record = metadata.get(KEY) if isinstance(metadata, Mapping) else None
    noted = record.get("assigned") if isinstance(record, Mapping) else None
    if isinstance(noted, Mapping):
        mine = {int(label): str(name) for label, name in noted.items()}
        return {label: name for label, name in there.items() if mine.get(label) == name}
    return {} if all_given(features) else there


def with_own_column(features: Frame, mine: Mapping[int, str]) -> Frame:
    """Return features with the column ``class_assigned`` beside the class, true where the class is still that."""
    names = features["class"].astype(object)
    still = [label for label, name in mine.items() if label < len(names) and names.iat[label] == name]
    own = pd.Series(False, features.index, dtype="boolean")
    own.iloc[still] = True
    own = own.mask(features["keep"].isna())
    wider = features.copy()
    wider.insert(int(features.columns.get_loc("class")) + 1, ASSIGNED, own)
    return wider


def note_assigned(metadata: Any, features: Frame, labels: Iterable[int]) -> None:
    """Note in a layer's metadata whose the classes of some particles are, as the class widget does.

    What that widget saw last is noted as well, so that it does not take a class that came back for one typed in.
    """
    record = metadata.get(KEY)
    if not isinstance(record, dict):
        record = metadata[KEY] = {}
    assigned, shown = record.get("assigned"), record.get("shown")
    own = features[ASSIGNED].eq(True).fillna(False) if ASSIGNED in features else None
    for label in labels:
        name = features["class"].iat[label]
        given = str(name) if is_given(name) else None
        if own is not None:
            if not isinstance(assigned, dict):
                assigned = record["assigned"] = {}
            _put(assigned, label, given if own.iat[label] else None)
        if isinstance(shown, dict):
            _put(shown, label, given)


def _put(names: dict[Any, str], label: int, name: str | None) -> None:
    names.pop(str(label), None)  # as a file has it
    names.pop(label, None)
    if name is not None:
        names[label] = name
