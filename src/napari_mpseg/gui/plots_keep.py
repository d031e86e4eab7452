"""Keeping and rejecting particles from a plot: the column ``keep`` of a layer's table, with undo and audit record."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_mpseg.gui.classes_record import change_and_record
from napari_mpseg.particles.review.audit import AuditRecord
from napari_mpseg.particles.review.definitions import as_keep


class KeepDecisions:
    """Decisions on particles of several layers, each of which can be taken back."""

    def __init__(self) -> None:
        self._steps: list[list[tuple[Any, NDArray[np.int64], bool]]] = []

    @property
    def can_undo(self) -> bool:
        """Whether there is a decision to be taken back."""
        return bool(self._steps)

    def decide(self, decisions: list[tuple[Any, NDArray[np.int64], bool]]) -> int:
        """Keep or reject particles, as one step.

        Parameters
        ----------
        decisions : list of (layer, labels, keep)
            Labels that are decided on already, and those without a row, do not change.

        Returns
        -------
        int
            How many particles changed.
        """
        step = []
        for layer, labels, keep in decisions:
            changed = _labels_that_change(layer, labels, keep)
            if len(changed):
                _write(layer, changed, keep, "accept" if keep else "reject")
                step.append((layer, changed, not keep))
        if step:
            self._steps.append(step)
        return sum(len(changed) for _, changed, _ in step)

    def undo(self) -> int:
        """Take back the last step; return how many particles changed."""
        step = self._steps.pop() if self._steps else []
        count = 0
        for layer, labels, keep in step:
            changed = _labels_that_change(layer, labels, keep)
            if len(changed):
                _write(layer, changed, keep, "undo", {"action": "accept" if not keep else "reject"})
            count += len(changed)
        return count


def _labels_that_change(layer: Any, labels: NDArray[np.int64], keep: bool) -> NDArray[np.int64]:
    features = layer.features
    there = np.intersect1d(labels, features["index"].to_numpy(np.int64))
    if "keep" not in features:
        return np.empty(0, np.int64) if keep else there
    now = pd.Series(as_keep(features["keep"]).to_numpy(), index=features["index"].to_numpy(np.int64))
    return there[now[there].to_numpy() != keep]


def _write(
    layer: Any, labels: NDArray[np.int64], keep: bool, action: str, taken_back: dict[str, str] | None = None
) -> None:
    """Change the rows of some labels and assign the table once, which tells napari's table and other widgets."""
    features = layer.features.copy()
    if "keep" not in features:
        kept = pd.Series(True, features.index, dtype="boolean").mask(features["index"] == 0)
        features.insert(1 + list(features.columns).index("class" if "class" in features else "index"), "keep", kept)
    rows = features["index"].isin(labels)
    features["keep"] = features["keep"].astype("boolean").mask(rows, keep)
    before = {**(taken_back or {}), "keep": not keep}
    entry = AuditRecord().add(action, labels.tolist(), before, {"keep": keep}, "chosen in a plot")

    def change() -> None:
        layer.features = features

    change_and_record(layer, change, entry)
