"""The table of a comparison: a row per method, a column per metric, sorted by a click on a heading."""

from __future__ import annotations

import math
from html import escape
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QSizePolicy, QTableWidget, QTableWidgetItem, QWidget

_MOST_ROWS = 12
_BETTER = {"higher": "Higher is better.", "lower": "Lower is better.", "zero": "Zero is best."}
_NOTHING = "–"
_WIDEST_NAME = 140  # pixels, so that scores are seen beside it


class _Value(QTableWidgetItem):
    """A number that sorts as one; what is not there comes last."""

    def __init__(self, value: float | None, text: str) -> None:
        super().__init__(text)
        self.value = value
        self.setTextAlignment(int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter))

    def __lt__(self, other: QTableWidgetItem) -> bool:
        mine, theirs = (math.inf if one is None else one for one in (self.value, getattr(other, "value", None)))
        return bool(mine < theirs)


class ComparisonTable(QTableWidget):
    """Shows a :class:`~napari_mpseg.comparison.comparison.Comparison`; the best of each column is bold."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.verticalHeader().setVisible(False)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 7)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)

    @property
    def method(self) -> str:
        """Heading of the selected row; empty without one."""
        row = self.currentRow()
        return str(self.item(row, 0).data(Qt.ItemDataRole.UserRole)) if row >= 0 else ""

    def fill(self, comparison: Any) -> None:
        """Show a comparison."""
        from napari_mpseg.comparison.effort import effort_of

        self.setSortingEnabled(False)
        metrics = comparison.metrics
        self.setColumnCount(len(metrics) + 3)
        self.setRowCount(len(comparison.rows))
        self._heads(comparison)
        best = {metric.name: comparison.best(metric) for metric in metrics}
        for number, row in enumerate(comparison.rows):
            self.setItem(number, 0, _name(comparison, row))
            for column, metric in enumerate(metrics, 1):
                item = _score(comparison.score(row.label, metric), comparison.settings.level)
                font = item.font()
                font.setBold(row.label in best[metric.name])
                item.setFont(font)
                self.setItem(number, column, item)
            effort = effort_of(comparison.cases_of(row.label))
            for column, value in enumerate((effort.seconds, effort.peak_mib), len(metrics) + 1):
                self.setItem(number, column, _Value(value, _NOTHING if value is None else f"{value:.3g}"))
        self.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)
        self._fit(len(comparison.rows))
        self.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
        self.resizeColumnToContents(0)
        self.setColumnWidth(0, min(self.columnWidth(0), _WIDEST_NAME))

    def _heads(self, comparison: Any) -> None:
        from napari_mpseg.comparison.tables import unit_of

        heads = [("method", "A star: it learnt from one of the images, so its figures are too good")]
        for metric in comparison.metrics:
            source = f"<p>{escape(metric.source)}</p>" if metric.source else ""
            better = _BETTER.get(metric.better, "")
            told = f"<p>{escape(metric.definition)}</p><p>{escape(metric.undefined)} {better}</p>{source}"
            heads.append((metric.title + unit_of(comparison, metric), told))
        heads.append(("time (s)", "Wall time of segmenting all images, without loading the method"))
        heads.append(("memory (MiB)", "What the process held at most above what it held when an image was begun"))
        for column, (text, tip) in enumerate(heads):
            item = QTableWidgetItem(text)
            item.setToolTip(f"{tip}<p>Click to sort.</p>")
            self.setHorizontalHeaderItem(column, item)

    def _fit(self, rows: int) -> None:
        """Be as tall as the rows, with room for the scroll bar below them."""
        shown = max(1, min(rows, _MOST_ROWS)) * self.verticalHeader().defaultSectionSize()
        bar = self.horizontalScrollBar().sizeHint().height()
        self.setFixedHeight(shown + self.horizontalHeader().sizeHint().height() + bar + 2 * self.frameWidth() + 2)


def _name(comparison: Any, row: Any) -> QTableWidgetItem:
    item = QTableWidgetItem(comparison.name_of(row.label))
    item.setData(Qt.ItemDataRole.UserRole, row.label)
    item.setToolTip(f"<p><b>{escape(comparison.name_of(row.label))}</b></p><p>{escape(row.title)}</p>")
    return item


def _score(score: Any, level: float) -> _Value:
    if score is None:
        item = _Value(None, _NOTHING)
        item.setToolTip("It gives no probabilities, or could not be run.")
        return item
    item = _Value(score.total, f"{score.total:.3f}")
    told = f"All images together; their mean is {score.mean:.4g}."
    if score.low is not None:
        told += f" {100 * level:g} % interval {score.low:.4g} to {score.high:.4g}, by resampling the images."
    item.setToolTip(told)
    return item
