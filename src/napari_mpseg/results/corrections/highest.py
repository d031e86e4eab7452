"""The largest number that ever was a particle's, so that a new one gets none that the record speaks of."""

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.exchange.names import labels_stem
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback
from napari_mpseg.results.corrections.place import LabelsPlace
from napari_mpseg.results.saving import ENDINGS


def highest_label(
    place: LabelsPlace,
    labels: Any,
    table: Any,
    region: NDArray[Any],
    on_progress: ProgressCallback,
    cancel: CancelToken,
) -> int:
    """Return the largest label in use, or in use once.

    It is on record after the first correction. Before it, a run says how many particles it numbered from 1 on; labels
    of which nobody says so are read once, chunk by chunk.
    """
    known = [int(region.max(initial=0))]
    if table is not None:
        known.append(int(table.labels.max(initial=0)))
    recorded = place.kept().get("highest_label", _counted(place))
    if recorded is None:
        recorded = _read(labels, on_progress, cancel)
    return max(int(recorded), *known)


def _counted(place: LabelsPlace) -> int | None:
    """Return how many particles the run says that it found; None where there is no such record."""
    if not place.group:
        return None
    path = place.store.with_name(f"{labels_stem(place.store)}{ENDINGS['record']}")
    try:
        return int(json.loads(path.read_text(encoding="utf-8"))["particles"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _read(labels: Any, on_progress: ProgressCallback, cancel: CancelToken) -> int:
    rows = int((labels.shards or labels.chunks)[0])
    bands = range(0, labels.shape[0], rows)
    largest = 0
    for done, top in enumerate(bands):
        cancel.check()
        on_progress(Progress("Looking at all labels, once", done, len(bands), "bands"))
        largest = max(largest, int(np.asarray(labels[top : top + rows]).max(initial=0)))
    return largest
