"""Painting on an image: a new labels layer, and buttons for the strokes to paint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_mpseg.gui.status_line import note
from napari_mpseg.gui.train_inputs import labels_ndim
from napari_mpseg.gui.visible import plane_shape
from napari_mpseg.layers import space_of, unique_name

BRUSH = 5
ERASE = "erase"


def new_labels(viewer: Any, image: Any) -> Any:
    """Add an empty labels layer of the size, and at the place, of an image layer.

    Returns
    -------
    napari.layers.Labels
    """
    ndim = labels_ndim(image)
    shape = (image.data[0] if image.multiscale else image.data).shape[: ndim - 2] + plane_shape(image)
    name = unique_name(viewer, f"{image.name} painted")
    layer = viewer.add_labels(np.zeros(shape, np.uint16), name=name, **space_of(image, ndim))
    layer.brush_size = BRUSH
    return layer


def strokes(kind: str, background: int) -> tuple[tuple[str, int], ...]:
    """Return the strokes that a way of painting asks for, with their labels."""
    particle = 1 if background != 1 else 2
    return (("Background", background), ("Particle", particle)) if kind == "scribbles" else (("Particle", 1),)


class StrokeBar(QWidget):
    """Chooses what the next strokes mean, and explains them.

    Parameters
    ----------
    labels : callable
        Returns the labels layer to paint on, or None.
    viewer : napari.Viewer or napari.components.ViewerModel
    """

    def __init__(self, viewer: Any, labels: Callable[[], Any]) -> None:
        super().__init__()
        self._viewer, self._labels = viewer, labels
        self.explanation = note()
        self.row = QHBoxLayout()
        self.buttons: dict[str, QPushButton] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(self.row)
        layout.addWidget(self.explanation)
        self._shown: Any = None

    def show_for(self, kind: str, background: int) -> None:
        """Show the strokes of a way of painting, in the colours of the layer."""
        layer = self._labels()
        self.setVisible(layer is not None and bool(kind))
        shown = (kind, background, None if layer is None else layer.name)
        if not self.isVisibleTo(self.parentWidget()) or shown == self._shown:
            return
        self._shown = shown
        while self.row.count():
            self.row.takeAt(0).widget().deleteLater()
        self.buttons = {}
        for name, label in strokes(kind, background):
            self._add(f"{name} ({label})", name.lower(), label, _swatch(layer.get_color(label)))
        self._add("Erase", ERASE, None, QIcon())
        self.explanation.setText(_explained(kind, background))

    def paint(self, stroke: str) -> None:
        """Get ready for strokes of ``"background"``, ``"particle"`` or ``"erase"``."""
        self.buttons[stroke].click()

    def _add(self, text: str, stroke: str, label: int | None, icon: QIcon) -> None:
        button = QPushButton(icon, text)
        doing = "Erase strokes" if label is None else f"Paint {stroke} with the label {label}"
        button.setToolTip(f"{doing} on the painted layer. Keys [ and ] change the size of the brush.")
        button.clicked.connect(lambda: self._choose(label))
        self.row.addWidget(button)
        self.buttons[stroke] = button

    def _choose(self, label: int | None) -> None:
        layer = self._labels()
        if layer is None:
            return
        self._viewer.layers.selection.active = layer
        layer.visible = True
        if label is not None:
            layer.selected_label = label
        layer.mode = "erase" if label is None else "paint"


def _explained(kind: str, background: int) -> str:
    if kind == "scribbles":
        return (
            "Two kinds of strokes: some across the background, also close to particles, and one inside each of a few "
            "particles. A handful of each will do at first."
        )
    return "Paint every particle of the image whole, up to its edge: what is left unpainted is learnt as background."


def _swatch(colour: Any) -> QIcon:
    picture = QPixmap(12, 12)
    picture.fill(QColor.fromRgbF(*(float(part) for part in (colour if colour is not None else (0, 0, 0, 0)))))
    return QIcon(picture)
