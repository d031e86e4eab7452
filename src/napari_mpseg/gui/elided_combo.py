"""A combo box that ends a text too long for it in dots, and lists all texts whole."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QStyle, QStyleOptionComboBox, QStylePainter

_MARGIN = 6  # of the text within its field, in pixels


class ElidedCombo(QComboBox):
    """As narrow as its place is.

    Parameters
    ----------
    least : int
        Characters it is at least wide.
    """

    def __init__(self, least: int = 12) -> None:
        super().__init__()
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(least)

    def add(self, text: str, data: Any, tip: str) -> None:
        """Add an entry with a tooltip of its own."""
        self.addItem(text, data)
        self.setItemData(self.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)

    def shown_text(self) -> str:
        """Return the current text as it is drawn."""
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        field = self.style().subControlRect(
            QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, self
        )
        room = field.width() - _MARGIN
        return str(self.fontMetrics().elidedText(self.currentText(), Qt.TextElideMode.ElideRight, room))

    def paintEvent(self, event: Any) -> None:
        """Draw the box with what fits of its text."""
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        option.currentText = self.shown_text()
        painter = QStylePainter(self)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)

    def showPopup(self) -> None:
        """List the entries as wide as the longest of them."""
        bar = self.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent)
        self.view().setMinimumWidth(self.view().sizeHintForColumn(0) + bar)
        super().showPopup()
