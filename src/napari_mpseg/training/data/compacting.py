"""Labels in as few bytes per pixel as they need."""

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
_MOST = np.iinfo(np.uint32).max


def is_plain(labels: Array) -> bool:
    """Return whether labels are 0 to 4,294,967,295, so that they keep their numbers when they are made compact."""
    return bool(labels.dtype.kind == "b" or (labels.min(initial=0) >= 0 and labels.max(initial=0) <= _MOST))


def compact(labels: Array) -> Array:
    """Return a copy of labels of any whole numbers, ``(Y, X)``, as the smallest unsigned type that holds them.

    Negative labels, which no program means as particles of their own, become the numbers after the largest.
    """
    values = labels.astype(np.int64) if labels.dtype.kind == "i" or labels.dtype.itemsize > 4 else labels
    if values.dtype.kind == "i" and values.size and values.min() < 0:
        below = values < 0
        values = np.where(below, values.max(initial=0) - values, values)
    most = int(values.max(initial=0))
    if most > _MOST:
        _, numbers = np.unique(np.concatenate([[0], values.ravel()]), return_inverse=True)
        values, most = numbers[1:].reshape(values.shape), int(numbers.max())
    kind = next(kind for kind in (np.uint8, np.uint16, np.uint32) if most <= np.iinfo(kind).max)
    return values.astype(kind)
