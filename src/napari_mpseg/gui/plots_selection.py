"""Particles chosen in a plot, shown in their labels layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.gui.colour_labels import colours_of
from napari_mpseg.gui.particle_table import centre_on

Labels = NDArray[np.int64]


class ChosenParticles:
    """Which labels of which layers are chosen; they are highlighted there and the others dimmed.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
        Where the layers are shown.
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self._labels: dict[Any, Labels] = {}
        self._highlighted: list[Any] = []

    @property
    def labels(self) -> dict[Any, Labels]:
        """Chosen labels of each layer, rising; layers without any are left out."""
        return {layer: labels for layer, labels in self._labels.items() if len(labels)}

    @property
    def count(self) -> int:
        """Number of chosen particles."""
        return sum(map(len, self._labels.values()))

    def take(self, labels: Mapping[Any, Labels], among: list[Any], *, add: bool = False) -> None:
        """Choose particles.

        Parameters
        ----------
        labels : mapping of layer to labels
            Which.
        among : list of layers
            All layers of the plot: in those without a chosen particle all are dimmed.
        add : bool
            Beside those that are chosen already.
        """
        before = self._labels if add else {}
        empty = np.empty(0, np.int64)
        self._labels = {
            layer: np.union1d(before.get(layer, empty), np.asarray(labels.get(layer, empty), np.int64))
            for layer in among
        }
        self._show()

    def clear(self) -> None:
        """Choose nothing, and give the layers their colours back."""
        self._labels = {}
        self._show()

    def go_to(self, layer: Any, label: int) -> None:
        """Select one particle in napari too, and bring it into view."""
        viewer = self._viewer
        viewer.layers.selection.active = layer
        layer.selected_label = label
        centre_on(viewer, layer, label)

    def _show(self) -> None:
        wanted = list(self._labels) if self.count else []
        for layer in self._highlighted:
            if layer not in wanted:
                colours_of(layer).clear_highlight()
        for layer in wanted:
            colours_of(layer).highlight(self._labels[layer])
        self._highlighted = wanted
