"""What the user is told of labels that touch and were taken as one piece. No Qt here."""

from __future__ import annotations

from typing import Any

import numpy as np


def count_labels(labels: Any) -> int:
    """Return how many numbers above 0 a plane holds."""
    labels = np.asarray(labels)
    if labels.dtype == bool:
        return int(labels.any())
    largest = int(labels.max(initial=0))
    if largest > 2 * labels.size:  # numbers far apart: a table of all of them would be large
        return int(np.count_nonzero(np.unique(labels) > 0))
    seen = np.zeros(largest + 1, bool)
    seen[labels[labels > 0]] = True
    return int(seen.sum())


def notes_of(given: int, before: int, settings: Any) -> tuple[str, ...]:
    """Return what to say where `given` labels were taken as `before` pieces."""
    if settings.within_labels or given <= before:
        return ()
    return (
        f"The layer holds {given:,} labels; those that touch were taken as one piece. Tick 'Split each label by "
        "itself' to keep them apart.",
    )
