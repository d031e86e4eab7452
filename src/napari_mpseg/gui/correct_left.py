"""Regions that were being painted on when their widget was closed, for the next one to go on with. No Qt here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from napari_mpseg.gui.correct_region import Region
from napari_mpseg.gui.correct_work import Taken


@dataclass(frozen=True)
class Left:
    """A region in the middle of being corrected.

    Attributes
    ----------
    region : Region
        Where.
    taken : Taken
        Its labels as they were.
    frame : napari.layers.Shapes
        Around it.
    hidden : tuple of napari.layers.Layer
        What was hidden while it is painted on.
    """

    region: Region
    taken: Taken
    frame: Any
    hidden: tuple[Any, ...]


# not in the layers' metadata, which is copied and saved with them
_LEFT: WeakKeyDictionary[Any, Left] = WeakKeyDictionary()


def leave(editor: Any, left: Left) -> None:
    """Remember what a layer that is painted on belongs to."""
    _LEFT[_itself(editor)] = left


def take_up(viewer: Any) -> tuple[Any, Left] | None:
    """Return a layer of :func:`leave` in a viewer, with what it belongs to, and forget it; None if there is none."""
    for layer in viewer.layers:
        left = _LEFT.get(_itself(layer))
        if left is not None and left.region.layer in viewer.layers:
            return layer, _LEFT.pop(_itself(layer))
    return None


def _itself(layer: Any) -> Any:
    return getattr(layer, "__wrapped__", layer)  # napari hands plugins proxies
