"""A list of the viewer's labels layers, of which those that were measured can be ticked."""

from __future__ import annotations

from typing import Any

from napari.layers import Labels
from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtWidgets import QListWidget, QListWidgetItem, QWidget

_MOST_ROWS = 4
_ROW = 20  # pixels


def is_measured(layer: Any) -> bool:
    """Return whether a labels layer has a particle table with something measured."""
    features = layer.features
    if not isinstance(layer, Labels) or "index" not in features:
        return False
    return any(dtype.kind in "fiu" for name, dtype in features.dtypes.items() if name not in ("index", "plane"))


class MeasuredLayers(QListWidget):
    """Tick one or several measured labels layers.

    As long as no more than one is ticked, the layer that a user makes active in the layer list is taken.

    Parameters
    ----------
    layers : napari.components.LayerList
        The viewer's layers.

    Signals
    -------
    changed()
        Other layers are ticked.
    measured_again()
        The table of a ticked layer was replaced.
    """

    changed = Signal()
    measured_again = Signal()

    def __init__(self, layers: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layers = layers
        self._listened: list[Any] = []
        self._announced: list[Any] = []
        self.setToolTip("Labels layers whose particles are plotted; tick several to compare images")
        self.setSelectionMode(QListWidget.SelectionMode.NoSelection)
        self.itemChanged.connect(self._announce)
        for emitter in self._emitters():
            emitter.connect(self._refresh)
        layers.selection.events.active.connect(self._on_active)
        self._refresh()

    @property
    def chosen(self) -> list[Any]:
        """The ticked layers, in the order of the list."""
        return [layer for layer, item in self._items() if item.checkState() == Qt.CheckState.Checked]

    @property
    def measured(self) -> list[Any]:
        """All measured layers."""
        return [layer for layer, item in self._items() if item.flags() & Qt.ItemFlag.ItemIsUserCheckable]

    def choose(self, layers: list[Any]) -> None:
        """Tick these layers and no others."""
        self.blockSignals(True)
        for layer, item in self._items():
            if item.flags() & Qt.ItemFlag.ItemIsUserCheckable:
                item.setCheckState(Qt.CheckState.Checked if layer in layers else Qt.CheckState.Unchecked)
        self.blockSignals(False)
        self._announce()

    def disconnect_layers(self) -> None:
        """Stop listening, before this widget is deleted."""
        for emitter in self._emitters():
            emitter.disconnect(self._refresh)
        self._layers.selection.events.active.disconnect(self._on_active)
        for layer in self._listened:
            layer.events.features.disconnect(self._on_features)
        self._listened = []

    def sizeHint(self) -> QSize:
        """Return the height of all rows, four at most."""
        rows = min(max(self.count(), 1), _MOST_ROWS)
        return QSize(200, rows * _ROW + 8)

    def minimumSizeHint(self) -> QSize:
        """Return the same: rows are not hidden while there is room."""
        return QSize(120, self.sizeHint().height())

    def _emitters(self) -> list[Any]:
        events = self._layers.events
        return [events.inserted, events.removed, events.reordered, events.renamed]

    def _items(self) -> list[tuple[Any, QListWidgetItem]]:
        items = [self.item(row) for row in range(self.count())]
        return [(item.data(Qt.ItemDataRole.UserRole), item) for item in items]

    def _refresh(self, event: Any = None) -> None:
        """List the labels layers anew, top of the layer list first, and keep what is ticked."""
        ticked = self.chosen
        labels = [layer for layer in reversed(self._layers) if isinstance(layer, Labels)]
        self._listen(labels)
        measured = [layer for layer in labels if is_measured(layer)]
        ticked = [layer for layer in ticked if layer in measured]
        active = self._layers.selection.active
        if not ticked and measured:
            ticked = [active if active in measured else measured[0]]
        self.blockSignals(True)
        self.clear()
        for layer in labels:
            self._add(layer, measured=layer in measured, ticked=layer in ticked)
        self.setMaximumHeight(self.sizeHint().height())
        self.updateGeometry()
        self.blockSignals(False)
        self._announce()

    def _add(self, layer: Any, *, measured: bool, ticked: bool) -> None:
        item = QListWidgetItem(layer.name if measured else f"{layer.name}  (not measured)")
        item.setData(Qt.ItemDataRole.UserRole, layer)
        item.setSizeHint(QSize(0, _ROW))
        if measured:
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked)
        else:
            item.setFlags(Qt.ItemFlag.NoItemFlags)
        self.addItem(item)

    def _listen(self, labels: list[Any]) -> None:
        for layer in self._listened:
            if layer not in labels:
                layer.events.features.disconnect(self._on_features)
        for layer in labels:
            if layer not in self._listened:
                layer.events.features.connect(self._on_features)
        self._listened = labels

    def _on_features(self, event: Any = None) -> None:
        before = self.measured
        if [layer for layer in before if not is_measured(layer)] or any(
            is_measured(layer) for layer, _ in self._items() if layer not in before
        ):
            self._refresh()
        if event is None or any(event.source is layer for layer in self.chosen):
            self.measured_again.emit()

    def _on_active(self, event: Any = None) -> None:
        active = self._layers.selection.active
        if active in self.measured and len(self.chosen) <= 1:
            self.choose([active])

    def _announce(self, item: Any = None) -> None:
        chosen = self.chosen
        if chosen != self._announced:
            self._announced = chosen
            self.changed.emit()
