"""Taking back a change of the class columns, but for particles that were changed again since. No Qt here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from napari_mpseg.particles.classes.assigned import ASSIGNED, COLUMNS
from napari_mpseg.particles.classes.rules import UNCLASSIFIED

_TOLD_BY = ("class", ASSIGNED)
_DEFAULTS = {"class": UNCLASSIFIED, "class_probability": float("nan"), ASSIGNED: False}


@dataclass(frozen=True)
class Step:
    """A change of class columns.

    Attributes
    ----------
    before, after : pandas.DataFrame
        The class columns there were, and those that were written, by label; see :func:`class_columns`.
    order : tuple of str
        All columns of the table before, in their order.
    notes : mapping
        What was noted in the layer's metadata before.
    action : str
        As in the record of the review.
    """

    before: pd.DataFrame
    after: pd.DataFrame
    order: tuple[str, ...]
    notes: Mapping[str, Any]
    action: str


def class_columns(features: pd.DataFrame) -> pd.DataFrame:
    """Return a copy of the class columns of a features table, by label."""
    labels = pd.Index(features["index"].astype("int64"), name="label")
    return features[[name for name in COLUMNS if name in features.columns]].copy().set_axis(labels, axis=0)


def changed_labels(before: pd.DataFrame, after: pd.DataFrame) -> list[int]:
    """Return the particles whose class, or whose it is, differs between two frames of :func:`class_columns`."""
    same = _same(before, after)
    return [int(label) for label in after.index[~same.to_numpy(bool)] if label > 0]


def untouched(features: pd.DataFrame, step: Step) -> pd.Series:
    """Return by label whether a row still holds what a step wrote; not so rows that are new since."""
    now = class_columns(features)
    return _same(step.after, now) & now.index.isin(step.after.index)


def taken_back(features: pd.DataFrame, step: Step) -> pd.DataFrame:
    """Return a features table without a step, but for rows that were changed since."""
    mine = untouched(features, step)
    if mine.all():
        rest = features.drop(columns=[name for name in COLUMNS if name in features.columns])
        restored = pd.concat([rest, step.before.reindex(mine.index).set_axis(features.index, axis=0)], axis=1)
        order = [name for name in step.order if name in restored.columns]
        return restored[order + [name for name in restored.columns if name not in order]]
    now = class_columns(features)
    columns = {name: _mixed(name, now[name], step, mine).set_axis(features.index) for name in now.columns}
    return features.assign(**columns)


def _mixed(name: str, now: pd.Series, step: Step, mine: pd.Series) -> pd.Series:
    """Return a column with the values from before where `mine` is true."""
    before = step.before.get(name)
    if before is None:
        there = step.after["class"].notna()
        before = pd.Series(_DEFAULTS[name], there.index, object).where(there)
    before = before.reindex(now.index)
    values = before.astype(object).where(mine, now.astype(object))
    if not isinstance(now.dtype, pd.CategoricalDtype):
        return values.astype("boolean" if name == ASSIGNED else now.dtype)
    known = before.cat.categories if hasattr(before, "cat") else [UNCLASSIFIED]
    return values.astype(pd.CategoricalDtype(list(dict.fromkeys([*now.cat.categories, *known]))))


def _same(old: pd.DataFrame, new: pd.DataFrame) -> pd.Series:
    """Return for each row of `new` whether it says the same as `old`."""
    same = pd.Series(True, index=new.index)
    for name in _TOLD_BY:
        same &= _said(old, name, new.index) == _said(new, name, new.index)
    return same


def _said(frame: pd.DataFrame, name: str, labels: pd.Index) -> pd.Series:
    if name not in frame.columns:
        return pd.Series("", index=labels, dtype=object)
    column = frame[name].reindex(labels)
    if name == ASSIGNED:
        return column.eq(True).fillna(False).map({True: "yes", False: ""})
    names = column.astype(object).where(column.notna(), "").astype(str)
    return names.where(names != UNCLASSIFIED, "")
