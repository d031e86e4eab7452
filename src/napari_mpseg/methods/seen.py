"""Which images a method has seen: a network, a forest or a method file, by its name or path; the bundled network."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_mpseg.errors import ModelError
from napari_mpseg.methods.protocol import Method
from napari_mpseg.methods.registry import FOLDER_CARDS, MethodEntry, resolve_method
from napari_mpseg.training.data.seen import NOTHING, UNKNOWN, SeenImages, seen_by_card


def seen_by(method: "str | os.PathLike[str] | Method") -> SeenImages:
    """Return the images that a method has seen; a method file has seen what its method has.

    Parameters
    ----------
    method : str, path or Method
        As :func:`~napari_mpseg.pipeline.segment` takes it. Nothing is loaded but the card.

    Raises
    ------
    UnknownNameError
        If there is no such method.
    ModelError
        If its card or file cannot be read.
    """
    found = resolve_method(method)
    if isinstance(found, MethodEntry):
        card = read_card(found)
        return NOTHING if card is None else seen_by_card(card)
    card = found.describe().get("model")
    return UNKNOWN if card is None else seen_by_card(card)


def read_card(entry: MethodEntry) -> Mapping[str, Any] | None:
    """Return the card of an entry as it is in its file; None of a method that has none, as it learns from nothing.

    Raises
    ------
    ModelError
        If it cannot be read.
    """
    if "path" in entry.options:
        return _read(Path(entry.options["path"]))
    if not entry.network:
        return None
    from napari_mpseg.networks.bundled import bundled_card
    from napari_mpseg.settings import to_dict

    plain: Mapping[str, Any] = to_dict(bundled_card())
    return plain


def _read(folder: Path) -> Mapping[str, Any]:
    place = card_of(folder)
    try:
        card = json.loads(place.read_text(encoding="utf-8")) if place is not None else None
    except (OSError, ValueError) as error:
        raise ModelError(f"{place} cannot be read: {error}. Copy the model again from where it came.") from error
    if not isinstance(card, Mapping):
        from napari_mpseg.networks.modelfile import models_in

        what = f"{folder} holds no card of a model" if place is None else f"{place} is no card of a model"
        others = models_in(folder)
        raise ModelError(f"{what}. Give the folder of a network or a forest.{others}")
    return card


def card_of(folder: Path) -> Path | None:
    """Return the file that says what is in a model's folder, if it is one."""
    return next((folder / name for name in FOLDER_CARDS if (folder / name).is_file()), None)
