"""What *Separate touching particles* reads from layers, and what it says in the end."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from napari.layers import Image, Labels

from napari_mpseg.gui.instances_preview import ROLE
from napari_mpseg.gui.instances_work import Separated
from napari_mpseg.gui.summary import size_table
from napari_mpseg.layers import role_of
from napari_mpseg.results.instances import told_apart


def is_source(layer: Any) -> bool:
    """Return whether particles can be taken from a layer."""
    return isinstance(layer, Labels) or (isinstance(layer, Image) and not layer.rgb and role_of(layer) != ROLE)


def is_mask(layer: Any) -> bool:
    """Return whether a layer is likely to be meant."""
    return isinstance(layer, Labels) or role_of(layer) == "probability"


def data_of(layer: Any) -> Any:
    """Return the pixels of a layer in full resolution."""
    return layer.data[0] if layer.multiscale else layer.data


def record_of(layer: Any) -> dict[str, Any]:
    """Return what this package noted on a layer."""
    record = layer.metadata.get("napari-mpseg") if isinstance(layer.metadata, dict) else None
    return record if isinstance(record, dict) else {}


def knows_instances(layer: Any) -> bool:
    """Return whether a method told the touching particles of a labels layer apart."""
    provenance = record_of(layer).get("provenance")
    return isinstance(layer, Labels) and isinstance(provenance, dict) and told_apart(provenance)


def identity(layer: Any) -> int:
    """Return what is the same for a layer and the proxies that napari hands out for it."""
    return id(getattr(layer, "__wrapped__", layer))


def mapping(text: str) -> dict[str, Any]:
    """Return what was remembered as JSON; nothing where it is spoilt."""
    try:
        values = json.loads(text)
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}


def summary(found: Separated, name: str) -> str:
    """Return what is said of a finished run, as HTML."""
    count = len(found.table)
    lines = [
        f"<b>{count:,} particle{'' if count == 1 else 's'}</b>, from {found.before:,} in {escape(name)}, "
        "in a new layer with its table"
    ]
    if count:
        lines.append(size_table(found.table))
    lines += [f"<b>Note:</b> {escape(text)}" for text in found.notes]
    return "".join(f"<div>{line}</div>" for line in lines)
