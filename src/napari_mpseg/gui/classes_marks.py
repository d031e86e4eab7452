"""Which rows of a table are marked as classified by the user, and which are there at all. No Qt here."""

from __future__ import annotations

import pandas as pd

from napari_mpseg.particles.classes.assigned import ASSIGNED, COLUMNS


def is_marked(features: pd.DataFrame) -> pd.Series:
    """Return by row whether the class is marked as the user's."""
    return features[ASSIGNED].eq(True).fillna(False).astype(bool)


def still_there(mine: dict[int, str], features: pd.DataFrame) -> dict[int, str]:
    """Return the classes of particles that are there: rows of those that were deleted are empty."""
    rows = features[features["index"].isin(list(mine))]
    there = rows.drop(columns=["index", *[name for name in COLUMNS if name in rows]]).notna().any(axis=1)
    labels = set(rows.loc[there, "index"].astype(int))
    return {label: name for label, name in mine.items() if label in labels}
