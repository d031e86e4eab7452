"""Measuring a labels layer in a thread: plane by plane, and renumbered where asked or needed. No Qt here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_mpseg.errors import ImageError
from napari_mpseg.gui.planes import join_tables, within_plane
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback


@dataclass(frozen=True)
class Measured:
    """What measuring a labels layer gave.

    Attributes
    ----------
    table : ParticleTable
        One row per particle.
    features : pandas.DataFrame
        The same as ``Labels.features``.
    labels : numpy.ndarray or None
        Renumbered labels for a new layer; None if the table belongs to the user's own layer.
    notes : tuple of str
        What the user should know about the labels.
    """

    table: Any
    features: Any
    labels: Any
    notes: tuple[str, ...]


def measure_labels(
    labels: Any,
    images: Sequence[Any] = (),
    *,
    calibration: Any,
    renumber: bool,
    probabilities: Sequence[Any] = (),
    properties: Sequence[str] | None = None,
    perimeter: str = "imagej",
    on_progress: ProgressCallback,
    cancel: CancelToken,
) -> Measured:
    """Measure labels of one plane or many.

    Parameters
    ----------
    labels : array
        ``(Y, X)`` or ``(planes..., Y, X)``, integer, 0 = background. Never changed.
    images : sequence of Image
        None, one, or one per plane: for the intensities.
    calibration : Calibration
        Pixel size.
    renumber : bool
        Give each connected piece a label of its own, 1, 2, 3 ..., in a copy.
    probabilities : sequence of Image
        None, one, or one per plane: for the confidence.
    properties, perimeter
        As in :func:`~napari_mpseg.particles.measure.measure`.
    on_progress, cancel
        As everywhere.

    Raises
    ------
    ImageError
        If the labels are negative or the shapes do not fit.
    """
    from napari_mpseg.particles.reviewable import measure_for_review

    planes = int(np.prod(labels.shape[:-2]))
    flat = labels.reshape(planes, *labels.shape[-2:])
    pieces = _pieces(flat, on_progress, cancel) if isinstance(flat, np.ndarray) else None
    notes = []
    if planes > 1 and not renumber and _shared_between_planes(flat):
        renumber = True
        notes.append(
            "Some labels lie in several planes. Particles are measured plane by plane, so each got a label of its own."
        )
    if renumber and pieces is None:
        raise ImageError(
            "Labels that are not in memory cannot be renumbered here. Untick “Renumber”, or write them with "
            "`napari-mpseg measure` on the command line."
        )
    measured = pieces if renumber and pieces is not None else flat
    if len(probabilities) != planes:
        probabilities = ()
    if len(images) not in (0, planes):
        raise ImageError(
            f"The image has {len(images)} planes, the labels {planes}. Choose the image these labels were made from."
        )
    tables = [
        measure_for_review(
            measured[plane],
            images[plane] if images else None,
            probability=probabilities[plane] if probabilities else None,
            properties=properties,
            perimeter=perimeter,
            calibration=calibration,
            on_progress=within_plane(on_progress, plane, planes),
            cancel=cancel,
        )
        for plane in range(planes)
    ]
    table = tables[0] if planes == 1 else _stacked(tables)
    if not renumber:
        try:
            features = table.to_features()
        except ImageError:  # label numbers so far apart that the layer's table would be empty rows
            again = measure_labels(
                labels,
                images,
                calibration=calibration,
                renumber=True,
                probabilities=probabilities,
                properties=properties,
                perimeter=perimeter,
                on_progress=on_progress,
                cancel=cancel,
            )
            return Measured(
                again.table,
                again.features,
                again.labels,
                (
                    "The label numbers lie too far apart for a layer's table, so a renumbered copy was made.",
                    *again.notes,
                ),
            )
        notes += _oddities(table, pieces)
        return Measured(table, features, None, tuple(notes))
    return Measured(table, table.to_features(), measured.reshape(labels.shape), tuple(notes))


def _pieces(flat: np.ndarray, on_progress: ProgressCallback, cancel: CancelToken) -> np.ndarray:
    """Return a copy in which each connected piece (8 neighbours) has its own number, dense over all planes."""
    from skimage.measure import label

    found = np.zeros(flat.shape, np.int32)
    count = 0
    for plane, one in enumerate(flat):
        cancel.check()
        on_progress(Progress("Looking at the labels", plane, len(flat), "planes"))
        numbers, more = label(one, background=0, connectivity=2, return_num=True)
        found[plane] = np.where(numbers > 0, numbers + count, 0)
        count += int(more)
    return found


def _shared_between_planes(flat: Any) -> bool:
    seen: set[int] = set()
    for plane in flat:
        here = set(np.unique(np.asarray(plane)).tolist()) - {0}
        if seen & here:
            return True
        seen |= here
    return False


def _stacked(tables: Sequence[Any]) -> Any:
    """Join tables whose labels already differ from plane to plane."""
    from dataclasses import replace

    joined = join_tables(tables)
    numbers = np.concatenate([table.labels for table in tables])
    frame = joined.frame.assign(label=numbers).sort_values("label", ignore_index=True)
    return replace(joined, frame=frame)


def _oddities(table: Any, pieces: np.ndarray | None) -> list[str]:
    numbers = table.labels
    notes = []
    gaps = int(numbers.max(initial=0)) - len(numbers)
    if gaps:
        notes.append(
            f"{gaps:,} label number{'s are' if gaps > 1 else ' is'} not used between 1 and {int(numbers.max()):,}; "
            "their rows are empty."
        )
    apart = int(pieces.max(initial=0)) - len(numbers) if pieces is not None else 0
    if apart > 0:
        notes.append(
            f"Some labels lie in several pieces ({apart:,} more than there are labels); each label was measured as one "
            "particle. Tick “Renumber” to count the pieces, in a new layer."
        )
    return notes
