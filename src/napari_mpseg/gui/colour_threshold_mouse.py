"""Clicks on an image, wherever the layers above it have their own tools."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

_SLACK = 4  # screen pixels that a hand moves during a click


class ClickTool:
    """Takes clicks on an image until it is stopped; dragging still pans.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
    take : callable
        Gets row and column of the clicked pixel, and whether Shift was held.
    """

    def __init__(self, viewer: Any, take: Callable[[int, int, bool], None]) -> None:
        self._viewer, self._take = viewer, take
        self._layer: Any = None

    def start(self, layer: Any) -> None:
        """Take the clicks on a layer, which becomes the active one so that no tool of another one works."""
        self.stop()
        self._layer = layer
        self._viewer.layers.selection.active = layer
        self._viewer.mouse_drag_callbacks.append(self._on_press)

    def stop(self) -> None:
        """Take no more clicks."""
        self._layer = None
        if self._on_press in self._viewer.mouse_drag_callbacks:
            self._viewer.mouse_drag_callbacks.remove(self._on_press)

    def _on_press(self, viewer: Any, event: Any) -> Iterator[None]:
        start = np.asarray(event.pos, float) if getattr(event, "pos", None) is not None else None
        button = getattr(event, "button", 1)
        yield
        while event.type == "mouse_move":
            yield
        if button != 1 or self._layer is None or self._layer != self._viewer.layers.selection.active:
            return  # the click was for the tool of another layer
        if start is not None and np.abs(np.asarray(event.pos, float) - start).max() > _SLACK:
            return
        where = np.asarray(self._layer.world_to_data(event.position[-self._layer.ndim :]))[-2:]
        row, column = (int(value) for value in np.floor(where + 0.5))
        self._take(row, column, "Shift" in event.modifiers)
