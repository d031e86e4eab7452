"""The list of ranges of colour: which count, and buttons to add, copy, remove, undo."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QGridLayout, QListWidget, QListWidgetItem, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from napari_mpseg.gui.colour_threshold_state import Row, RowsHistory

_MOST_ROWS = 4


class RangeList(QWidget):
    """Shows the rows of a history, and changes them.

    Parameters
    ----------
    history : RowsHistory
        Whose rows are shown.

    Signals
    -------
    changed()
        The user changed the rows, or chose another one.
    """

    changed = Signal()

    def __init__(self, history: RowsHistory, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._history = history
        self.list = QListWidget()
        self.list.setToolTip("Colours that lie in any ticked range are particle. Click a line to change that range.")
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.list.currentRowChanged.connect(self._choose)
        self.list.itemChanged.connect(self._tick)
        self.add_button = _button("Add", "One range more, at first of every colour: pick its colour", self.add)
        self.copy_button = _button("Duplicate", "One range more, a copy of this one", self.copy)
        self.remove_button = _button("Remove", "Take this range away", self.remove)
        self.undo_button = _button("Undo", "Take the last change of the ranges back", self.undo)
        self.redo_button = _button("Redo", "Do again what was taken back", self.redo)
        buttons = QGridLayout()
        buttons.setSpacing(4)
        for column, button in enumerate((self.add_button, self.copy_button, self.remove_button)):
            buttons.addWidget(button, 0, 2 * column, 1, 2)
        buttons.addWidget(self.undo_button, 1, 0, 1, 3)
        buttons.addWidget(self.redo_button, 1, 3, 1, 3)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.list)
        layout.addLayout(buttons)
        self.refresh()

    def refresh(self) -> None:
        """Show the rows of now."""
        now = self._history.now
        self.list.blockSignals(True)
        while self.list.count() > len(now.rows):
            self.list.takeItem(self.list.count() - 1)
        for number, row in enumerate(now.rows):
            item = self.list.item(number) or QListWidgetItem("", self.list)
            item.setText(row.text(short=True))
            item.setToolTip(row.text())
            item.setCheckState(Qt.CheckState.Checked if row.on else Qt.CheckState.Unchecked)
        self.list.setCurrentRow(now.current)
        height = self.list.sizeHintForRow(0) * max(2, min(len(now.rows), _MOST_ROWS))
        self.list.setFixedHeight(height + 2 * self.list.frameWidth() + 4)
        self.list.blockSignals(False)
        self.undo_button.setEnabled(self._history.can_undo)
        self.redo_button.setEnabled(self._history.can_redo)

    def add(self) -> None:
        """Add a range of every colour, in the colour space of the one in the form."""
        now = self._history.now
        self._change(lambda: self._history.change(now.added(Row(type(now.row.range)(now.row.range.space)))))

    def copy(self) -> None:
        """Add a copy of the range in the form."""
        now = self._history.now
        self._change(lambda: self._history.change(now.added(now.row)))

    def remove(self) -> None:
        """Take the range in the form away."""
        self._change(lambda: self._history.change(self._history.now.without_current()))

    def undo(self) -> None:
        """Take the last change back."""
        self._change(self._history.undo)

    def redo(self) -> None:
        """Do again what was undone last."""
        self._change(self._history.redo)

    def _choose(self, number: int) -> None:
        if number >= 0:
            now = self._history.now
            self._change(lambda: self._history.change(type(now)(now.rows, number)))

    def _tick(self, item: QListWidgetItem) -> None:
        number, now = self.list.row(item), self._history.now
        row = now.rows[number]
        on = item.checkState() == Qt.CheckState.Checked
        self._change(lambda: self._history.change(now.with_row(Row(row.range, on, row.excluded), number)))

    def _change(self, do: Callable[[], object]) -> None:
        self._history.settle()
        do()
        self.refresh()
        self.changed.emit()


def _button(text: str, tip: str, slot: Callable[[], None]) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.clicked.connect(lambda: slot())
    return button
