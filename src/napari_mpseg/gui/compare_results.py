"""Under the button: the table, the errors of one method on one image, and files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QApplication, QComboBox, QFormLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_mpseg.gui.compare_table import ComparisonTable
from napari_mpseg.gui.evaluate_layer import ErrorLegend
from napari_mpseg.gui.memory import Memory
from napari_mpseg.gui.status_line import note


class ComparisonResults(QWidget):
    """What came of a comparison.

    Signals
    -------
    errors_wanted(str, str)
        Row and image whose errors are to be shown.
    save_wanted()
        The user wants files.
    recoloured(str)
        Other colours of errors.
    """

    errors_wanted = Signal(str, str)
    save_wanted = Signal()
    recoloured = Signal(str)

    def __init__(self, memory: Memory, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.heading = note()
        self.table = ComparisonTable()
        self.notes = note()
        self.copy_button, self.save_button = QPushButton("Copy"), QPushButton("Save …")
        self.copy_button.setToolTip("Copy the table as text, to be pasted into a spreadsheet")
        self.save_button.setToolTip("Write the page with all figures, and the tables as CSV, and open the page")
        self.copy_button.clicked.connect(self.copy)
        self.save_button.clicked.connect(self.save_wanted)
        self.method, self.image = QComboBox(), QComboBox()
        for choice, tip in ((self.method, "Whose errors to show"), (self.image, "On which image")):
            choice.setToolTip(tip)
            choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            choice.setMinimumContentsLength(10)
        self.errors_button = QPushButton("Show errors")
        self.errors_button.setToolTip("Add a layer of what the method found, what is false and what it missed")
        self.errors_button.clicked.connect(self._want_errors)
        self.table.itemSelectionChanged.connect(self._follow)
        self.legend = ErrorLegend(memory)
        self.legend.changed.connect(self.recoloured)
        self._comparison: Any = None
        buttons = QHBoxLayout()
        buttons.addWidget(self.copy_button)
        buttons.addWidget(self.save_button)
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Errors of", self.method)
        form.addRow("on", self.image)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for item in (self.heading, self.table, self.notes):
            column.addWidget(item)
        column.addLayout(buttons)
        column.addLayout(form)
        column.addWidget(self.errors_button)
        column.addWidget(self.legend)

    def show_comparison(self, comparison: Any, cases: Any) -> None:
        """Show a comparison; `cases` are the rows and images whose labels can be looked at."""
        self._comparison = comparison
        self.table.fill(comparison)
        self.notes.setText("".join(f"<p>{text}</p>" for text in map(_escaped, comparison.notes)))
        self.notes.setVisible(bool(comparison.notes))
        _fill(self.method, [row.label for row in comparison.rows if any(row.label == method for method, _ in cases)])

    def show_places(self, places: Mapping[str, str], open_: Sequence[str]) -> None:
        """Say what the table is of, and offer errors of the images that are still open.

        Parameters
        ----------
        places : mapping of str to str
            By image: it and its plane in words.
        open_ : sequence of str
            Those whose layers are still there.
        """
        gone = [place for name, place in places.items() if name not in open_]
        text = f"<b>Result</b> on {_escaped(', '.join(places.values()))}"
        if gone:
            text += f".<br>No longer open: {_escaped(', '.join(gone))}. Copy or save the table to keep it."
        self.heading.setText(text)
        _fill(self.image, list(open_))
        for item in (self.method, self.image, self.errors_button):
            item.setEnabled(self.method.count() > 0 and bool(open_))

    def copy(self) -> None:
        """Put the whole table on the clipboard, separated by tabs."""
        QApplication.clipboard().setText(self._comparison.frame().to_csv(sep="\t", index=False))

    def _follow(self) -> None:
        """Choose the method of the selected row."""
        place = self.method.findText(self.table.method)
        if place >= 0:
            self.method.setCurrentIndex(place)

    def _want_errors(self) -> None:
        self.errors_wanted.emit(self.method.currentText(), self.image.currentText())


def _fill(choice: QComboBox, texts: list[str]) -> None:
    before = choice.currentText()
    choice.clear()
    choice.addItems(texts)
    choice.setCurrentIndex(max(0, choice.findText(before)))


def _escaped(text: str) -> str:
    from html import escape

    return escape(text)
