"""Rejected particles dimmed, in whatever colours the layer has. No Qt here."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_mpseg.gui.colour_labels import colours_of

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
        self._colours = colours_of(layer)

    @property
    def on(self) -> bool:
        """Whether rejected particles are dimmed."""
        return self._colours.dimmed

    @property
    def _base(self) -> Any:
        """The layer's own colours, while others are shown."""
        return self._colours.own

    def show(self, rejected: np.ndarray) -> bool:
        """Dim the labels that are true in `rejected`; False if there are too many labels for that."""
        if len(rejected) >= LIMIT:
            self.hide()
            return False
        self._colours.dim(rejected)
        return True

    def hide(self) -> None:
        """Give the layer the colours back that it had, or was given meanwhile."""
        if self.on:
            self._colours.clear_dim()
