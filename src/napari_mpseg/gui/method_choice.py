"""The choice among registered methods and trained models from files."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QComboBox, QFileDialog, QLabel, QVBoxLayout, QWidget

from napari_mpseg.gui.memory import Memory

_FROM_FILE = "\0file"
_MOST_MODELS = 5


class MethodChoice(QWidget):
    """Every entry of ``METHODS``, the models used last, and an entry that asks for a model file."""

    changed = Signal(str)

    def __init__(self, memory: Memory, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._memory = memory
        self.box = QComboBox()
        self.box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.box.setMinimumContentsLength(12)
        self.summary = QLabel()
        self.summary.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.box)
        layout.addWidget(self.summary)
        self._fill()
        self.choose(memory.get("method", "default"))
        self.box.currentIndexChanged.connect(self._on_changed)
        self._on_changed()

    @property
    def method(self) -> str:
        """Registered name, or path of a model."""
        return str(self.box.currentData())

    def choose(self, method: str) -> None:
        """Choose a registered name or a model's path; what is no longer there is passed over."""
        index = self.box.findData(method)
        if index >= 0:
            self.box.setCurrentIndex(index)

    def add_model(self, path: str | Path) -> None:
        """Add a trained model to the list and choose it."""
        text = str(path)
        models = [text, *(known for known in self._models() if known != text)][:_MOST_MODELS]
        self._memory.set(models=models)
        self._fill()
        self.choose(text)

    def _models(self) -> list[str]:
        return [path for path in self._memory.get("models", []) if Path(path).exists()]

    def _fill(self) -> None:
        from napari_mpseg.methods import METHODS

        self.box.blockSignals(True)
        self.box.clear()
        for name, entry in METHODS.items():
            self._add(entry.title, name, entry.summary)
        models = self._models()
        if models:
            self.box.insertSeparator(self.box.count())
        for path in models:
            self._add(Path(path).name, path, f"Trained model {path}")
        self.box.insertSeparator(self.box.count())
        self._add("Trained model from file …", _FROM_FILE, "Choose a model that was trained and saved by napari-mpseg.")
        self.box.blockSignals(False)

    def _add(self, text: str, data: str, tip: str) -> None:
        self.box.addItem(text, data)
        self.box.setItemData(self.box.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)

    def _on_changed(self) -> None:
        if self.method == _FROM_FILE:
            self._ask()
            return
        self._last = self.method
        tip = self.box.currentData(Qt.ItemDataRole.ToolTipRole) or ""
        self.summary.setText(tip)
        self.box.setToolTip(tip)
        self.changed.emit(self.method)

    def _ask(self) -> None:
        folder = str(Path(self._models()[0]).parent) if self._models() else str(Path.home())
        path, _ = QFileDialog.getOpenFileName(
            self, "Choose a trained model", folder, "Trained models (*.safetensors *.json);;All files (*)"
        )
        if path:
            self.add_model(path)
        else:
            self.choose(self._last)
        self._on_changed()
