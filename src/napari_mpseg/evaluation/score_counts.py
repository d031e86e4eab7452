"""How many particles there are at every threshold where each has one score, and goes as a whole."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_ROWS = 1024  # of an image at a time


def counts_by_score(labels: Any, probability: Any) -> NDArray[np.int64]:
    """Return how many particles there are at every threshold if each has one score, which is its pixels' probability.

    Parameters
    ----------
    labels : array
        ``(Y, X)``: the particles at threshold 0.
    probability : array
        uint8 ``(Y, X)``; 255 stands for 1.

    Returns
    -------
    ndarray of int64
        ``(256,)``, as :func:`~napari_mpseg.evaluation.count_curve.count_curve` gives them.
    """
    scores: dict[int, int] = {}
    for start in range(0, labels.shape[0], _ROWS):
        part = np.asarray(labels[start : start + _ROWS])
        names, first = np.unique(part, return_index=True)
        values = np.asarray(probability[start : start + _ROWS]).ravel()[first]
        scores.update(zip(names.tolist(), values.tolist(), strict=True))
    scores.pop(0, None)
    found = np.bincount(np.fromiter(scores.values(), np.int64, len(scores)), minlength=256)
    counts: NDArray[np.int64] = np.cumsum(found[::-1])[::-1].astype(np.int64)
    counts[0] = counts[1]
    return counts
