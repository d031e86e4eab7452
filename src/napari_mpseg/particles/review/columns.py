"""The columns that a reviewer fills in: ``class`` and ``keep``."""

from dataclasses import replace
from typing import Any

import pandas as pd

from napari_mpseg.errors import SettingsError
from napari_mpseg.particles.review.definitions import UNCLASSIFIED, as_category, as_keep
from napari_mpseg.particles.table import ParticleTable

REVIEWED = ("class", "keep")
"""Columns that hold decisions."""


def with_review_columns(table: ParticleTable, classes: "pd.Series[Any] | None" = None) -> ParticleTable:
    """Return a table with a ``class`` and a ``keep`` column, right after ``label`` and ``confidence``.

    Decisions that are there already stay: a class that says something, a particle that was rejected.

    Parameters
    ----------
    table : ParticleTable
        Measured particles.
    classes : pandas.Series, optional
        One class per row of `table`, in its order, such as
        :func:`~napari_mpseg.particles.classes.rules.classify_by_rules` gives. Without, the classes are missing.

    Raises
    ------
    SettingsError
        If there is not one class per particle.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_mpseg.particles.measure import measure
    >>> reviewed = with_review_columns(measure(np.array([[1, 0, 2]])))
    >>> reviewed.frame[["label", "keep"]].values.tolist()
    [[1, True], [2, True]]
    """
    frame = table.frame
    if classes is not None and len(classes) != len(frame):
        raise SettingsError(f"There are {len(classes)} classes for {len(frame)} particles. Give one per particle.")
    given = as_category(pd.Series(None, frame.index, "object") if classes is None else classes.set_axis(frame.index))
    if "class" in frame:
        old = as_category(frame["class"])
        text = old.astype("object")
        undecided = (text.isna() | (text == UNCLASSIFIED)) & given.notna()
        given = as_category(text.mask(undecided, given.astype("object")), _names(old, given))
    keep = as_keep(frame["keep"]) if "keep" in frame else pd.Series(True, frame.index)
    first = [name for name in ("label", "confidence") if name in frame]
    rest = frame.drop(columns=[*first, *REVIEWED], errors="ignore")
    ordered = pd.concat([frame[first], given.rename("class"), keep.rename("keep"), rest], axis=1)
    return replace(table, frame=ordered, units={name: table.units.get(name, "") for name in map(str, ordered.columns)})


def carry_decisions(table: ParticleTable, previous: pd.DataFrame) -> ParticleTable:
    """Return a newly measured table with the decisions of the one before it, by label.

    Parameters
    ----------
    table : ParticleTable
        Measured anew, for labels whose numbers mean the same particles as before.
    previous : pandas.DataFrame
        A layer's features, or the frame of a table; without review columns there is nothing to carry over.
    """
    if not set(REVIEWED) & set(previous.columns):
        return table
    number = "index" if "index" in previous else "label"
    before = previous.set_index(previous[number].astype("int64"))
    found = {name: before[name].reindex(table.labels).reset_index(drop=True) for name in REVIEWED if name in before}
    frame = table.frame.drop(columns=list(found), errors="ignore").reset_index(drop=True).assign(**found)
    return with_review_columns(replace(table, frame=frame), table.frame.get("class"))


def _names(*columns: "pd.Series[Any]") -> list[str]:
    return list(dict.fromkeys(str(name) for column in columns for name in column.cat.categories))
