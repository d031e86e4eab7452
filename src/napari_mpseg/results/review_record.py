"""The record of the review that is kept with labels: in the store, or as JSON beside a TIFF."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_mpseg.exchange.names import labels_stem
from napari_mpseg.particles.review.audit import KEY


def record_beside(path: str | os.PathLike[str]) -> Path:
    """Return where the record of labels in a TIFF lies, whether there is one or not."""
    return Path(path).with_name(f"{labels_stem(path)}_review.json")


def read_review(path: str | os.PathLike[str]) -> Mapping[str, Any]:
    """Return what this package keeps with a layer of these labels, and has stored with them; often nothing.

    Parameters
    ----------
    path : path-like
        A store of labels, or a file.
    """
    path = Path(path)
    if path.is_dir():
        return _in_json(path / "zarr.json", "attributes", KEY)
    return _in_json(record_beside(path), KEY)


def _in_json(path: Path, *keys: str) -> Mapping[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    for key in keys:
        values = values.get(key) if isinstance(values, dict) else None
    return values if isinstance(values, dict) else {}
