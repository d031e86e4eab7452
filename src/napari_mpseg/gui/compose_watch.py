"""Noticing that the pixels of layers changed, whoever changed them, and whether or not they are chosen just then."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

_CHANGES = ("data", "paint", "labels_update")
_MAYBE = ("set_data", "reload")  # emitted after refresh(), but also whenever another part is looked at
_PART = 2**22  # pixels that are summed up at once


class LayerVersions:
    """Counts how often the pixels of layers changed.

    A layer is watched from when its version is first asked for. Pixels that were changed in place are noticed once
    the layer is refreshed, as napari does not tell of them: those of arrays in memory are then compared by a check sum.

    Parameters
    ----------
    on_change : callable
        Called when the pixels of a layer changed.
    """

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._watched: list[_Watched] = []

    def of(self, layer: Any) -> int:
        """Return the version of a layer: another one after every change."""
        for one in self._watched:  # napari hands widgets proxies: only == tells a layer
            if one.layer == layer:
                return one.version
        one = _Watched(layer, self._on_change)
        self._watched.append(one)
        return one.version

    def stop(self) -> None:
        """Let go of all layers."""
        for one in self._watched:
            one.stop()
        self._watched.clear()


class _Watched:
    def __init__(self, layer: Any, on_change: Callable[[], None]) -> None:
        self.layer, self.version = layer, 0
        self._on_change = on_change
        self._sum = _check_sum(layer)
        for name, react in self._connections():
            getattr(layer.events, name).connect(react)

    def _connections(self) -> list[tuple[str, Callable[..., None]]]:
        known = [(name, self._changed) for name in _CHANGES] + [(name, self._refreshed) for name in _MAYBE]
        return [(name, react) for name, react in known if hasattr(self.layer.events, name)]

    def _changed(self, event: Any = None) -> None:
        self._sum = None  # taken anew at the next refresh
        self._count()

    def _refreshed(self, event: Any = None) -> None:
        before, self._sum = self._sum, _check_sum(self.layer)
        if before is not None and self._sum != before:
            self._count()

    def _count(self) -> None:
        self.version += 1
        self._on_change()

    def stop(self) -> None:
        for name, react in self._connections():
            getattr(self.layer.events, name).disconnect(react)


def _check_sum(layer: Any) -> int | None:
    """Return a check sum of an array in memory; None of others, which nobody changes in place."""
    data = layer.data
    if layer.multiscale or not isinstance(data, np.ndarray):
        return None
    found = 0
    rows = max(1, _PART * len(data) // max(data.size, 1))
    for first in range(0, len(data), rows):
        found = zlib.crc32(np.ascontiguousarray(data[first : first + rows]).data, found)
    return found
