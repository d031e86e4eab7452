"""Rows of a step that is taken back or done again, less what others changed in them since. No Qt here."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from napari_mpseg.gui.review_step import DECISIONS
from napari_mpseg.particles.classes.assigned import ASSIGNED
from napari_mpseg.particles.table import property_of

Frame = Any  # a pandas.DataFrame; the stubs know too little of cells of any type
_WITH_CLASS = (ASSIGNED, "class_probability")  # say something about the class beside them


def same(first: Any, second: Any) -> bool:
    """Whether two cells say the same; numbers may differ by what a table's type rounds away."""
    if pd.isna(first) or pd.isna(second):
        return bool(pd.isna(first) and pd.isna(second))
    if isinstance(first, (float, np.floating)) and isinstance(second, (float, np.floating)):
        return bool(np.isclose(first, second, rtol=1e-6, atol=0))
    return bool(first == second)


def same_rows(now: Frame, other: Frame) -> bool:
    """Whether the measured numbers in both are the same, in the same columns."""
    columns = _measured(now)
    return set(columns) == set(_measured(other)) and all(
        same(a, b) for name in columns for a, b in zip(now[name], other[name], strict=True)
    )


def restored(now: Frame, to: Frame, other: Frame, *, pixels: bool) -> Frame:
    """Return rows with the cells that a step wrote as they are to be, where nobody wrote them since.

    Parameters
    ----------
    now, to, other : pandas.DataFrame
        The rows as they are, as they are to be, and as the step left them; indexed by label, in the same order.
    pixels : bool
        Whether the step changed labels: then particles come and go with it. Else rows of particles that are gone stay
        empty.
    """
    result = now.copy()
    for label in now.index:
        if pixels and pd.isna(to.at[label, "keep"]):
            result.loc[label] = np.nan
        elif pixels and pd.isna(now.at[label, "keep"]):
            for name in now:
                missing = False if name == ASSIGNED else np.nan  # a column that was added since
                result.at[label, name] = to.at[label, name] if name in to else missing
        elif pixels or not pd.isna(now.at[label, "keep"]):
            for name in now:
                if name in to and name in other and _untouched(now, other, label, str(name)):
                    result.at[label, name] = to.at[label, name]
    return result


def measured_again(rows: Frame, measured: Frame, now: Frame, to: Frame, other: Frame) -> Frame:
    """Return restored rows with numbers that were measured anew; where an image was missing for that, as before."""
    result = rows.copy()
    for name in _measured(rows):
        entry = property_of(str(name))
        for label in rows.index:
            value = measured.at[label, name] if label in measured.index else np.nan
            if pd.isna(rows.at[label, "keep"]):
                continue
            known = name in to and name in other and entry is not None and bool(entry.given)
            if pd.isna(value) and known and same(now.at[label, name], other.at[label, name]):
                value = to.at[label, name]
            result.at[label, name] = value
    return result


def left_as_it_is(now: Frame, to: Frame, other: Frame) -> str:
    """Return which decisions of a step were changed since and stay, for the record; an empty text if none."""
    left = [
        f"{name} of {label}"
        for name in DECISIONS
        if name in now and name in to and name in other
        for label in now.index
        if not same(to.at[label, name], other.at[label, name])
        and not same(now.at[label, name], other.at[label, name])
        and not same(now.at[label, name], to.at[label, name])
    ]
    return f"Changed since and left: {', '.join(left[:6])}{' …' if len(left) > 6 else ''}." if left else ""


def _untouched(now: Frame, other: Frame, label: int, name: str) -> bool:
    beside = name in _WITH_CLASS and "class" in other
    return same(now.at[label, name], other.at[label, name]) and (
        not beside or same(now.at[label, "class"], other.at[label, "class"])
    )


def _measured(rows: Frame) -> list[Any]:
    return [name for name in rows if property_of(str(name)) is not None]
