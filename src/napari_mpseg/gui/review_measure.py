"""The rows of particles that were edited, measured anew. No Qt here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from napari_mpseg.calibration import Calibration
from napari_mpseg.gui.review_pixels import Plane
from napari_mpseg.gui.review_rows import rows_of
from napari_mpseg.particles.review.definitions import UNCLASSIFIED
from napari_mpseg.particles.review.edits import Box, LabelEdit
from napari_mpseg.particles.review.remeasure import measure_labels_again
from napari_mpseg.particles.table import property_of

Frame = Any  # a pandas.DataFrame; the stubs know too little of cells of any type
_STAYS = ("class", "keep", "class_assigned", "plane", "confidence")


def new_rows(
    layer: Any,
    features: Frame,
    sources: Any,
    plane: Plane,
    edit: LabelEdit,
    within: Box,
    parents: Mapping[int, int],
) -> Frame:
    """Return the rows of all labels that an edit changed, after it; rows of labels that are gone are empty.

    Measured columns are measured anew. Decisions stay, those of a new label are its parent's. Other columns of text
    stay; other numbers, which somebody computed from the particle as it was, become missing.

    Parameters
    ----------
    layer : napari.layers.Labels
        With the edited pixels.
    features : pandas.DataFrame
        As before the edit.
    sources : Sources
        Where brightness and confidence come from.
    plane : Plane
        Where the edit was made.
    edit : LabelEdit
        What changed.
    within : tuple of int
        A rectangle that holds all labels it changed, before and after.
    parents : mapping of int to int
        The label that a new one came from.
    """
    columns = [str(name) for name in features.columns if name != "index"]
    measured_again = measure_labels_again(
        plane.pixels,
        edit.affected,
        within,
        columns,
        image=sources.image(plane.index),
        probability=sources.probability(plane.index),
        perimeter=_perimeter(layer),
        calibration=table_calibration(features, layer),
    )
    measured: Frame = measured_again.set_index("label")
    before = rows_of(features, edit.affected)
    sizes = _sizes_before(features, edit)
    after = before.copy()
    for label in edit.affected:
        if label not in measured.index:
            after.loc[label] = np.nan
            continue
        was_there = not pd.isna(before.at[label, "keep"])
        if not was_there:
            source = parents.get(label)
            after.loc[label] = rows_of(features, [source]).iloc[0] if source is not None else np.nan
            if source is None:
                after.at[label, "keep"] = True
                if "plane" in after:
                    after.at[label, "plane"] = _plane_number(layer, plane)
        elif edit.action == "merge":
            _take_decisions(after, before, label, sizes)
        if pd.isna(after.at[label, "class"]):
            after.at[label, "class"] = UNCLASSIFIED
        for name in columns:
            if name in measured and not pd.isna(measured.at[label, name]):
                after.at[label, name] = measured.at[label, name]
            elif name == "confidence":
                after.at[label, name] = _confidence(edit, label, before, sizes, parents)
            elif name in measured or (name not in _STAYS and _is_computed(features[name])):
                after.at[label, name] = np.nan
    return after


def _is_computed(column: Any) -> bool:
    return isinstance(column.dtype, np.dtype) and column.dtype.kind == "f"


def table_calibration(features: Frame, layer: Any) -> Calibration:
    """Return the pixel size that a table was measured with.

    The layer's, if it fits the table's areas; else that of square pixels which does.
    """
    from napari_mpseg.images.layers import layer_calibration

    column = next((str(name) for name in features if str(name).startswith("area_") and str(name) != "area_px"), None)
    if column is None or "area_px" not in features or not column.endswith("2"):
        unit = _unit_of(features)
        own = layer_calibration(layer)
        return own if own.unit == unit else Calibration()
    ratio = (features[column] / features["area_px"]).to_numpy(float, na_value=np.nan)
    ratio = ratio[np.isfinite(ratio)]
    unit = column.removeprefix("area_").removesuffix("2")
    own = layer_calibration(layer)
    if own.calibrated and own.unit != unit:
        own = own.converted(unit)
    if not len(ratio):
        return own
    size = float(np.median(ratio))
    if own.calibrated and np.isclose(own.pixel_size[0] * own.pixel_size[1], size, rtol=1e-6):
        return own
    return Calibration((size**0.5, size**0.5), unit, "table")


def measured_as(features: Frame, layer: Any) -> tuple[Any, ...]:
    """Return how a table was measured: columns, pixel size and estimator of the perimeter, to be compared."""
    columns = sorted(str(name) for name in features if property_of(str(name)) is not None)
    calibration = table_calibration(features, layer)
    # the last digits of a pixel size that was worked out from areas depend on which particles there are
    size = tuple(float(f"{length:.7g}") for length in calibration.pixel_size)
    return tuple(columns), size, calibration.unit, _perimeter(layer)


def _unit_of(features: Frame) -> str:
    for name in map(str, features.columns):
        entry = property_of(name)
        if entry is not None and entry.kind == "length" and not name.endswith("_px"):
            return name.rpartition("_")[2]
    return ""


def _plane_number(layer: Any, plane: Plane) -> int:
    return int(np.ravel_multi_index(plane.index, layer.data.shape[:-2])) if plane.index else 0


def _sizes_before(features: Frame, edit: LabelEdit) -> dict[int, float]:
    areas = rows_of(features, edit.affected, ["area_px"])
    if "area_px" not in areas:
        return dict.fromkeys(edit.affected, 1.0)
    return {int(label): 0.0 if pd.isna(area) else float(area) for label, area in areas["area_px"].items()}


def _take_decisions(after: Frame, before: Frame, label: int, sizes: Mapping[int, float]) -> None:
    """Give a merged particle the class of its largest part that has one, and keep it if any part was kept."""
    largest = sorted(before.index, key=lambda one: -sizes[one])
    for name in ("class", "class_assigned"):
        if name in before:
            named = [one for one in largest if before.at[one, "class"] not in (UNCLASSIFIED, None)]
            named = [one for one in named if not pd.isna(before.at[one, "class"])]
            after.at[label, name] = before.at[named[0], name] if named else before.at[label, name]
    after.at[label, "keep"] = any(
        before.at[one, "keep"] == 1 for one in before.index if not pd.isna(before.at[one, "keep"])
    )


def _confidence(
    edit: LabelEdit, label: int, before: Frame, sizes: Mapping[int, float], parents: Mapping[int, int]
) -> float:
    """Return the mean probability where it cannot be measured: the mean of merged parts, else as it was."""
    if edit.action == "merge":
        known = [one for one in before.index if not pd.isna(before.at[one, "confidence"])]
        weight = sum(sizes[one] for one in known)
        return sum(sizes[one] * before.at[one, "confidence"] for one in known) / weight if weight else float("nan")
    return float(before.at[parents.get(label, label), "confidence"])


def _perimeter(layer: Any) -> str:
    """Return the estimator that the layer's table was measured with, where its record says so."""
    value: Any = layer.metadata
    for key in ("napari-mpseg", "provenance", "settings"):
        value = value.get(key) if isinstance(value, Mapping) else None
    name = value.get("perimeter", "imagej") if isinstance(value, Mapping) else "imagej"
    return name if isinstance(name, str) else "imagej"
