"""The columns of the particle table that a review uses."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from napari_mpseg.errors import SettingsError


@dataclass(frozen=True)
class ReviewColumn:
    """A column that no measurement of the labels gives.

    Attributes
    ----------
    definition : str
        One sentence for the user.
    dtype : str
        In a particle table; napari's features hold the same as nullable.
    """

    definition: str
    dtype: str


REVIEW_COLUMNS = {
    "confidence": ReviewColumn("Mean probability over the pixels of the particle, from 0 to 1.", "float64"),
    "class": ReviewColumn("Class of the particle: by rule, by a trained classifier, or given by hand.", "category"),
    "keep": ReviewColumn("Whether the particle counts; false where a reviewer rejected it.", "bool"),
}

UNCLASSIFIED = "unclassified"
"""What the class column says of a particle without a class, where an empty cell could not be edited."""

CATEGORIES = tuple(name for name, column in REVIEW_COLUMNS.items() if column.dtype == "category")
"""Columns of names."""


_TRUE = ("true", "yes", "y", "t", "1", "1.0", "ja", "wahr", "vrai", "oui")
_FALSE = ("false", "no", "n", "f", "0", "0.0", "nein", "falsch", "faux", "non")


def truth_in(values: "pd.Series[Any]") -> "tuple[pd.Series[bool], pd.Series[bool]]":
    """Return which values are true, and which are neither true, false nor missing; missing ones are true.

    Words are those that CSV files, spreadsheets and people write, in English, German and French, in any case.
    """
    if values.dtype == bool:
        return values, pd.Series(False, values.index)
    text = values.astype("string").str.strip().str.lower().fillna("")
    false = text.isin(_FALSE).astype(bool)
    return ~false, ~(false | text.isin((*_TRUE, ""))).astype(bool)


def as_keep(values: "pd.Series[Any]") -> "pd.Series[bool]":
    """Return true or false; missing is true.

    Raises
    ------
    SettingsError
        If a value is neither.
    """
    keep, unknown = truth_in(values)
    if unknown.any():
        position = int(unknown.to_numpy().argmax())
        raise SettingsError(
            f"The column 'keep' has {values.iloc[position]!r} in row {position + 1}. "
            "Write true, false, or nothing for a particle that is kept."
        )
    return keep


def as_category(values: "pd.Series[Any]", first: Sequence[str] = ()) -> "pd.Series[Any]":
    """Return a category of strings; empty texts are missing.

    Parameters
    ----------
    values : pandas.Series
        Anything; categories keep their order, and those that do not occur.
    first : sequence of str
        Categories that come first, whether they occur or not.
    """
    known = list(dict.fromkeys(first))
    if isinstance(values.dtype, pd.CategoricalDtype):
        known += [name for name in map(str, values.cat.categories) if name not in known]
    text = values.astype("object").map(str, na_action="ignore")
    text = text.where(text.notna() & (text != ""), None)
    known += sorted(set(text.dropna()) - set(known))
    dtype = pd.CategoricalDtype(pd.Index(known, dtype="str"))
    return pd.Series(pd.Categorical(text.to_numpy("object"), dtype=dtype), index=values.index)
