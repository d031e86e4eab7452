"""Which classes are the user's own, and how they go together with classes that a rule or a classifier gave."""

import pandas as pd

from napari_mpseg.particles.classes.columns import property_of
from napari_mpseg.particles.classes.rules import UNCLASSIFIED

#: Column that says which classes the user gave: true for those, false for what rules or a classifier gave.
ASSIGNED = "class_assigned"

_YES = ("true", "1", "1.0", "yes")

#: Columns that classifying writes.
COLUMNS = ("class", "class_probability", ASSIGNED)


def given_names(assigned: pd.Series) -> pd.Series:
    """Return the classes that say something, as text: not missing, empty or ``"unclassified"``."""
    names = assigned.astype(object)
    names = names[names.notna()].astype(str).str.strip()
    return names[~names.isin(["", UNCLASSIFIED])]


def assigned_in(frame: pd.DataFrame) -> pd.Series:
    """Return the classes in a table that are the user's own, by the table's index.

    Those marked in the column ``class_assigned``. Where a table has no such column: all classes in it, but none if it
    is :func:`unmarked`.
    """
    if "class" not in frame.columns:
        return pd.Series(dtype=object, index=frame.index[:0], name="class")
    names = given_names(frame["class"])
    if ASSIGNED not in frame.columns:
        return names[:0] if unmarked(frame) else names
    return names[_true_in(frame[ASSIGNED]).loc[names.index]]


def unmarked(frame: pd.DataFrame) -> bool:
    """Return whether a measured table has a class for every particle, and nothing that says who gave them.

    So it is with tables that were classified by rules as they were measured. A list without measurements is a person's.
    """
    if "class" not in frame.columns or ASSIGNED in frame.columns or not len(frame):
        return False
    measured = any(property_of(str(column)) is not None for column in frame.columns)
    classes = frame["class"].astype(object)
    return measured and bool((classes.notna() & (classes.astype(str).str.strip() != "")).all())


def _true_in(marks: pd.Series) -> pd.Series:
    """Return the marks as bool; text files hold them as true and false, 1 and 0, in any spelling."""
    return marks.astype(object).map(lambda mark: str(mark).strip().lower() in _YES).astype(bool)


def merged(found: pd.DataFrame | pd.Series, mine: pd.Series) -> pd.DataFrame:
    """Return the three columns that classifying writes; the user's own classes stay.

    Parameters
    ----------
    found : pandas.DataFrame or pandas.Series
        What rules (a categorical column) or a classifier (``class`` and ``class_probability``) gave.
    mine : pandas.Series
        The user's own classes; its index is a part of that of `found`.

    Returns
    -------
    pandas.DataFrame
        With the index of `found`: ``class``, ``class_probability`` (missing where the user or a rule decided) and
        ``class_assigned``.
    """
    classes = found["class"] if isinstance(found, pd.DataFrame) else found
    names = [name for name in dict.fromkeys((*classes.cat.categories, *mine)) if name != UNCLASSIFIED]
    classes = classes.cat.set_categories([*names, UNCLASSIFIED])
    classes = classes.fillna(UNCLASSIFIED)
    classes.loc[mine.index] = mine
    own = pd.Series(found.index.isin(mine.index), index=found.index)
    likely = pd.Series(float("nan"), index=found.index)
    if isinstance(found, pd.DataFrame):
        likely = found["class_probability"].mask(own)
    return pd.DataFrame({"class": classes, "class_probability": likely, ASSIGNED: own})
