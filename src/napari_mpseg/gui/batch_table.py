"""The table of a batch: a row per image with what is known of it and what has become of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QSizePolicy, QTableWidget, QTableWidgetItem, QWidget

from napari_mpseg.gui.batch_work import FAILED, BatchRow

_MOST_ROWS = 12
_NAME, _STATE = 0, 1
_WIDEST = 150  # pixels of a column, so that the others are seen beside it
_WIDEST_STATE = 240  # a count, and how it was made
_FAILED = QColor("#D55E00")  # vermilion of Okabe and Ito


class _Cell(QTableWidgetItem):
    """Text that sorts as people do: ``a2`` before ``a10``."""

    def __lt__(self, other: QTableWidgetItem) -> bool:
        return _natural(self.text()) < _natural(other.text())


class BatchTable(QTableWidget):
    """Images, their states, and what is known of them.

    Signals
    -------
    opened(object)
        The path of the image whose row was double clicked, or on which Enter was pressed; may come twice.
    """

    opened = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().setVisible(False)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 7)
        for chosen in (self.cellDoubleClicked, self.cellActivated):  # with the mouse, or with Enter
            chosen.connect(lambda row, column: self.opened.emit(self._path(row)))
        self._rows: list[BatchRow] = []
        self._columns: list[str] = []
        self._states: dict[Path, QTableWidgetItem] = {}

    @property
    def rows(self) -> list[BatchRow]:
        """The images, in their order."""
        return list(self._rows)

    def fill(self, rows: Sequence[BatchRow]) -> None:
        """Show images, in place of those before."""
        self.setSortingEnabled(False)
        columns = list(dict.fromkeys(column for row in rows for column in row.values))
        self._rows, self._columns, self._states = list(rows), columns, {}
        self.setRowCount(0)  # or cells of before would move into rows of now
        self.setColumnCount(len(columns) + 3)
        self.setRowCount(len(rows))
        self._heads()
        for number, row in enumerate(rows):
            self._fill_row(number, row)
            self.show_state(row.path, row.state, row.tip)
        self.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)
        self._fit()

    def show_state(self, path: Path, text: str, tip: str = "") -> None:
        """Say what has become of an image."""
        cell = self._states.get(path)
        if cell is None:
            return
        if cell.text() != text:
            cell.setText(text)
        cell.setToolTip(f"<p>{escape(tip)}</p>" if tip else "")  # rich text wraps
        cell.setData(Qt.ItemDataRole.UserRole, tip)
        font = cell.font()
        font.setBold(text == FAILED)
        cell.setFont(font)
        cell.setData(Qt.ItemDataRole.ForegroundRole, _FAILED if text == FAILED else None)

    def state(self, path: Path) -> str:
        """Return what an image's row says."""
        return self._states[path].text() if path in self._states else ""

    def reason(self, path: Path) -> str:
        """Return why that is so."""
        return str(self._states[path].data(Qt.ItemDataRole.UserRole)) if path in self._states else ""

    def _heads(self) -> None:
        heads = [
            ("image", "Double click on one that is done to look at its particles"),
            ("state", "Rest the mouse on one that failed for the reason"),
            ("pixel size", "As the file says; what you give below stands above it"),
            *((column.replace("_", " "), f"{column}, from the file name or the sheet") for column in self._columns),
        ]
        for column, (text, tip) in enumerate(heads):
            item = QTableWidgetItem(text)
            item.setToolTip(f"{tip}. Click to sort.")
            self.setHorizontalHeaderItem(column, item)

    def _fill_row(self, number: int, row: BatchRow) -> None:
        name = _Cell(row.name)
        name.setData(Qt.ItemDataRole.UserRole, row.path)
        name.setToolTip(str(row.path))
        self._states[row.path] = _Cell()
        size = _Cell(row.size)
        size.setToolTip(row.size_tip)
        cells = [name, self._states[row.path], size, *(_Cell(row.values.get(key, "")) for key in self._columns)]
        for column, cell in enumerate(cells):
            self.setItem(number, column, cell)

    def _fit(self) -> None:
        """Be as tall as the rows, and show as much of each column as there is room for."""
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setResizeContentsPrecision(_MOST_ROWS)
        self.resizeColumnsToContents()
        for column in range(self.columnCount()):
            self.setColumnWidth(column, min(self.columnWidth(column), _WIDEST if column != _STATE else _WIDEST_STATE))
        least = self.fontMetrics().horizontalAdvance("123,456 particles") + 12
        self.setColumnWidth(_STATE, max(least, self.columnWidth(_STATE)))
        shown = max(1, min(len(self._rows), _MOST_ROWS)) * self.verticalHeader().defaultSectionSize()
        bar = self.horizontalScrollBar().sizeHint().height()
        self.setFixedHeight(shown + header.sizeHint().height() + bar + 2 * self.frameWidth() + 2)

    def _path(self, row: int) -> Any:
        return self.item(row, _NAME).data(Qt.ItemDataRole.UserRole)


def _natural(text: str) -> list[tuple[int, int, str]]:
    parts = re.split(r"(\d+)", text.replace(",", ""))
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part.casefold()) for part in parts if part]
