"""Which methods to compare."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QPushButton, QVBoxLayout, QWidget

from napari_mpseg.gui.memory import Memory
from napari_mpseg.gui.method_choice import model_of, recent_models, remember_model
from napari_mpseg.gui.tick_list import TickList

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
