"""Telling result stores of this package from other folders, and the record of the run inside them."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_mpseg.errors import ImageError
from napari_mpseg.inference.store import LABELS_GROUP, ResultArrays

ATTRIBUTE = "napari-mpseg"
"""Name of the attribute of a result store's root that holds the record of the run."""


def write_record(arrays: ResultArrays, record: Mapping[str, Any]) -> None:
    """Write the record of the run into the attributes of its store."""
    import zarr

    root = zarr.open_group(arrays.labels.store, mode="r+")
    root.attrs[ATTRIBUTE] = json.loads(json.dumps(record, default=str))


def read_record(path: str | os.PathLike[str]) -> dict[str, Any] | None:
    """Return the record of the run in the result store at `path`, or None if that is no result store."""
    attributes = _attributes(Path(path))
    record = attributes.get(ATTRIBUTE)
    return record if isinstance(record, dict) and (Path(path) / LABELS_GROUP).is_dir() else None


def refuse_results(source: Any) -> None:
    """Refuse a result store, or labels in OME-Zarr, where an image is needed; anything else passes.

    Raises
    ------
    ImageError
        Says which image the results are of.
    """
    if not isinstance(source, (str, os.PathLike)):
        return
    path = Path(source)
    record = read_record(path)
    if record is not None:
        made_from = dict(record.get("inputs") or {}).get("source", "the image")
        raise ImageError(
            f"{path} holds results of napari-mpseg and is not an image. Give the image they were made from "
            f"({made_from}), or measure the labels: napari-mpseg measure {path}"
        )
    ome = _attributes(path).get("ome")
    if isinstance(ome, dict) and "image-label" in ome:
        raise ImageError(
            f"{path} holds labels and is not an image. Give the image they were made from, or measure them: "
            f"napari-mpseg measure {path}"
        )


def _attributes(path: Path) -> dict[str, Any]:
    try:
        values = json.loads((path / "zarr.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):  # whoever opens it as an image says what is wrong
        return {}
    attributes = values.get("attributes") if isinstance(values, dict) else None
    return attributes if isinstance(attributes, dict) else {}
