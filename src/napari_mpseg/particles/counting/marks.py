"""How boxes are marked: by confidence, and by what was decided; in Okabe and Ito's colours."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_mpseg.particles.counting.boxes import DRAWN

SURE, FAIR, UNSURE = "0.9 or more", "0.7 to 0.9", "below 0.7"
UNKNOWN, BY_HAND, REJECTED = "no confidence", "drawn by hand", "rejected"

MARKS: Mapping[str, str] = {
    UNSURE: "#D55E00",
    FAIR: "#E69F00",
    SURE: "#009E73",
    UNKNOWN: "#56B4E9",
    BY_HAND: "#CC79A7",
    REJECTED: "#999999",
}
"""Colour of each kind of box, the least sure first."""


def marks_of(frame: pd.DataFrame) -> NDArray[Any]:
    """Return for each row of boxes its kind in :data:`MARKS`."""
    confidence = frame["confidence"].to_numpy(np.float64)
    kinds = np.full(len(frame), UNKNOWN, object)
    kinds[confidence >= 0] = UNSURE
    kinds[confidence >= 0.7] = FAIR
    kinds[confidence >= 0.9] = SURE
    kinds[frame["origin"].to_numpy() == DRAWN] = BY_HAND
    kinds[~frame["keep"].to_numpy(bool)] = REJECTED
    return kinds


def mark_counts(frame: pd.DataFrame) -> dict[str, int]:
    """Return how many boxes there are of each kind that occurs, in the order of :data:`MARKS`."""
    kinds = marks_of(frame)
    counts = {kind: int((kinds == kind).sum()) for kind in MARKS}
    return {kind: count for kind, count in counts.items() if count}
