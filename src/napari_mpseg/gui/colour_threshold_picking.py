"""*Pick a colour*: a button, how far the picked range goes, and the clicks on the image."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QSpinBox, QWidget

from napari_mpseg.gui.colour_threshold_mouse import ClickTool
from napari_mpseg.gui.memory import Memory


class Picking(QWidget):
    """Takes clicks on one image while its button is down and that image is the active layer.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
    memory : Memory

    Signals
    -------
    picked(int, int, bool)
        Row and column of the clicked pixel, and whether the range is to be widened.
    """

    picked = Signal(int, int, bool)

    def __init__(self, viewer: Any, memory: Memory, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer, self._memory = viewer, memory
        self._image: Any = None
        self._clicks = ClickTool(viewer, self.picked.emit)
        self.button = QPushButton("Pick a colour")
        self.button.setCheckable(True)
        self.button.setToolTip(
            "Click on a particle: the range is set around the colours there, 3 x 3 pixels. Shift-click: the range is "
            "widened to hold those too. Dragging still moves the image. Another active layer ends it."
        )
        self.button.toggled.connect(self._switch)
        self.tolerance = QSpinBox()
        self.tolerance.setRange(0, 127)
        self.tolerance.setPrefix("± ")
        self.tolerance.setValue(memory.get("tolerance", 20))
        self.tolerance.setToolTip("How far a picked range goes beyond the clicked colours, of 255 in each component")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.button, 1)
        layout.addWidget(self.tolerance)
        self._later = QTimer(self)  # a layer of the plugin's own may be active for a moment while it is added
        self._later.setSingleShot(True)
        self._later.setInterval(0)
        self._later.timeout.connect(self._check)
        viewer.layers.selection.events.active.connect(self._on_active)

    def take(self, image: Any) -> None:
        """Pick on another image; the button goes up."""
        self.stop()
        self._image = image

    def stop(self) -> None:
        """Let the button go up."""
        self.button.setChecked(False)

    def remember(self) -> None:
        """Remember how far a picked range goes."""
        self._memory.set(tolerance=self.tolerance.value())

    def _switch(self, on: bool) -> None:
        if on and self._image is not None:
            self._clicks.start(self._image)
        else:
            self._clicks.stop()

    def _on_active(self, event: Any = None) -> None:
        if self.button.isChecked():
            self._later.start()

    def _check(self) -> None:
        if self._viewer.layers.selection.active != self._image:
            self.stop()

    def release(self) -> None:
        """Let go of the viewer."""
        self._later.stop()
        self._clicks.stop()
        self._viewer.layers.selection.events.active.disconnect(self._on_active)
