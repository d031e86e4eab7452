"""Which layers can be counted on, what they hold, and what was counted on them before. No Qt here."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary, ref

import numpy as np
from napari.layers import Image, Labels

from napari_mpseg.gui.instances_preview import ROLE as PREVIEW
from napari_mpseg.gui.review_table import can_be_reviewed
from napari_mpseg.layers import role_of
from napari_mpseg.particles.counting.boxes import CountedBoxes
from napari_mpseg.particles.counting.record import counted_of
from napari_mpseg.particles.review.audit import audit_of

COUNTED_ON = "counted_on"  # in the metadata of labels that were made by counting: the name of the layer
_COUNTED_ON: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()  # the same while napari is open, whatever the names


def is_source(layer: Any) -> bool:
    """Whether a layer can hold particles: labels, a mask, or what may be a probability (8 bits, real numbers)."""
    if layer.ndim != 2:
        return False
    if isinstance(layer, Labels):
        return True
    return isinstance(layer, Image) and not layer.rgb and role_of(layer) != PREVIEW and _fits(pixels_of(layer).dtype)


def is_preferred(layer: Any) -> bool:
    """Whether a layer may become the choice by itself."""
    return isinstance(layer, Labels) or role_of(layer) == "probability" or is_mask(layer)


def is_mask(layer: Any) -> bool:
    """Whether an image layer is true and false."""
    return isinstance(layer, Image) and bool(np.dtype(pixels_of(layer).dtype) == np.bool_)


def is_graded_source(layer: Any) -> bool:
    """Whether a layer is taken as a probability."""
    return isinstance(layer, Image) and not is_mask(layer)


def is_plain(layer: Any) -> bool:
    """Whether a layer is taken as a probability, but may just as well be any grey picture."""
    return is_graded_source(layer) and role_of(layer) != "probability"


def pixels_of(layer: Any) -> Any:
    """Return what a layer holds, at full resolution."""
    return layer.data[0] if layer.multiscale else layer.data


def emitters_of(layer: Any) -> list[Any]:
    """Return the events that tell of other pixels."""
    names = ("data", "paint", "labels_update")
    return [emitter for name in names if (emitter := getattr(layer.events, name, None)) is not None]


def origin_of(layer: Any) -> str:
    """Return the name of the image that the particles were found on, as far as it is known."""
    return str(_record(layer).get("source", layer.name))


def itself(layer: Any) -> Any:
    """Return a layer without the proxy that napari hands to plugins."""
    return getattr(layer, "__wrapped__", layer)


def boxes_now(layer: Any) -> CountedBoxes | None:
    """Return the count that is kept with labels, with what was decided on these since; None without one."""
    kept = counted_of(layer.metadata)
    if kept is None or not can_be_reviewed(layer) or "keep" not in layer.features:
        return kept
    keep = layer.features["keep"]
    there = {int(label): bool(kept_now) for label, kept_now in keep[keep.notna()].items() if label}
    every = {label for labels in kept.frame["labels"] for label in labels}
    return kept.decided({label: there.get(label, False) for label in every}, audit_of(layer.metadata).reviewed())


def note_counted_on(labels: Any, source: Any) -> None:
    """Remember which layer some labels were counted on."""
    _COUNTED_ON[itself(labels)] = ref(itself(source))


def earlier_of(viewer: Any, source: Any) -> Any:
    """Return the labels that the last count on a layer made, with its boxes; None if there are none."""
    for layer in reversed(list(viewer.layers)):
        same = isinstance(layer, Labels) and pixels_of(layer).shape == pixels_of(source).shape
        if same and _made_from(layer, itself(source)) and counted_of(layer.metadata) is not None:
            return layer
    return None


def _made_from(labels: Any, source: Any) -> bool:
    known = _COUNTED_ON.get(labels)
    if known is not None:
        return bool(known() is source)
    return bool(_record(labels).get(COUNTED_ON) == source.name)  # opened from a file


def _fits(dtype: Any) -> bool:
    kind = np.dtype(dtype)
    return bool(kind == np.bool_ or kind == np.uint8 or kind.kind == "f")


def _record(layer: Any) -> Any:
    record = layer.metadata.get("napari-mpseg") if isinstance(layer.metadata, dict) else None
    return record if isinstance(record, dict) else {}
