"""napari's writers for labels layers: scale, units and the table are kept, unlike with the built-in one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import CalibrationError
from napari_mpseg.gui.labels_files import LabelsFile, write_tiff, write_zarr
from napari_mpseg.results.corrections.place import LabelsPlace, place_in, place_of
from napari_mpseg.results.save_review import save_review


def write_labels_zarr(path: str, data: Any, meta: dict[str, Any]) -> list[str]:
    """Write one labels layer as ``NAME.ome.zarr``.

    Labels of a result that are saved in the place of that very result change nothing there but the table and the record
    of the review.

    Parameters
    ----------
    path : str
        Where to; ``NAME.zarr`` or a bare name becomes ``NAME.ome.zarr``.
    data, meta
        As napari gives them.

    Returns
    -------
    list of str
        The folder that was written.
    """
    target = Path(path)
    place = target.with_name(f"{target.name.removesuffix('.zarr').removesuffix('.ome')}.ome.zarr")
    labels = _labels(data, meta)
    own = result_of(labels.data, labels.metadata)
    if own is not None and place.exists() and place.samefile(own.store):
        return [str(written) for written in save_review(own, labels.features, labels.metadata)]
    # napari asked before overwriting `target`, not another name
    return [str(write_zarr(place, labels, overwrite=place == target))]


def write_labels_tiff(path: str, data: Any, meta: dict[str, Any]) -> list[str]:
    """Write one labels layer as OME-TIFF and its table as CSV beside it.

    Parameters and returned paths are as in :func:`write_labels_zarr`.
    """
    return [str(written) for written in write_tiff(Path(path), _labels(data, meta))]


def result_of(labels: Any, about: Mapping[str, Any]) -> LabelsPlace | None:
    """Return the result whose labels a layer shows, unchanged; None if it shows others.

    Parameters
    ----------
    labels : array
        Of the layer, in full resolution.
    about : mapping
        What this package keeps with the layer.
    """
    place = place_of(labels)
    if place is not None or not isinstance(labels, np.ndarray) or not about.get("store"):
        return place if place is not None and place.group else None
    place = place_in(str(about["store"]))
    if place is None or not place.group:
        return None
    stored = place.levels()[0]
    if stored.shape != labels.shape:
        return None
    rows = int(stored.chunks[0]) * 4
    same = (np.array_equal(stored[top : top + rows], labels[top : top + rows]) for top in range(0, len(labels), rows))
    return place if all(same) else None


def _labels(data: Any, meta: dict[str, Any]) -> LabelsFile:
    array = data[0] if meta.get("multiscale") or isinstance(data, (list, tuple)) else data
    ndim = array.ndim
    _warn_about_lost_place(meta, ndim)
    features = meta.get("features")
    return LabelsFile(
        data=array,
        features=features if features is not None and len(features.columns) else None,
        scale=tuple(float(size) for size in meta.get("scale", (1.0,) * ndim)),
        translate=tuple(float(shift) for shift in meta.get("translate", ())),
        unit=_unit(meta.get("units")),
        name=str(meta.get("name", "particles")),
        metadata=_kept(meta.get("metadata")),
    )


def _kept(metadata: Any) -> dict[str, Any]:
    """Return what this package keeps with a layer, as plain JSON values."""
    record = metadata.get("napari-mpseg") if isinstance(metadata, dict) else None
    kept: dict[str, Any] = json.loads(json.dumps(record, default=str)) if isinstance(record, dict) else {}
    return kept


def _unit(units: Any) -> str:
    if units is None:
        return "pixel"
    text = str(units if isinstance(units, str) else tuple(units)[-1])
    try:
        return Calibration(unit=text).unit_name
    except CalibrationError:  # not a length
        return "pixel"


def _warn_about_lost_place(meta: dict[str, Any], ndim: int) -> None:
    from napari.utils.notifications import show_warning

    plain = np.allclose(meta.get("rotate", np.eye(ndim)), np.eye(ndim)) and not np.any(meta.get("shear", 0))
    affine = np.asarray(meta.get("affine", np.eye(ndim + 1)))
    if not plain or not np.allclose(affine, np.eye(len(affine))):
        show_warning("Rotation, shear and affine transform of the layer are not saved; scale, units and place are.")
