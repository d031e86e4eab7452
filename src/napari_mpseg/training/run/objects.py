"""How many particles of what was kept aside are found, pixel for pixel well enough."""

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def object_counts(truth: Array, found: Array) -> tuple[int, int, int]:
    """Return how many particles match at an intersection over union above 0.5, how many are true, and how many found.

    Above a half, no particle can match two.

    Parameters
    ----------
    truth, found : ndarray of int
        ``(Y, X)``; any numbers, 0 is background.
    """
    true, one = np.unique(truth, return_inverse=True)
    seen, other = np.unique(found, return_inverse=True)
    table = np.bincount(one.ravel() * len(seen) + other.ravel(), minlength=len(true) * len(seen))
    table = table.reshape(len(true), len(seen)).astype(np.int64)
    union = table.sum(1)[:, None] + table.sum(0)[None] - table
    inside = np.outer(true != 0, seen != 0)
    return int((inside & (2 * table > union)).sum()), int((true != 0).sum()), int((seen != 0).sum())


def f1(matched: int, true: int, found: int) -> float:
    """Return the F1 of such counts; 1 where there is nothing to find and nothing was found."""
    return 2 * matched / (true + found) if true + found else 1.0
