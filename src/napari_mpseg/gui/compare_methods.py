"""What to compare: methods to run, and labels layers that are there already."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari.layers import Labels
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QPushButton, QVBoxLayout, QWidget

from napari_mpseg.gui.memory import Memory
from napari_mpseg.gui.method_choice import model_of, recent_models, remember_model
from napari_mpseg.gui.tick_list import TickList
from napari_mpseg.layers import role_of

_FIRST = ("mp-vat", "otsu", "default")


class MethodTicks(QWidget):
    """A list of methods and models to tick, with a button to add one from a file.

    Signals
    -------
    changed()
        Another choice.
    """

    changed = Signal()

    def __init__(self, memory: Memory, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._memory = memory
        self._models = Memory("segment")  # the models used last are the same everywhere
        self.list = TickList()
        self.list.setToolTip("Which methods to run; rest the mouse on one for what it does")
        self.list.changed.connect(self.changed)
        self.file_button = QPushButton("Add from file …")
        self.file_button.setToolTip("A trained model (its card or its weights), a random forest, or a saved method")
        self.file_button.clicked.connect(self._ask)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.list)
        layout.addWidget(self.file_button)
        self._fill(memory.get("methods", list(_FIRST)))

    @property
    def ticked(self) -> list[str]:
        """Registered names and paths."""
        return [str(value) for value in self.list.ticked]

    def remember(self) -> None:
        """Remember what is ticked."""
        self._memory.set(methods=self.ticked)

    def add_model(self, path: str | Path) -> None:
        """Add a trained model or a method file, and tick it."""
        remember_model(self._models, path)
        self._fill([*self.ticked, str(path)])

    def _fill(self, ticked: list[str]) -> None:
        from napari_mpseg.methods import METHODS

        entries = [
            (name, f"{entry.title}  ({name})", entry.summary) for name, entry in METHODS.items() if not entry.inputs
        ]
        entries += [(path, Path(path).stem, f"From {path}") for path in recent_models(self._models)]
        self.list.fill(entries, ticked)

    def _ask(self) -> None:
        known = recent_models(self._models)
        path, _ = QFileDialog.getOpenFileName(
            self,
            "Choose a trained model (its card or its weights) or a method file",
            str(Path(known[0]).parent) if known else str(Path.home()),
            "Models and methods (*.json *.safetensors)",
        )
        if path:
            self.add_model(model_of(Path(path)))


class LabelTicks(TickList):
    """Labels layers of the images' sizes that are not their truth.

    Signals
    -------
    changed()
        Another choice.
    """

    def __init__(self, layers: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layers = layers
        self.setToolTip("Labels that are there already, such as results, labels by hand or of another program")

    def refresh(self, pairs: list[tuple[Any, Any]]) -> None:
        """List the labels layers that can be compared on these images, and keep what is ticked."""
        kept = [layer for layer in self.ticked if layer in self._layers]
        found = [
            layer
            for layer in self._layers
            if isinstance(layer, Labels)
            and role_of(layer) != "errors"
            and all(layer is not truth for _, truth in pairs)
            and image_of(layer, pairs) is not None
        ]
        before = self.values
        if len(before) == len(found) and all(a is b for a, b in zip(before, found, strict=True)):
            return
        self.blockSignals(True)
        self.fill(
            [(layer, layer.name, f"{layer.name}: labels of {image_of(layer, pairs).name}") for layer in found], kept
        )
        self.blockSignals(False)


def image_of(labels: Any, pairs: list[tuple[Any, Any]]) -> Any:
    """Return the image layer that labels belong to: the one they were made from, else the first of their size."""
    from napari_mpseg.gui.compare_pairs import size_of

    fitting = [image for image, _ in pairs if size_of(image) == size_of(labels)]
    record = labels.metadata.get("napari-mpseg", {}) if isinstance(labels.metadata, dict) else {}
    return next((image for image in fitting if image.name == record.get("source")), fitting[0] if fitting else None)
