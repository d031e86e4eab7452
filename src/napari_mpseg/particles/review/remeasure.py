"""Measuring a few labels anew after an edit, as measuring the whole image would."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from napari_mpseg.calibration import Calibration
from napari_mpseg.images.axes import RGB
from napari_mpseg.images.image import Image
from napari_mpseg.particles.measure import measure
from napari_mpseg.particles.review.edits import Box
from napari_mpseg.particles.table import property_of

MARGIN = 64
"""Pixels around the particles that are read as well, for properties that look at a particle's surroundings."""

_PLACE = re.compile(r"_([yx])[01]?(?:_px)?$")
"""How the stems of properties end that say where something lies in the image."""


def measure_labels_again(
    labels: Any,
    chosen: Sequence[int],
    within: Box,
    columns: Iterable[str],
    *,
    image: Image | None = None,
    probability: Any = None,
    perimeter: str = "imagej",
    calibration: Calibration | None = None,
    margin: int = MARGIN,
) -> pd.DataFrame:
    """Measure some labels in one rectangle.

    Parameters
    ----------
    labels : array
        ``(Y, X)``, integer, 0 = background.
    chosen : sequence of int
        Which labels; those that are not there any more get no row.
    within : tuple of int
        A rectangle that holds all of them.
    columns : iterable of str
        Columns of the table that is to be kept right; those that no property gives are left out.
    image : Image, optional
        For intensities; without, their columns are missing values.
    probability : array, optional
        ``(Y, X)``; for the confidence; without, it is a missing value.
    perimeter : str
        Estimator of the perimeter, as the table was measured with.
    calibration : Calibration, optional
        Pixel size of the table.
    margin : int
        How far around the particles is read.

    Returns
    -------
    pandas.DataFrame
        ``label`` and the columns, in the order given; the values are those of :func:`~napari_mpseg.particles.measure`
        on the whole image.
    """
    wanted = [column for column in columns if property_of(column) is not None]
    given = _given(image, probability)
    entries = [entry for entry in map(property_of, wanted) if entry is not None]
    names = sorted({entry.name for entry in entries if entry.given in given}) or ["area"]
    y0, x0 = max(within[0] - margin, 0), max(within[1] - margin, 0)
    y1, x1 = (min(within[2 + axis] + margin, int(labels.shape[axis])) for axis in (0, 1))
    place = (slice(y0, y1), slice(x0, x1))
    table = measure(
        np.asarray(labels[place]),
        None if image is None else replace(image, data=np.asarray(image.data[place])),
        calibration=calibration,
        properties=names,
        perimeter=perimeter,
        probability=None if probability is None else np.asarray(probability[place]),
    )
    frame = table.frame[np.isin(table.labels, list(chosen))].reset_index(drop=True)
    frame = frame.assign(**{column: values + shift for column, values, shift in _moved(frame, calibration, y0, x0)})
    return frame.reindex(columns=["label", *wanted])


def _given(image: Image | None, probability: Any) -> set[str]:
    """Return what there is to measure on, as :data:`~napari_mpseg.particles.property.Given` says it."""
    given = {""}
    if image is not None:
        given.add("image")
        if tuple(channel.strip().lower() for channel in image.channels) == RGB:
            given.add("rgb")
    if probability is not None:
        given.add("probability")
    return given


def _moved(frame: pd.DataFrame, calibration: Calibration | None, y0: int, x0: int) -> list[tuple[str, Any, float]]:
    """Return the columns that are places, and by how much the rectangle is away from the image's first pixel."""
    size = calibration.pixel_size if calibration is not None else (1.0, 1.0)
    moved = []
    for column in map(str, frame.columns):
        entry = property_of(column)
        stem = next((one for one in entry.stems if column.startswith(one)), "") if entry is not None else ""
        place = _PLACE.search(stem)
        if entry is None or place is None:
            continue
        axis = "yx".index(place[1])
        in_units = entry.kind == "length" and not column.endswith("_px")
        moved.append((column, frame[column], (y0, x0)[axis] * (size[axis] if in_units else 1)))
    return moved
