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
PARTICLE, ERASE = "particle", "erase"


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


def next_label(labels: Any) -> int:
    """Return a label that no pixel of a labels layer has: one above all others, as napari's key M does."""
    data = labels.data[0] if labels.multiscale else labels.data
    highest = int(np.max(data)) if data.size else 0
    if highest < np.iinfo(data.dtype).max:
        return highest + 1
    used = np.unique(np.asarray(data))
    free = np.setdiff1d(np.arange(1, used.size + 1), used)
    return int(free[0]) if free.size and free[0] < highest else highest


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

    def show_for(self, kind: str, background: int, instances: bool = False) -> None:
        """Show the strokes of a way of painting, in the colours of the layer.

        Parameters
        ----------
        kind : str
            How it is painted.
        background : int
            The label of the background's strokes.
        instances : bool
            Whether each particle must have a label of its own.
        """
        instances = instances and kind == "dense"
        layer = self._labels()
        self.setVisible(layer is not None and bool(kind))
        shown = (kind, background, instances, None if layer is None else layer.name)
        if not self.isVisibleTo(self.parentWidget()) or shown == self._shown:
            return
        self._shown = shown
        while self.row.count():
            old = self.row.takeAt(0).widget()
            old.hide()  # it goes only when Qt has time, and would lie under the new ones until then
            old.deleteLater()
        self.buttons = {}
        if instances:
            self._add("Next particle", PARTICLE, "Paint a particle with a new label (napari's key M)", next_label)
            self._add("Same particle", "same", "Go on with the particle of the selected label", _selected)
        else:
            for name, label in strokes(kind, background):
                doing = f"Paint {name.lower()} with the label {label}"
                swatch = _swatch(layer.get_color(label))
                self._add(f"{name} ({label})", name.lower(), doing, _always(label), swatch)
        self._add(ERASE.title(), ERASE, "Erase strokes", None)
        self.explanation.setText(_each_its_own() if instances else _explained(kind, background))

    def paint(self, stroke: str) -> None:
        """Get ready for strokes of ``"background"``, ``"particle"`` or ``"erase"``."""
        self.buttons[stroke].click()

    def _add(
        self, text: str, stroke: str, doing: str, label_of: Callable[[Any], int] | None, icon: QIcon | None = None
    ) -> None:
        button = QPushButton(icon or QIcon(), text)
        button.setToolTip(f"{doing}, on the painted layer. Keys [ and ] change the size of the brush.")
        button.clicked.connect(lambda: self._choose(label_of))
        self.row.addWidget(button)
        self.buttons[stroke] = button

    def _choose(self, label_of: Callable[[Any], int] | None) -> None:
        layer = self._labels()
        if layer is None:
            return
        self._viewer.layers.selection.active = layer
        layer.visible = True
        if label_of is not None:
            layer.selected_label = label_of(layer)
        layer.mode = "erase" if label_of is None else "paint"


def _explained(kind: str, background: int) -> str:
    if kind == "scribbles":
        return (
            "Two kinds of strokes: some across the background, also close to particles, and one inside each of a few "
            "particles. A handful of each will do at first."
        )
    return "Paint every particle of the image whole, up to its edge: what is left unpainted is learnt as background."


def _always(label: int) -> Callable[[Any], int]:
    return lambda layer: label


def _each_its_own() -> str:
    return (
        "Paint every particle of the image whole, up to its edge. Before each, press <i>Next particle</i> (or napari's "
        "key <i>M</i>), so that each has a label of its own."
    )


def _selected(layer: Any) -> int:
    return int(layer.selected_label) or next_label(layer)


def _swatch(colour: Any) -> QIcon:
    picture = QPixmap(12, 12)
    picture.fill(QColor.fromRgbF(*(float(part) for part in (colour if colour is not None else (0, 0, 0, 0)))))
    return QIcon(picture)
