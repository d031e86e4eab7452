"""Rejected particles dimmed: the layer's own colours, with grey for those that do not count. No Qt here."""

from __future__ import annotations

from typing import Any

import numpy as np

_GREY = np.array((0.45, 0.45, 0.45, 0.3), np.float32)
LIMIT = 2**16
"""Labels that napari can give a colour of their own at once."""


class Shade:
    """Dims rejected particles of one labels layer, and gives its colours back.

    Parameters
    ----------
    layer : napari.layers.Labels
        The layer.
    """

    def __init__(self, layer: Any) -> None:
        self._layer = layer
        self._base: Any = None
        self._colours = np.empty((0, 4), np.float32)
        self._mine: Any = None
        self._busy = False
        self._shown = np.zeros(0, bool)

    @property
    def on(self) -> bool:
        """Whether rejected particles are dimmed."""
        return self._base is not None

    def show(self, rejected: np.ndarray) -> bool:
        """Dim the labels that are true in `rejected`; False if there are too many labels for that."""
        if len(rejected) >= LIMIT:
            self.hide()
            return False
        if not self.on:
            self._base = self._layer.colormap
            self._layer.events.colormap.connect(self._on_colours)
        elif np.array_equal(rejected, self._shown) and self._layer.colormap is self._mine:
            return True
        self._apply(rejected)
        return True

    def hide(self) -> None:
        """Give the layer the colours back that it had, or was given meanwhile."""
        if not self.on:
            return
        self._layer.events.colormap.disconnect(self._on_colours)
        base, self._base, self._mine = self._base, None, None
        self._shown = np.zeros(0, bool)
        self._colours = np.empty((0, 4), np.float32)
        self._layer.colormap = base

    def _apply(self, rejected: np.ndarray) -> None:
        from napari.utils.colormaps import CyclicLabelColormap

        self._shown = rejected.copy()
        if len(self._colours) != len(rejected):
            labels = np.arange(len(rejected), dtype=self._labels_dtype())
            self._colours = np.asarray(self._base.map(labels), np.float32)
            self._colours[0] = 0
        colours = np.where(rejected[:, np.newaxis], _GREY, self._colours)
        mine = CyclicLabelColormap(colors=colours, name="review")
        mine.use_selection = self._layer.show_selected_label
        mine.selection = self._layer.selected_label
        self._busy = True
        try:
            with self._layer.events.selected_label.blocker():  # nothing was selected: the view must not move
                self._layer.colormap = mine
        finally:
            self._busy = False
        self._mine = self._layer.colormap

    def _labels_dtype(self) -> Any:
        data = self._layer.data[0] if self._layer.multiscale else self._layer.data
        return data.dtype

    def _on_colours(self, event: Any = None) -> None:
        """Dim in the new colours that somebody gave the layer."""
        if self._busy or self._layer.colormap is self._mine:
            return
        self._base = self._layer.colormap
        self._colours = np.empty((0, 4), np.float32)
        self._apply(self._shown)
