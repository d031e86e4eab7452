"""Which image a layer of labels belongs to."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from napari.layers import Image, Labels

from napari_mpseg.gui.evaluate_input import full, may_be_mask
from napari_mpseg.layers import role_of

_TRUTH_WORDS = ("truth", "expert", "mask", "annotat")
_ROLES_OF_NO_LABELS = ("errors", "probability")


class Owners:
    """Knows or finds out which image labels were made from.

    What the user said goes first. Then what the labels tell: the image they were made from, or the longest name of an
    image that is part of their own. That is kept, so that renaming a layer later changes nothing, and labels of an
    image that was closed are not given to another one. Last, the only image of their size, or the only one that lies
    where they lie.

    Parameters
    ----------
    layers : napari.components.LayerList
    """

    def __init__(self, layers: Any) -> None:
        self._layers = layers
        self._said: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
        self._told: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()

    def say(self, labels: Any, image: Any) -> None:
        """Keep what the user said."""
        self._said[labels] = image

    def of(self, labels: Any, among: Iterable[Any] = ()) -> Any:
        """Return the image layer that labels, or a truth, belong to; None where that cannot be known.

        Parameters
        ----------
        labels : layer
        among : iterable of layers, optional
            Images that come into question where the labels tell nothing; default all of the viewer.
        """
        if labels in self._said and self._said[labels] in self._layers:
            return self._said[labels]
        if labels in self._told:
            return self._told[labels] if self._told[labels] in self._layers else None
        wanted = list(among)
        images = self._images(labels, wanted)
        found = _source_of(labels, images) or _named_in(labels, images)
        if found is not None:
            self._told[labels] = found
            return found
        if _record(labels).get("source"):  # of an image that is not there, or has another name now
            return None
        return _only_one(labels, [image for image in images if not wanted or image in wanted])

    def _images(self, labels: Any, wanted: list[Any]) -> list[Any]:
        """Return all images of the labels' size; a mask that is called a truth only if it is wanted."""
        return [
            layer
            for layer in self._layers
            if layer is not labels
            and is_image(layer)
            and (layer in wanted or not named_as_truth(layer))
            and size_of(layer) == size_of(labels)
        ]


def is_image(layer: Any) -> bool:
    """Return whether methods can be run on a layer: an image that is no result."""
    return isinstance(layer, Image) and not role_of(layer)


def may_be_truth(layer: Any) -> bool:
    """Return whether a layer holds labels or a mask."""
    return isinstance(layer, (Labels, Image)) and role_of(layer) not in _ROLES_OF_NO_LABELS and may_be_mask(layer)


def named_as_truth(layer: Any) -> bool:
    """Return whether a layer is a mask that is called a truth."""
    return may_be_truth(layer) and any(word in layer.name.lower() for word in _TRUTH_WORDS)


def size_of(layer: Any) -> tuple[int, int]:
    """Return height and width of a layer in pixels."""
    shape = full(layer).shape
    ahead = layer.ndim - 2
    return int(shape[ahead]), int(shape[ahead + 1])


def method_of(labels: Any) -> str:
    """Return the name of the method that a result was found with; empty if it is none."""
    record = _record(labels).get("provenance")
    settings = record.get("settings") if isinstance(record, dict) else None
    return str(settings.get("method", "")) if isinstance(settings, dict) else ""


def without_name(text: str, name: str) -> str:
    """Return a text without the name of an image in it, and without what joined the two.

    Examples
    --------
    >>> without_name("fold_2_005 by hand", "fold_2_005"), without_name("by_hand-A", "A"), without_name("A", "A")
    ('by hand', 'by_hand', '')
    """
    found = _whole_word(name).search(text)
    if found is None:
        return text
    parts = (text[: found.start()].strip(" _-.:,"), text[found.end() :].strip(" _-.:,"))
    return " ".join(part for part in parts if part)


def _record(layer: Any) -> dict[str, Any]:
    record = layer.metadata.get("napari-mpseg") if isinstance(layer.metadata, dict) else None
    return record if isinstance(record, dict) else {}


def _source_of(labels: Any, images: list[Any]) -> Any:
    source = _record(labels).get("source")
    return next((image for image in images if image.name == source), None)


def _named_in(labels: Any, images: list[Any]) -> Any:
    found = [image for image in images if image.name and _whole_word(image.name).search(labels.name)]
    return max(found, key=lambda image: len(image.name), default=None)


def _whole_word(name: str) -> re.Pattern[str]:
    """Return a pattern for a name that is not the beginning or the end of another: "filter 1" is not in "filter 10"."""
    return re.compile(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", re.IGNORECASE)


def _only_one(labels: Any, images: list[Any]) -> Any:
    if len(images) > 1:
        place = _place(labels)
        images = [image for image in images if np.allclose(_place(image), place)]
    return images[0] if len(images) == 1 else None


def _place(layer: Any) -> np.ndarray:
    """Return where the corners of a layer's picture lie in the world."""
    return np.asarray(layer.extent.world)[:, -2:]
