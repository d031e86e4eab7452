"""Colours of a labels layer: its own, a colour for each particle, rejected ones dimmed, and a highlight on top.

Each can be taken back in any order. Only this module changes a layer's colour map.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
from napari.utils.colormaps import CyclicLabelColormap, DirectLabelColormap
from numpy.typing import NDArray

from napari_mpseg.plots.colours import HIGHLIGHT

_LARGEST_TABLE = 2**16  # colours that napari looks up by label; above, it needs a dictionary with few colours
_DIMMED = (0.55, 0.55, 0.55, 0.4)
_REJECTED = np.array((0.45, 0.45, 0.45, 0.3), np.float32)

_known: weakref.WeakKeyDictionary[Any, LabelColours] = weakref.WeakKeyDictionary()


def colours_of(layer: Any) -> LabelColours:
    """Return the colours of a labels layer, the same object for all who ask."""
    layer = getattr(layer, "__wrapped__", layer)  # napari hands widgets proxies
    if layer not in _known:
        _known[layer] = LabelColours(layer)
    return _known[layer]


class LabelColours:
    """The colours of one labels layer. Use :func:`colours_of`.

    Parameters
    ----------
    layer : napari.layers.Labels
        Its colour map is kept when others are shown, and brought back.
    """

    def __init__(self, layer: Any) -> None:
        self._layer = weakref.ref(layer)
        self._own: Any = None
        self._colours: NDArray[np.float32] | None = None
        self._highlight: NDArray[np.int64] | None = None
        self._rejected: NDArray[np.bool_] | None = None
        self._shown: Any = None
        self._busy = False

    @property
    def own(self) -> Any:
        """The layer's own colour map while another is shown, else None."""
        return self._own

    @property
    def dimmed(self) -> bool:
        """Whether rejected particles are dimmed."""
        return self._rejected is not None

    @property
    def coloured(self) -> bool:
        """Whether particles have colours by a column."""
        return self._colours is not None

    @property
    def highlighted(self) -> bool:
        """Whether some particles are highlighted."""
        return self._highlight is not None

    def colour(self, colours: NDArray[np.float32]) -> None:
        """Colour the particles.

        Parameters
        ----------
        colours : numpy.ndarray
            float32 ``(largest label + 1, 4)``; row ``i`` is the colour of label ``i``.
        """
        self._colours = colours
        self._apply()

    def highlight(self, labels: Any) -> None:
        """Show some particles in one bright colour and the others dimmed, whatever their colours are."""
        self._highlight = np.unique(np.asarray(labels, np.int64))
        self._apply()

    def clear_highlight(self) -> None:
        """Show the colours below the highlight again."""
        self._highlight = None
        self._apply()

    def dim(self, rejected: NDArray[np.bool_]) -> None:
        """Dim particles in whatever colours they have.

        Parameters
        ----------
        rejected : numpy.ndarray
            bool ``(largest label + 1,)``; fewer than napari has colours for.
        """
        layer = self._layer()
        same = self._rejected is not None and np.array_equal(rejected, self._rejected)
        if layer is not None and same and layer.colormap is self._shown:
            return
        self._rejected = rejected.copy()
        self._apply()

    def clear_dim(self) -> None:
        """Show rejected particles in the colours of all others again."""
        self._rejected = None
        self._apply()

    def restore(self) -> None:
        """Bring back the layer's own colours; a highlight stays on top of them."""
        self._colours = None
        self._apply()

    def _apply(self) -> None:
        layer = self._layer()
        if layer is None:
            return
        if self._colours is None and self._highlight is None and self._rejected is None:
            self._give_back(layer)
            return
        if self._own is None:
            self._own = layer.colormap
            layer.events.colormap.connect(self._on_colormap)
        self._show(layer, _colormap(self._table(layer)))

    def _show(self, layer: Any, colormap: Any) -> None:
        colormap.use_selection, colormap.selection = layer.show_selected_label, layer.selected_label
        self._busy = True
        try:
            with layer.events.selected_label.blocker():  # nothing was selected: the view must not move
                layer.colormap = colormap
        finally:
            self._busy = False
        self._shown = layer.colormap

    def _give_back(self, layer: Any) -> None:
        if self._own is not None:
            layer.events.colormap.disconnect(self._on_colormap)
            own, self._own, self._shown = self._own, None, None
            self._show(layer, own)
            self._shown = None

    def _on_colormap(self, event: Any = None) -> None:
        """Take colours that somebody else gave the layer for its own; rejected particles are dimmed in them too."""
        layer = self._layer()
        if layer is None or self._busy or layer.colormap is self._shown:
            return
        self._own = layer.colormap
        if self._colours is None and self._highlight is None:
            self._apply()

    def _table(self, layer: Any) -> NDArray[np.float32]:
        """Return the colour of each label."""
        if self._highlight is None:
            return self._below_highlight(layer)
        largest = max(_largest_label(layer), int(self._highlight.max(initial=0)))
        table = np.tile(np.asarray(_DIMMED, np.float32), (largest + 1, 1))
        if self._colours is not None:  # what is hidden stays hidden
            hidden = np.flatnonzero(self._colours[: largest + 1, 3] == 0)
            table[hidden] = 0
        table[self._highlight] = _rgba(HIGHLIGHT)
        return table

    def _below_highlight(self, layer: Any) -> NDArray[np.float32]:
        """Return the particles' colours or the layer's own, the rejected ones dimmed."""
        rejected = self._rejected if self._rejected is not None else np.zeros(0, bool)
        if self._colours is not None:
            table = self._colours.copy()
        else:
            data = layer.data[0] if layer.multiscale else layer.data
            table = np.array(self._own.map(np.arange(len(rejected), dtype=data.dtype)), np.float32)
        rejected = rejected[: len(table)]
        visible = table[: len(rejected), 3] > 0  # what is hidden stays hidden
        table[: len(rejected)][rejected & visible] = _REJECTED
        return table


def _largest_label(layer: Any) -> int:
    features = layer.features
    if "index" in features and len(features):
        return int(features["index"].max())
    data = layer.data[-1] if layer.multiscale else layer.data
    return int(np.max(np.asarray(data), initial=0))


def _colormap(table: NDArray[np.float32]) -> Any:
    table = table.copy()
    table[0] = 0
    if len(table) < 2:
        table = np.zeros((2, 4), np.float32)
    if len(table) <= _LARGEST_TABLE:
        return CyclicLabelColormap(colors=table)
    # names of colours are looked up in a cache, which is much quicker than a hundred thousand arrays
    levels = np.rint(table * 255).astype(np.uint8)
    unique, which = np.unique(levels, axis=0, return_inverse=True)
    names = ["#" + "".join(f"{part:02x}" for part in row) for row in unique.tolist()]
    colours: dict[int | None, str] = dict(enumerate(names[at] for at in which.ravel().tolist()))
    return DirectLabelColormap(color_dict={**colours, None: "#00000000"})


def _rgba(colour: str) -> NDArray[np.float32]:
    return np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)] + [1], np.float32)
