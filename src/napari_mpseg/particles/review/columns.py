"""The columns that a reviewer fills in: ``class`` and ``keep``."""

from dataclasses import replace
from typing import Any

import pandas as pd

from napari_mpseg.errors import SettingsError
from napari_mpseg.particles.review.definitions import REVIEW_COLUMNS, UNCLASSIFIED, as_category, as_keep
from napari_mpseg.particles.table import ParticleTable, property_of

REVIEWED = ("class", "keep")
"""Columns that hold decisions."""

_ABOUT_CLASS = ("class_probability", "class_assigned")
_NUMBERS = ("index", "label", "plane")


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
    about = [name for name in _ABOUT_CLASS if name in frame]
    rest = frame.drop(columns=[*first, *about, *REVIEWED], errors="ignore")
    ordered = pd.concat([frame[first], given.rename("class"), frame[about], keep.rename("keep"), rest], axis=1)
    return replace(table, frame=ordered, units={name: table.units.get(name, "") for name in map(str, ordered.columns)})


def carry_decisions(table: ParticleTable, previous: pd.DataFrame) -> ParticleTable:
    """Return a newly measured table with the decisions of the one before it, by label.

    A class comes with its probability and with whether it was given by hand. Columns that no measurement gives, so the
    user's own, come too; those of particles that are new are missing values.

    Parameters
    ----------
    table : ParticleTable
        Measured anew, for labels whose numbers mean the same particles as before.
    previous : pandas.DataFrame
        A layer's features, or the frame of a table. A class that is missing here is that of `table`.
    """
    others = [str(name) for name in previous.columns if _is_users_own(str(name)) and name not in table.frame]
    decided = [name for name in REVIEWED if name in previous]
    if not decided and not others:
        return table
    number = "index" if "index" in previous else "label"
    before = previous.set_index(previous[number].astype("int64"))
    before = before[~before.index.duplicated(keep="last")]
    found = {name: before[name].reindex(table.labels).reset_index(drop=True) for name in (*decided, *others)}
    if "class" in decided:
        carried = as_category(found["class"]).astype("object")
        carried = carried.notna() & (carried != UNCLASSIFIED)
        for name in (one for one in _ABOUT_CLASS if one in previous):
            values = before[name].reindex(table.labels).reset_index(drop=True)
            if name == "class_assigned":
                found[name] = values.eq(True).fillna(False).astype(bool) & carried
            else:
                found[name] = pd.to_numeric(values, errors="coerce").where(carried)
    frame = table.frame.drop(columns=list(found), errors="ignore").reset_index(drop=True).assign(**found)
    carried_over = replace(table, frame=frame, units={**table.units, **dict.fromkeys(found, "")})
    return with_review_columns(carried_over, table.frame.get("class")) if decided else carried_over


def _is_users_own(name: str) -> bool:
    return name not in (*REVIEWED, *_ABOUT_CLASS, *_NUMBERS, *REVIEW_COLUMNS) and property_of(name) is None


def _names(*columns: "pd.Series[Any]") -> list[str]:
    return list(dict.fromkeys(str(name) for column in columns for name in column.cat.categories))
