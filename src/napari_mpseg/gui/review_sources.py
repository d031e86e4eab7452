"""Where the brightness and the confidence of edited particles come from: other layers of the viewer. No Qt here."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from napari_mpseg.errors import MpsegError
from napari_mpseg.gui.review_step import Sources
from napari_mpseg.layers import role_of


def sources_of(viewer: Any, labels: Any, image: Any) -> Sources:
    """Return the sources for a labels layer.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
        Whose layers are looked at; the probability that the labels were made from is found by itself.
    labels : napari.layers.Labels
        The layer that is reviewed.
    image : napari.layers.Image or None
        For brightness.
    """
    pixels = None if image is None else _stack(image)
    found = probability_of(viewer, labels)
    probability = None if found is None else _stack(found)
    return Sources(lambda plane: _plane(pixels, plane), lambda plane: getattr(_plane(probability, plane), "data", None))


def probability_of(viewer: Any, labels: Any) -> Any:
    """Return the probability layer that a labels layer was made with, or None."""
    source = _record(labels).get("source")
    for layer in viewer.layers:
        if (
            role_of(layer) == "probability"
            and _record(layer).get("source") == source
            and _shape(layer) == _shape(labels)
        ):
            return layer
    return None


def image_of(viewer: Any, labels: Any) -> Any:
    """Return the image layer that a labels layer was most likely measured on, or None."""
    images = [layer for layer in viewer.layers if hasattr(layer, "rgb") and not role_of(layer)]
    fitting = [layer for layer in images if _plane_shape(layer) == _shape(labels)[-2:]]
    named = [layer for layer in fitting if layer.name == _record(labels).get("source")]
    if named:
        return named[0]
    with_brightness = any(str(name).startswith("intensity") for name in labels.features)
    return fitting[0] if with_brightness and len(fitting) == 1 else None


def _stack(layer: Any) -> Any:
    from napari_mpseg.images.open import open_stack

    data = layer.data[0] if layer.multiscale else layer.data
    seen = SimpleNamespace(
        data=data, rgb=layer.rgb, multiscale=False, name=layer.name, scale=layer.scale, units=layer.units
    )
    try:
        return open_stack(seen)
    except MpsegError:  # not an image that can be measured on
        return None


def _plane(stack: Any, plane: tuple[int, ...]) -> Any:
    if stack is None:
        return None
    sizes = stack.plane_shape
    if sizes and (len(sizes) != len(plane) or any(n >= size for n, size in zip(plane, sizes, strict=True))):
        return None
    return stack.image(plane if sizes else None)


def _record(layer: Any) -> Mapping[str, Any]:
    record = layer.metadata.get("napari-mpseg") if isinstance(layer.metadata, Mapping) else None
    return record if isinstance(record, Mapping) else {}


def _shape(layer: Any) -> tuple[int, ...]:
    data = layer.data[0] if layer.multiscale else layer.data
    return tuple(data.shape)


def _plane_shape(layer: Any) -> tuple[int, ...]:
    shape = _shape(layer)
    return shape[-3:-1] if getattr(layer, "rgb", False) else shape[-2:]
