"""The table of metrics in the widget *Evaluate against truth*."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QSizePolicy, QTableWidget, QTableWidgetItem, QWidget

from napari_mpseg.errors import MpsegError

_MOST_ROWS = 14
_LENGTHS = ("size-wasserstein",)
_BETTER = {"higher": "Higher is better.", "lower": "Lower is better.", "zero": "Zero is best."}


class ScoreTable(QTableWidget):
    """One row per metric: its name, its value, and its definition as a tool tip."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, 2, parent)
        self._scores: list[tuple[Any, float]] = []
        self.setHorizontalHeaderLabels(["metric", "value"])
        self.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.verticalHeader().setVisible(False)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 7)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def fill(self, scores: Sequence[tuple[Any, float]], unit: str = "px") -> None:
        """Show metrics, each a ``MetricEntry``, with their values; `unit` is that of those that are lengths."""
        self._scores = list(scores)
        self.setRowCount(len(scores))
        for row, (entry, value) in enumerate(scores):
            tip = f"<p>{escape(entry.definition)}</p><p>{escape(entry.undefined)} {_BETTER.get(entry.better, '')}</p>"
            if entry.source:
                tip += f"<p>{escape(entry.source)}</p>"
            title = f"{entry.title} ({unit})" if entry.name in _LENGTHS else entry.title
            for column, text in enumerate((title, f"{value:.4g}")):
                item = QTableWidgetItem(text)
                item.setToolTip(tip)
                if column:
                    item.setTextAlignment(int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter))
                self.setItem(row, column, item)
        rows = max(1, min(len(scores), _MOST_ROWS))
        height = self.rowHeight(0) if scores else self.fontMetrics().height() + 8
        self.setFixedHeight(rows * height + self.horizontalHeader().sizeHint().height() + 2 * self.frameWidth() + 2)

    def text(self, separator: str = "\t") -> str:
        """Return the table with a heading, in full precision, to be pasted into a spreadsheet."""
        told = io.StringIO()
        writer = csv.writer(told, delimiter=separator, lineterminator="\n")
        writer.writerow(["metric", "value"])
        writer.writerows((entry.name, f"{value:.10g}") for entry, value in self._scores)
        return told.getvalue()

    def save(self, path: Path) -> None:
        """Save the table as CSV.

        Raises
        ------
        MpsegError
            If the name has another ending, or the place cannot be written.
        """
        from napari_mpseg.files import finished_at

        if path.suffix.lower() != ".csv":
            raise MpsegError(f"The table cannot be saved as {path.suffix!r}. Name the file .csv.")
        with finished_at(path) as part:
            part.write_text(self.text(","), encoding="utf-8")
