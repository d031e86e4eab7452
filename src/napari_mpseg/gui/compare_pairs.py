"""The images to compare on, each with its truth."""

from __future__ import annotations

from typing import Any

from napari.layers import Labels
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QToolButton, QVBoxLayout, QWidget

from napari_mpseg.gui.compare_owner import Owners, is_image, may_be_truth, named_as_truth, size_of
from napari_mpseg.gui.layer_choice import LayerChoice
from napari_mpseg.gui.status_line import note
from napari_mpseg.layers import role_of


class TruthRow(QWidget):
    """An image layer, the layer of its truth, and what is wrong with them.

    Another image, or none because its layer was removed, takes the truth away with it.

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
        self.truth = LayerChoice(layers, may_be_truth, preferred=lambda layer: False, none="choose the truth …")
        self.truth.setToolTip("What really is particle on it: labels or a mask of the same size. It is not changed.")
        self.image = LayerChoice(layers, is_image, preferred=lambda layer: False, none="choose image …")
        self.image.setToolTip("An image to run the methods on. It is not changed.")
        self.remove_button = QToolButton()
        self.remove_button.setText("✕")
        self.remove_button.setToolTip("Do not compare on this image. The layers stay.")
        self.remove_button.clicked.connect(self.removed)
        self.problem = note()
        self._image: Any = None
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
        before, self._image = self._image, self.image.layer
        if before is not None and self._image is not before and self.truth.layer is not None:
            self.truth.choose(None)  # looks again
            return
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

    Parameters
    ----------
    viewer : napari.Viewer
    owners : Owners

    Signals
    -------
    changed()
        Another choice, or another row.
    """

    changed = Signal()

    def __init__(self, viewer: Any, owners: Owners) -> None:
        super().__init__()
        self._viewer, self._owners = viewer, owners
        self.rows: list[TruthRow] = []
        self.add_button = QPushButton("Add an image")
        self.add_button.clicked.connect(self.add)
        self._list = QVBoxLayout()
        self._list.setContentsMargins(0, 0, 0, 0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(self._list)
        layout.addWidget(self.add_button)
        self._add_row()
        viewer.layers.events.inserted.connect(self._on_inserted, position="last")  # once the lists know the layer
        for emitter in self._emitters():
            emitter.connect(self._show_buttons, position="last")

    @property
    def pairs(self) -> list[tuple[Any, Any]]:
        """The pairs that fit."""
        return [row.pair for row in self.rows if row.fits]

    @property
    def images(self) -> list[Any]:
        """The image layers that are chosen."""
        return [row.pair[0] for row in self.rows if row.pair[0] is not None]

    @property
    def fresh(self) -> list[Any]:
        """The images that could be added: neither chosen nor a truth, those with a truth first."""
        taken = [layer for row in self.rows for layer in row.pair if layer is not None]
        free = [layer for layer in reversed(self._viewer.layers) if is_image(layer) and layer not in taken]
        plain = [layer for layer in free if not named_as_truth(layer)]
        found = plain or ([] if self.images else free)
        return sorted(found, key=lambda image: not self._truths_of(image))

    @property
    def problem(self) -> str:
        """What keeps the comparison from starting, in words; empty if nothing does."""
        told = [row.problem.text() for row in self.rows if row.problem.text()]
        if told:
            return told[0]
        if any(row.pair[0] is None for row in self.rows):
            return "Choose the image to compare on" + (", or take its row away." if len(self.rows) > 1 else ".")
        if any(row.pair[1] is None for row in self.rows):
            return "Choose the truth of every image: labels or a mask of what really is particle on it."
        images = [image for image, _ in self.pairs]
        if any(image is other for place, image in enumerate(images) for other in images[:place]):
            return "The same image is chosen twice. Take one of the rows away."
        return ""

    def add(self) -> None:
        """Add a row with an image that is not in the list, if there is one."""
        if self.fresh:
            self._add_row()

    def _add_row(self) -> None:
        fresh = self.fresh
        row = TruthRow(self._viewer.layers)
        self.rows.append(row)
        self._list.addWidget(row)
        if fresh:
            row.image.choose(fresh[0])
        row.changed.connect(self._changed)
        row.removed.connect(lambda: self.remove(row))
        self._changed()

    def remove(self, row: TruthRow) -> None:
        """Take a row away, unless it is the last."""
        if len(self.rows) > 1:
            self.rows.remove(row)
            self._list.removeWidget(row)
            row.release()
            row.deleteLater()
            self._changed()

    def _on_inserted(self, event: Any) -> None:
        """Take a new image into a row that has none."""
        empty = [row for row in self.rows if row.pair[0] is None]
        if empty and event.value in self.fresh:
            empty[0].image.choose(event.value)
        self._changed()

    def _changed(self) -> None:
        self._propose()
        self._show_buttons()
        self.changed.emit()

    def _propose(self) -> None:
        """Choose a truth where only one layer can be meant."""
        for row in self.rows:
            image, truth = row.pair
            if image is None or truth is not None:
                continue
            taken = [other.pair[1] for other in self.rows]
            found = [layer for layer in self._truths_of(image) if layer not in taken]
            named = [layer for layer in found if named_as_truth(layer)]
            if 1 in (len(found), len(named)):
                row.truth.choose((named if len(named) == 1 else found)[0])

    def _truths_of(self, image: Any) -> list[Any]:
        """Return labels layers that are no result, and masks called so, that belong to an image."""
        return [
            layer
            for layer in self._viewer.layers
            if may_be_truth(layer)
            and layer is not image
            and not role_of(layer)
            and (isinstance(layer, Labels) or named_as_truth(layer))
            and size_of(layer) == size_of(image)
            and self._owners.of(layer) is image
        ]

    def _show_buttons(self, event: Any = None) -> None:
        for row in self.rows:
            row.remove_button.setVisible(len(self.rows) > 1)
        some = bool(self.fresh)
        self.add_button.setEnabled(some)
        self.add_button.setToolTip(
            "Compare on several images at once: another one with its truth"
            if some
            else "Every open image is in the list. Open another one with its truth first."
        )

    def _emitters(self) -> tuple[Any, ...]:
        events = self._viewer.layers.events
        return events.removed, events.renamed

    def release(self) -> None:
        """Let go of the viewer's layers."""
        self._viewer.layers.events.inserted.disconnect(self._on_inserted)
        for emitter in self._emitters():
            emitter.disconnect(self._show_buttons)
        for row in self.rows:
            row.release()
