"""The form of one range of colour: its space, three components, and whether its colours are left out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QFormLayout, QVBoxLayout, QWidget

from napari_mpseg.gui.colour_threshold_slider import ComponentRange
from napari_mpseg.gui.colour_threshold_state import Row
from napari_mpseg.gui.colour_threshold_view import View
from napari_mpseg.methods.colour_ranges import ColourRange
from napari_mpseg.methods.colour_spaces import COLOUR_SPACES


class RangeForm(QWidget):
    """Shows a row of the list, and lets the user change it.

    Signals
    -------
    changed(Row, str)
        Another row, and what is being moved: changes under the same text are one step for undo.
    settled()
        What was being moved was let go of.
    """

    changed = Signal(object, str)
    settled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._row = Row()
        self.space = QComboBox()
        self.space.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.space.setMinimumContentsLength(12)
        for name, entry in COLOUR_SPACES.items():
            self.space.addItem(entry.title, name)
            self.space.setItemData(self.space.count() - 1, entry.summary, 3)  # 3 = tool tip
        self.space.setToolTip("By which three numbers colours are told. Another one begins with every colour.")
        self.space.currentIndexChanged.connect(self._another_space)
        self.components = [ComponentRange() for _ in range(3)]
        for number, one in enumerate(self.components):
            one.changed.connect(lambda number=number: self._tell(f"component {number}"))
            one.settled.connect(self.settled)
        self.excluded = QCheckBox("Leave these colours out")
        self.excluded.setToolTip("Pixels of these colours are not particle, even where another range finds them")
        self.excluded.toggled.connect(lambda on: self.changed.emit(replace(self._row, excluded=on), ""))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Colour space", self.space)
        layout.addLayout(form)
        for one in self.components:
            layout.addWidget(one)
        layout.addWidget(self.excluded)
        self._name()

    def show_row(self, row: Row) -> None:
        """Show another row; tells nobody."""
        another = row.range.space != self._row.range.space
        self._row = row
        for part in (self.space, self.excluded):
            part.blockSignals(True)
        self.space.setCurrentIndex(self.space.findData(row.range.space))
        self.excluded.setChecked(row.excluded)
        for part in (self.space, self.excluded):
            part.blockSignals(False)
        if another:
            self._name()
        ends = zip(self.components, row.range.low, row.range.high, row.range.inside, strict=True)
        for one, low, high, inside in ends:
            one.show_range(low, high, inside)

    def show_view(self, view: View | None) -> None:
        """Show the histograms of what is in view."""
        if view is not None:
            for one, counts in zip(self.components, view.histograms(self._row.range.space), strict=True):
                one.histogram.show_counts(counts)

    def _name(self) -> None:
        space = COLOUR_SPACES[self._row.range.space]
        for number, one in enumerate(self.components):
            one.show_component(space, number)

    def _another_space(self) -> None:
        self.changed.emit(replace(self._row, range=ColourRange(self.space.currentData())), "")

    def _tell(self, going: str) -> None:
        low, high = zip(*(one.ends for one in self.components), strict=True)
        inside: Any = tuple(one.inside.isChecked() for one in self.components)
        changed = ColourRange(self._row.range.space, low, high, inside)
        self._row = replace(self._row, range=changed)
        self.changed.emit(self._row, going)
