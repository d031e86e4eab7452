"""Which layers are likely to be meant in *Evaluate against truth*. No Qt here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from napari.layers import Image, Labels

from napari_mpseg.gui.evaluate_input import full, may_be_mask
from napari_mpseg.layers import is_graded, role_of

_TRUTH_WORDS = ("truth", "expert", "mask", "label", "annotat")


def can_be_compared(layer: Any) -> bool:
    """Return whether a layer is labels or a mask, of the user's own or particles that were found."""
    return isinstance(layer, (Labels, Image)) and role_of(layer) in ("", "particles") and may_be_mask(layer)


def likely_truth(layers: Iterable[Any], predicted: Any) -> Any:
    """Return the one layer that can be meant: made by no method, of the same size, labels or called like truth.

    None if there are several, or the prediction is not known to be one.
    """
    shape = tuple(full(predicted).shape[-2:])
    found = [
        layer
        for layer in layers
        if can_be_compared(layer)
        and layer != predicted
        and not role_of(layer)
        and tuple(full(layer).shape[-2:]) == shape
        and (isinstance(layer, Labels) or any(word in layer.name.lower() for word in _TRUTH_WORDS))
    ]
    return found[0] if len(found) == 1 and role_of(predicted) else None


def likely_probability(layers: Iterable[Any], predicted: Any) -> Any:
    """Return the probability of the image that a prediction was made from, the latest; None if there is none.

    A layer of a method that says yes or no only is none.
    """
    record = predicted.metadata.get("napari-mpseg", {}) if isinstance(predicted.metadata, dict) else {}
    found = [
        layer
        for layer in layers
        if role_of(layer) == "probability"
        and layer.metadata["napari-mpseg"].get("source") == record.get("source")
        and tuple(full(layer).shape) == tuple(full(predicted).shape)
        and is_graded(layer)
    ]
    return found[-1] if found else None
