"""The choice of a background to subtract before a method looks at the image."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QGridLayout, QWidget

from napari_mpseg.gui.memory import Memory
from napari_mpseg.inference.background import BACKGROUNDS, BackgroundSettings
from napari_mpseg.inference.background.settings import LARGEST_RADIUS

_NONE = "none"
_RADIUS = 50.0


class BackgroundChoice(QWidget):
    """None, or a way of finding the background, its radius, and whether it is the brighter part."""

    def __init__(self, memory: Memory) -> None:
        super().__init__()
        self._memory = memory
        self.way = QComboBox()
        self.way.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.way.setMinimumContentsLength(8)
        self.way.setToolTip(
            "Take an uneven background from the image before the method looks at it.\n"
            "What is measured afterwards are the image's own grey values."
        )
        self.way.addItem("as it is", _NONE)
        for name, entry in BACKGROUNDS.items():
            self.way.addItem(entry.title, name)
            self.way.setItemData(self.way.count() - 1, entry.summary, Qt.ItemDataRole.ToolTipRole)
        self.radius = QDoubleSpinBox()
        self.radius.setRange(1, LARGEST_RADIUS)
        self.radius.setDecimals(0)
        self.radius.setSuffix(" px")
        self.radius.setToolTip("Radius in pixels; larger than the largest particle")
        self.light = QCheckBox("light background")
        self.light.setToolTip("The background is brighter than the particles")
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.way, 0, 0, 1, 2)
        layout.addWidget(self.radius, 1, 0)
        layout.addWidget(self.light, 1, 1)
        layout.setColumnStretch(0, 1)
        self.way.currentIndexChanged.connect(self._show)
        self.way.setCurrentIndex(max(0, self.way.findData(memory.get("background", _NONE))))
        self.radius.setValue(memory.get("background_radius", _RADIUS))
        self.light.setChecked(memory.get("background_light", False))
        self._show()

    @property
    def settings(self) -> BackgroundSettings | str:
        """What was chosen; ``"none"`` leaves the image as it is."""
        if self.way.currentData() == _NONE:
            return _NONE
        return BackgroundSettings(self.way.currentData(), self.radius.value(), self.light.isChecked())

    def choose(self, settings: BackgroundSettings) -> None:
        """Show settings, such as those of a method file."""
        self.way.setCurrentIndex(max(0, self.way.findData(settings.way)))
        self.radius.setValue(settings.radius)
        self.light.setChecked(settings.light)

    def remember(self) -> None:
        """Keep the choice for the next time."""
        self._memory.set(
            background=self.way.currentData(),
            background_radius=self.radius.value(),
            background_light=self.light.isChecked(),
        )

    def _show(self) -> None:
        chosen = self.way.currentData() != _NONE
        self.radius.setVisible(chosen)
        self.light.setVisible(chosen)
