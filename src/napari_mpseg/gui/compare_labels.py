"""Labels layers that are there already: which to compare, of which image, and in which row."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import PurePath
from typing import Any

from napari.layers import Labels
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from napari_mpseg.gui.compare_owner import Owners, method_of, size_of, without_name
from napari_mpseg.gui.status_line import note
from napari_mpseg.gui.tick_list import TickList
from napari_mpseg.layers import role_of

_WHICH = "choose …"


@dataclass(frozen=True)
class LabelUse:
    """A ticked labels layer.

    Attributes
    ----------
    layer, image : layer
        The labels, and the image they belong to; None where that is not known.
    heading : str
        Of their row; labels of several images can share one.
    """

    layer: Any
    image: Any
    heading: str


class LabelTicks(QWidget):
    """Labels layers of the images' sizes that are not their truth, to tick.

    With several images, and where it is not clear, each ticked one has two fields: the image it belongs to, and the
    heading of its row.

    Parameters
    ----------
    layers : napari.components.LayerList
    owners : Owners

    Signals
    -------
    changed()
        Another choice.
    """

    changed = Signal()

    def __init__(self, layers: Any, owners: Owners, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layers, self._owners = layers, owners
        self._images: list[Any] = []
        self._fields: dict[int, _Fields] = {}
        self.list = TickList()
        self.list.setToolTip("Labels that are there already, such as results, labels by hand or of another program")
        self.list.changed.connect(self._on_ticks)
        self._rows = QVBoxLayout()
        self._rows.setContentsMargins(0, 0, 0, 0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.list)
        layout.addLayout(self._rows)

    @property
    def values(self) -> list[Any]:
        """The layers that can be ticked."""
        return self.list.values

    @property
    def uses(self) -> list[LabelUse]:
        """What is ticked."""
        return [self._fields[id(layer)].use for layer in self.list.ticked]

    @property
    def problem(self) -> str:
        """What keeps the ticked labels from being compared, in words; empty if nothing does."""
        taken: dict[tuple[int, str], Any] = {}
        for use in self.uses:
            if use.image is None:
                return f"Choose the image that “{use.layer.name}” belongs to, or untick it."
            other = taken.setdefault((id(use.image), use.heading), use.layer)
            if other is not use.layer:
                return (
                    f"“{other.name}” and “{use.layer.name}” are both labels of {use.image.name} in the row "
                    f"“{use.heading}”. Give one of them another heading, or another image."
                )
        return ""

    def tick(self, layer: Any, on: bool = True) -> None:
        """Tick or untick a layer."""
        self.list.tick(layer, on)

    def fields_of(self, layer: Any) -> tuple[QComboBox, QLineEdit]:
        """Return the image and the heading of a ticked layer."""
        fields = self._fields[id(layer)]
        return fields.image, fields.heading

    def refresh(self, pairs: list[tuple[Any, Any]]) -> None:
        """List the labels layers that can be compared on these images, and keep what is ticked."""
        self._images = [image for image, _ in pairs]
        sizes = {size_of(image) for image in self._images}
        truths = [truth for _, truth in pairs]
        found = [layer for layer in self._layers if _may_be_compared(layer, sizes) and layer not in truths]
        for layer in found:
            self._owners.of(layer)  # before one of the two is renamed
        entries = [(layer, layer.name, self._told(layer)) for layer in found]
        self.list.blockSignals(True)
        self.list.fill(entries, [layer for layer in self.list.ticked if layer in found])
        self.list.blockSignals(False)
        self._on_ticks()

    def _told(self, layer: Any) -> str:
        image = self._owners.of(layer, self._fitting(layer))
        return f"{layer.name}: " + (f"labels of {image.name}" if image is not None else "of which image is not clear")

    def _fitting(self, layer: Any) -> list[Any]:
        return [image for image in self._images if size_of(image) == size_of(layer)]

    def _on_ticks(self) -> None:
        """Show fields for what is ticked, and none for what is not."""
        ticked = self.list.ticked
        for key, fields in list(self._fields.items()):
            if fields.layer not in ticked:
                del self._fields[key]
                self._rows.removeWidget(fields)
                fields.hide()
                fields.deleteLater()
        for layer in ticked:
            if id(layer) not in self._fields:
                fields = self._fields[id(layer)] = _Fields(layer, self._owners)
                fields.changed.connect(self.changed)
                self._rows.addWidget(fields)
            self._fields[id(layer)].refresh(self._fitting(layer), several=len(self._images) > 1)
        self.changed.emit()


class _Fields(QWidget):
    """Of which image labels are, and the heading of their row."""

    changed = Signal()

    def __init__(self, layer: Any, owners: Owners) -> None:
        super().__init__()
        self.layer = layer
        self._owners = owners
        self._shown: list[Any] = []
        self._several = False
        self.name = note()
        self.image, self.heading = QComboBox(), QLineEdit()
        self.image.setToolTip("The image that these labels belong to")
        self.image.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.image.setMinimumContentsLength(8)
        self.image.activated.connect(self._say)
        self.heading.setToolTip("Heading of the row. Labels of several images under one heading make one row.")
        self.heading.textEdited.connect(self.changed)
        row = QHBoxLayout()
        for text, field in (("of", self.image), ("row", self.heading)):
            row.addWidget(QLabel(text))
            row.addWidget(field, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.name)
        layout.addLayout(row)

    @property
    def use(self) -> LabelUse:
        """What the fields say."""
        index = self.image.currentIndex() - 1
        image = self._shown[index] if 0 <= index < len(self._shown) else None
        return LabelUse(self.layer, image, self.heading.text().strip() or self._proposed(image))

    def refresh(self, images: list[Any], *, several: bool) -> None:
        """Offer these images, choose the one the labels belong to, and propose a heading."""
        owner = self._owners.of(self.layer, images)
        self._shown, self._several = images, several
        self.image.clear()
        self.image.addItem(_WHICH)
        self.image.addItems([image.name for image in images])
        place = next((number for number, image in enumerate(images) if image is owner), -1)
        self.image.setCurrentIndex(place + 1)
        self._show(several or place < 0)

    def _say(self, index: int) -> None:
        if index > 0:
            self._owners.say(self.layer, self._shown[index - 1])
        self._show(True)
        self.changed.emit()

    def _show(self, shown: bool) -> None:
        image = self.use.image
        self.name.setText(f"<i>{escape(self.layer.name)}</i>{': of which image?' if image is None else ''}")
        self.heading.setPlaceholderText(self._proposed(image))
        self.setVisible(shown)

    def _proposed(self, image: Any) -> str:
        """Return the layer's name; of several images without the image's, so that what is alike makes one row."""
        name = str(self.layer.name)
        if image is None or not self._several:
            return name
        method = PurePath(method_of(self.layer)).stem
        text = without_name(name, image.name)
        if method and method not in text:
            text = f"{text} ({method})" if text else method
        return text or name


def _may_be_compared(layer: Any, sizes: set[tuple[int, int]]) -> bool:
    return isinstance(layer, Labels) and role_of(layer) != "errors" and size_of(layer) in sizes
