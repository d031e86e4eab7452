"""A drop-down of the viewer's layers of one kind, kept in step with the layer list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QComboBox, QSizePolicy, QWidget

# How many are keeping what is active, by the hash of the selection, which napari's proxies of it share.
_KEPT: Counter[int] = Counter()


@contextmanager
def keeping_active(viewer: Any) -> Iterator[None]:
    """Add or remove layers of the plugin's own and leave selected what was; no :class:`LayerChoice` follows meanwhile.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
    """
    layers = viewer.layers
    selected, active = set(layers.selection), layers.selection.active
    key = hash(layers.selection)
    _KEPT[key] += 1
    try:
        yield
    finally:
        try:
            layers.selection = {layer for layer in selected if layer in layers}
            if active is not None and active in layers:
                layers.selection.active = active
        finally:
            _KEPT[key] -= 1


class LayerChoice(QComboBox):
    """Choose one layer.

    A layer that a user adds, or makes active in the layer list, becomes the choice if it is `preferred`; results
    of this plugin are offered but never chosen by themselves. What napari makes active because another layer was
    deleted, and what is active again after :func:`keeping_active`, is not the user's doing.

    Parameters
    ----------
    layers : napari.components.LayerList
        The viewer's layers.
    accepts : callable
        Whether a layer belongs in the list.
    preferred : callable, optional
        Whether a layer may be chosen without the user's doing; default all that are accepted.
    none : str, optional
        If given, a first entry of this text stands for "no layer".
    """

    layer_changed = Signal(object)

    def __init__(
        self,
        layers: Any,
        accepts: Callable[[Any], bool],
        *,
        preferred: Callable[[Any], bool] = lambda layer: True,
        none: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._layers = layers
        self._accepts = accepts
        self._preferred = preferred
        self._none = none
        self._shown: list[Any] = []
        self._announced: Any = None
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumContentsLength(12)
        self.currentIndexChanged.connect(self._announce)
        self._removal = QTimer(self)  # runs until napari has chosen what is active in place of a deleted layer
        self._removal.setSingleShot(True)
        layers.events.inserted.connect(self._on_inserted)
        layers.events.removed.connect(self._on_removed)
        layers.events.reordered.connect(self._refresh)
        layers.events.renamed.connect(self._refresh)
        layers.selection.events.active.connect(self._on_active)
        self._refresh()
        self._on_active()

    @property
    def layer(self) -> Any:
        """The chosen layer, or None."""
        index = self.currentIndex() - bool(self._none)
        return self._shown[index] if 0 <= index < len(self._shown) else None

    def choose(self, layer: Any) -> None:
        """Make `layer` the choice; None chooses the "no layer" entry."""
        if layer is None:
            self.setCurrentIndex(0 if self._none else -1)
        else:
            self.setCurrentIndex(self._shown.index(layer) + bool(self._none))

    def disconnect_layers(self) -> None:
        """Stop listening to the layer list, before this widget is deleted."""
        events = self._layers.events
        events.inserted.disconnect(self._on_inserted)
        events.removed.disconnect(self._on_removed)
        for emitter in (events.reordered, events.renamed):
            emitter.disconnect(self._refresh)
        self._layers.selection.events.active.disconnect(self._on_active)

    def _may_choose(self, layer: Any) -> bool:
        return layer is not None and layer in self._shown and self._preferred(layer)

    def _on_inserted(self, event: Any) -> None:
        self._refresh()
        if self._may_choose(event.value):
            self.choose(event.value)

    def _on_removed(self, event: Any) -> None:
        self._removal.start(0)
        self._refresh()

    def _on_active(self, event: Any = None) -> None:
        if _KEPT[hash(self._layers.selection)] or self._removal.isActive():
            return
        active = self._layers.selection.active
        if self._may_choose(active):
            self.choose(active)

    def _refresh(self, event: Any = None) -> None:
        """List the layers anew, top of the layer list first, and keep the choice."""
        chosen = self.layer
        self.blockSignals(True)
        self._shown = [layer for layer in reversed(self._layers) if self._accepts(layer)]
        self.clear()
        if self._none:
            self.addItem(self._none)
        for layer in self._shown:
            self.addItem(layer.name)
            self.setItemData(
                self.count() - 1,
                f"{layer.name}, {' x '.join(map(str, layer.data.shape))} {layer.data.dtype}"
                if hasattr(layer.data, "shape")
                else layer.name,
                3,
            )  # 3 = tool tip
        if chosen in self._shown:
            self.choose(chosen)
        elif not self._none:
            fitting = [layer for layer in self._shown if self._preferred(layer)]
            self.choose((fitting or self._shown or [None])[0])
        self.blockSignals(False)
        self._announce()

    def _announce(self) -> None:
        layer = self.layer
        if layer is not self._announced:
            self._announced = layer
            self.layer_changed.emit(layer)
