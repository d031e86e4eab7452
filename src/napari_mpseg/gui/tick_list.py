"""A list of things to tick."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QListWidget, QListWidgetItem, QSizePolicy, QWidget

_MOST_ROWS = 6


class TickList(QListWidget):
    """Entries that can be ticked, as tall as they need up to `most_rows`.

    Signals
    -------
    changed()
        An entry was ticked or unticked.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None, most_rows: int = _MOST_ROWS) -> None:
        super().__init__(parent)
        self._most_rows = most_rows
        self.setSelectionMode(QListWidget.SelectionMode.NoSelection)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._values: list[Any] = []
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.itemChanged.connect(lambda item: self.changed.emit())

    def fill(self, entries: Iterable[tuple[Any, str, str]], ticked: Sequence[Any]) -> None:
        """Show entries.

        Parameters
        ----------
        entries : iterable of tuple
            What :attr:`ticked` gives, its text, and its tool tip.
        ticked : sequence
            Which of them are ticked.
        """
        self.blockSignals(True)
        self.clear()
        self._values = []
        for value, text, tip in entries:
            item = QListWidgetItem(text, self)
            self._values.append(value)
            item.setToolTip(tip)
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked if value in ticked else Qt.CheckState.Unchecked)
        rows = max(1, min(self.count(), self._most_rows))
        height = self.sizeHintForRow(0) if self.count() else self.fontMetrics().height() + 4
        self.setFixedHeight(rows * height + 2 * self.frameWidth() + 4)
        self.blockSignals(False)
        self.changed.emit()

    @property
    def ticked(self) -> list[Any]:
        """The values of the ticked entries, in their order."""
        return [value for row, value in enumerate(self._values) if self.item(row).checkState() == Qt.CheckState.Checked]

    @property
    def values(self) -> list[Any]:
        """The values of all entries."""
        return list(self._values)

    def tick(self, value: Any, on: bool = True) -> None:
        """Tick or untick an entry."""
        row = self._values.index(value)
        self.item(row).setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)
