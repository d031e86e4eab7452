"""Changes of a layer's table that widgets make, written into the record of its review. No Qt here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from napari_mpseg.particles.review.audit import AuditEntry, append_audit, audit_of

_ONE_BY_ONE = 50  # particles whose classes are written down one by one, and not counted


def change_and_record(layer: Any, change: Callable[[], None], entry: AuditEntry) -> None:
    """Make a change, and write it down unless somebody did who follows the layer, such as a review that is open.

    Parameters
    ----------
    layer : napari.layers.Labels
        Whose table changes.
    change : callable
        Assigns ``layer.features``.
    entry : AuditEntry
        What is written down.
    """
    before = len(audit_of(layer.metadata))
    change()
    if entry.labels and not _is_recorded(layer, before, entry):
        append_audit(layer.metadata, entry)


def _is_recorded(layer: Any, before: int, entry: AuditEntry) -> bool:
    """Whether entries since then name all the particles."""
    since = list(audit_of(layer.metadata))[before:]
    return set(entry.labels) <= {label for one in since for label in one.labels}


def told(classes: pd.Series) -> str | Mapping[str, Any] | None:
    """Return classes by label for the record: one name if all have it, else by label, or counts if there are many."""
    names = classes.astype(object).where(classes.notna(), None)
    if names.nunique(dropna=False) == 1:
        only = names.iloc[0]
        return None if only is None else str(only)
    if len(names) <= _ONE_BY_ONE:
        return {str(label): None if name is None else str(name) for label, name in names.items()}
    return dict(Counter("" if name is None else str(name) for name in names))
