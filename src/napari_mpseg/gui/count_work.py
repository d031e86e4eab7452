"""Counting on a layer in a thread. No Qt here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from napari_mpseg.gui.instances_colours import coloured
from napari_mpseg.gui.instances_work import Cut
from napari_mpseg.progress import CancelToken, ProgressCallback


@dataclass(frozen=True)
class Counted:
    """What counting on a layer gave.

    Attributes
    ----------
    boxes : CountedBoxes
        One for each particle.
    labels : tuple or None
        Of :func:`napari_mpseg.pyramids.displayed`, where the layer was no labels with a table.
    features : pandas.DataFrame or None
        Of these labels.
    same : mapping of int to int or None
        From boxes of an earlier count with labels of its own to those of this one; None: the labels are the same.
    """

    boxes: Any
    labels: tuple[Any, bool] | None = None
    features: Any = None
    same: Mapping[int, int] | None = None


def count_layer(
    data: Any,
    settings: Any,
    *,
    graded: bool,
    measured: bool,
    probability: Any = None,
    earlier: tuple[Any, Any] | None = None,
    calibration: Any,
    on_progress: ProgressCallback,
    cancel: CancelToken,
) -> Counted:
    """Count on a layer; where it is no labels with a table, make such labels too.

    Parameters
    ----------
    data : array
        ``(Y, X)``; never changed.
    settings : CountSettings
        What to do.
    graded : bool
        It is a probability.
    measured : bool
        It is labels with a particle table, which is what decisions are written into.
    probability : array, optional
        Of labels or a mask.
    earlier : tuple, optional
        Boxes of an earlier count on the same layer, and the labels that it made.
    calibration : Calibration
        Pixel size.
    on_progress, cancel
        As everywhere.
    """
    from napari_mpseg.particles.counting.carried import has_changes, same_particles
    from napari_mpseg.particles.counting.count import count_and_label, count_particles
    from napari_mpseg.particles.reviewable import measure_for_review
    from napari_mpseg.provenance import Provenance
    from napari_mpseg.pyramids import displayed
    from napari_mpseg.settings import to_dict

    how: dict[str, Any] = {"calibration": calibration, "on_progress": on_progress, "cancel": cancel}
    if measured:
        return Counted(count_particles(data, settings, numbered=True, probability=probability, **how))
    boxes, lazy = count_and_label(data, settings, graded=graded, probability=probability, **how)
    shown = displayed(lazy, editable=True)
    cancel.check()
    table = measure_for_review(
        lazy if shown[1] else shown[0],
        probability=data if graded else probability,
        calibration=calibration,
        on_progress=on_progress,
        cancel=cancel,
    )
    record = Provenance("count", to_dict(settings), dict(table.provenance.get("inputs", {}))).to_dict()
    features = replace(table, provenance=record).to_features()
    same = {}
    if earlier is not None and has_changes(earlier[0]):
        same = same_particles(*earlier, boxes, lazy if shown[1] else shown[0], cancel)
    return Counted(boxes, shown, features, same)


def count_cut(
    cut: Cut, settings: Any, *, graded: bool, calibration: Any, on_progress: ProgressCallback, cancel: CancelToken
) -> tuple[np.ndarray, int]:
    """Return a picture of what is in view, joined strands in one colour, and how many particles are on it."""
    from napari_mpseg.particles.counting.count import count_and_label
    from napari_mpseg.particles.counting.source import CountSource

    data = np.asarray(cut.data)
    _, lazy = count_and_label(
        data, settings, graded=graded, calibration=calibration, tile=max(1, *data.shape), cancel=cancel
    )
    labels = lazy.compute(scheduler="synchronous")
    source = CountSource(data, graded=graded, threshold=settings.threshold)
    top, left = cut.origin
    y0, y1, x0, x1 = cut.box
    view = slice(y0 - top, y1 - top), slice(x0 - left, x1 - left)
    shown = labels[view]
    return coloured(shown, source.mask(data)[view]), len(np.unique(shown[shown > 0]))
