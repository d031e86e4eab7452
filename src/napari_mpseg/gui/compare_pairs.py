"""The images to compare on, each with its truth."""

from __future__ import annotations

from typing import Any

from napari.layers import Image, Labels
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QToolButton, QVBoxLayout, QWidget

from napari_mpseg.gui.evaluate_input import full, may_be_mask
from napari_mpseg.gui.layer_choice import LayerChoice
from napari_mpseg.gui.status_line import note
from napari_mpseg.layers import role_of


class TruthRow(QWidget):
    """An image layer, the layer of its truth, and what is wrong with them.

    Signals
    -------
    changed()
        Another choice.
    removed()
        The user takes the row away.
    """

    changed = Signal()
    removed = Signal()

    def __init__(self, layers: Any) -> None:
        super().__init__()
        self.truth = LayerChoice(layers, _may_be_truth, preferred=lambda layer: False, none="choose the truth …")
        self.truth.setToolTip("What really is particle on it: labels or a mask of the same size. It is not changed.")
        self.image = LayerChoice(layers, _is_image, preferred=lambda layer: False)
        self.image.setToolTip("An image to run the methods on. It is not changed.")
        self.remove_button = QToolButton()
        self.remove_button.setText("✕")
        self.remove_button.setToolTip("Do not compare on this image. The layers stay.")
        self.remove_button.clicked.connect(self.removed)
        self.problem = note()
        for choice in (self.image, self.truth):
            choice.setMinimumContentsLength(8)
            choice.layer_changed.connect(self._look)
        row = QHBoxLayout()
        row.addWidget(self.image, 1)
        row.addWidget(self.truth, 1)
        row.addWidget(self.remove_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(row)
        layout.addWidget(self.problem)
        self._look()

    @property
    def pair(self) -> tuple[Any, Any]:
        """The two layers; None for one that is not chosen."""
        return self.image.layer, self.truth.layer

    @property
    def fits(self) -> bool:
        """Whether both are chosen and of one size."""
        return all(layer is not None for layer in self.pair) and not self.problem.text()

    def _look(self, layer: Any = None) -> None:
        image, truth = self.pair
        text = ""
        if image is not None and image is truth:
            text = "Image and truth are the same layer. Choose another one for either."
        elif image is not None and truth is not None and size_of(image) != size_of(truth):
            one, other = (f"{width} x {height} px" for height, width in (size_of(image), size_of(truth)))
            text = f"The image is {one}, the truth {other}: choose the truth of this image."
        self.problem.setText(text)
        self.problem.setVisible(bool(text))
        self.changed.emit()

    def release(self) -> None:
        """Let go of the layers."""
        for choice in (self.image, self.truth):
            choice.disconnect_layers()


class TruthList(QWidget):
    """All images with their truth, and a button to add one.

    Signals
    -------
    changed()
        Another choice, or another row.
    """

    changed = Signal()

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self._viewer = viewer
        self.rows: list[TruthRow] = []
        self.add_button = QPushButton("Add an image")
        self.add_button.setToolTip("Compare on several images at once: another one with its truth")
        self.add_button.clicked.connect(self.add)
        self._list = QVBoxLayout()
        self._list.setContentsMargins(0, 0, 0, 0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(self._list)
        layout.addWidget(self.add_button)
        self.add()
        viewer.layers.events.inserted.connect(self._propose, position="last")  # once the lists know the layer

    @property
    def pairs(self) -> list[tuple[Any, Any]]:
        """The pairs that fit."""
        return [row.pair for row in self.rows if row.fits]

    @property
    def images(self) -> list[Any]:
        """The image layers that are chosen."""
        return [row.pair[0] for row in self.rows if row.pair[0] is not None]

    @property
    def problem(self) -> str:
        """What keeps the comparison from starting, in words; empty if nothing does."""
        if not self.images:
            return "no image"
        told = [row.problem.text() for row in self.rows if row.problem.text()]
        if told:
            return told[0]
        if any(row.pair[1] is None for row in self.rows):
            return "Choose the truth of every image: labels or a mask of what really is particle on it."
        images = [image for image, _ in self.pairs]
        if any(image is other for place, image in enumerate(images) for other in images[:place]):
            return "The same image is chosen twice. Take one of the rows away."
        return ""

    def add(self) -> None:
        """Add a row with an image that is not in the list, if there is one."""
        row = TruthRow(self._viewer.layers)
        taken = self.images
        self.rows.append(row)
        self._list.addWidget(row)
        fresh = [layer for layer in reversed(self._viewer.layers) if _is_image(layer) and layer not in taken]
        if fresh:
            row.image.choose(_with_truth(fresh, self._viewer.layers) or fresh[0])
        row.changed.connect(self._changed)
        row.removed.connect(lambda: self.remove(row))
        self._show_buttons()
        self._propose()
        self.changed.emit()

    def remove(self, row: TruthRow) -> None:
        """Take a row away, unless it is the last."""
        if len(self.rows) > 1:
            self.rows.remove(row)
            self._list.removeWidget(row)
            row.release()
            row.deleteLater()
            self._show_buttons()
            self.changed.emit()

    def _changed(self) -> None:
        self._propose()
        self.changed.emit()

    def _propose(self, event: Any = None) -> None:
        """Choose a truth where only one layer can be meant."""
        taken = [row.pair[1] for row in self.rows]
        for row in self.rows:
            image, truth = row.pair
            if image is None or truth is not None:
                continue
            found = [layer for layer in _truths_of(image, self._viewer.layers) if layer not in taken]
            if len(found) == 1:
                row.truth.choose(found[0])

    def _show_buttons(self) -> None:
        for row in self.rows:
            row.remove_button.setVisible(len(self.rows) > 1)

    def release(self) -> None:
        """Let go of the viewer's layers."""
        self._viewer.layers.events.inserted.disconnect(self._propose)
        for row in self.rows:
            row.release()


def size_of(layer: Any) -> tuple[int, int]:
    """Return height and width of a layer in pixels."""
    shape = full(layer).shape
    ahead = layer.ndim - 2
    return int(shape[ahead]), int(shape[ahead + 1])


def _is_image(layer: Any) -> bool:
    return isinstance(layer, Image) and not role_of(layer)


def _may_be_truth(layer: Any) -> bool:
    return isinstance(layer, (Labels, Image)) and role_of(layer) not in ("errors", "probability") and may_be_mask(layer)


def _truths_of(image: Any, layers: Any) -> list[Any]:
    """Return labels layers that are no result, and masks called so, of an image's size."""
    words = ("truth", "expert", "mask", "annotat")
    return [
        layer
        for layer in layers
        if _may_be_truth(layer)
        and layer is not image
        and not role_of(layer)
        and size_of(layer) == size_of(image)
        and (isinstance(layer, Labels) or any(word in layer.name.lower() for word in words))
    ]


def _with_truth(images: list[Any], layers: Any) -> Any:
    return next(
        (image for image in images if _truths_of(image, layers) and image not in _truths_of(image, layers)), None
    )
