"""The tab *By size*: borders of size classes to edit."""

from __future__ import annotations

from qtpy.QtWidgets import QComboBox, QFormLayout, QHBoxLayout, QLineEdit, QPushButton, QWidget

from napari_mpseg.calibration import Calibration
from napari_mpseg.gui.memory import Memory
from napari_mpseg.gui.status_line import note
from napari_mpseg.particles.sizes import SizeClasses

_BY = {
    "feret_max": "Longest extent (Feret)",
    "equivalent_diameter": "Equivalent diameter",
    "feret_min": "Shortest extent (MinFeret)",
    "major_axis": "Long axis of the ellipse",
}


class SizeEditor(QWidget):
    """Borders of size classes as text, and what is the size.

    Parameters
    ----------
    memory : Memory
        Holds the last borders.
    """

    def __init__(self, memory: Memory) -> None:
        super().__init__()
        self._memory = memory
        self._default = SizeClasses()
        self.borders = QLineEdit()
        self.borders.setToolTip(
            "Rising borders, then their unit. A particle of exactly that size is in the class above."
        )
        self.by = QComboBox()
        for name, text in _BY.items():
            self.by.addItem(text, name)
        self.default_button = QPushButton("Default")
        self.default_button.setToolTip("The borders that suit the layer's pixel size")
        self.default_button.clicked.connect(lambda: self.borders.setText(self._default.text))
        row = QHBoxLayout()
        row.addWidget(self.borders, 1)
        row.addWidget(self.default_button)
        form = QFormLayout(self)
        form.addRow("Borders", row)
        form.addRow("Size is", self.by)
        form.addRow(note("The classes are written into the column size_class of the layer's table."))
        self.borders.setText(memory.get("sizes", ""))
        self.by.setCurrentIndex(max(0, self.by.findData(memory.get("size_by", "feret_max"))))

    @property
    def classes(self) -> SizeClasses:
        """The size classes.

        Raises
        ------
        SettingsError
            If the text cannot be read.
        """
        return SizeClasses.parse(self.borders.text(), self.by.currentData())

    def take(self, calibration: Calibration) -> None:
        """Propose borders for a layer's pixel size, unless the user has typed some."""
        before, self._default = self._default, SizeClasses.default_for(calibration)
        if self.borders.text() in ("", before.text):
            self.borders.setText(self._default.text)

    def remember(self) -> None:
        """Keep the borders for the next session."""
        self._memory.set(sizes=self.borders.text(), size_by=self.by.currentData())
