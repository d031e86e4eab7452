"""The choice among registered methods and trained models from files."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QStandardItemModel
from qtpy.QtWidgets import QComboBox, QFileDialog, QWidget

from napari_mpseg.gui.memory import Memory
from napari_mpseg.gui.status_line import note
from napari_mpseg.methods.registry import FOLDER_CARDS

_FROM_FILE = "\0file"
_MOST_MODELS = 5


class MethodChoice(QComboBox):
    """Every entry of ``METHODS``, the models used last, and an entry that asks for a model file.

    Attributes
    ----------
    summary : QLabel
        One sentence on the chosen method; for whoever lays out the form.
    """

    changed = Signal(str)

    def __init__(self, memory: Memory, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._memory = memory
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(12)
        self.summary = note()
        self._fill()
        self.choose(memory.get("method", "default"))
        self.currentIndexChanged.connect(self._on_changed)
        self._on_changed()

    @property
    def method(self) -> str:
        """Registered name, or path of a model."""
        return str(self.currentData())

    def choose(self, method: str) -> None:
        """Choose a registered name or a model's path; what is no longer there is passed over."""
        index = self.findData(method)
        if index >= 0:
            self.setCurrentIndex(index)

    def add_model(self, path: str | Path) -> None:
        """Add a trained model to the list and choose it."""
        remember_model(self._memory, path)
        self._fill()
        self.choose(str(path))

    def refresh(self) -> None:
        """List the models again, of which one may be new, and keep the choice."""
        chosen = self.method
        self._fill()
        self.blockSignals(True)
        self.choose(chosen)
        self.blockSignals(False)

    def _models(self) -> list[str]:
        return recent_models(self._memory)

    def _fill(self) -> None:
        from napari_mpseg.methods import METHODS

        self.blockSignals(True)
        self.clear()
        group = ""
        for name, entry in METHODS.items():
            if entry.group != group:
                group = entry.group
                self._add_heading(group)
            self._add(entry.title, name, entry.summary)
        models = self._models()
        if models:
            self._add_heading("Your own")
        for path in models:
            self._add(Path(path).name, path, f"Trained model {path}")
        self.insertSeparator(self.count())
        self._add(
            "From file …", _FROM_FILE, "Choose a trained model, a random forest, or a method that was saved to a file."
        )
        self.blockSignals(False)

    def _add(self, text: str, data: str, tip: str) -> None:
        self.addItem(text, data)
        self.setItemData(self.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)

    def _add_heading(self, text: str) -> None:
        """Add a line that cannot be chosen."""
        self.addItem(text)
        item = cast("QStandardItemModel", self.model()).item(self.count() - 1)
        item.setFlags(Qt.ItemFlag.NoItemFlags)
        font = item.font()
        font.setBold(True)
        item.setFont(font)

    def _on_changed(self) -> None:
        if self.method == _FROM_FILE:
            self._ask()
            return
        self._last = self.method
        tip = self.currentData(Qt.ItemDataRole.ToolTipRole) or ""
        self.summary.setText(tip)
        self.setToolTip(tip)
        self.changed.emit(self.method)

    def _ask(self) -> None:
        folder = str(Path(self._models()[0]).parent) if self._models() else str(Path.home())
        path, _ = QFileDialog.getOpenFileName(
            self,
            "Choose a trained model (its card or its weights) or a method file",
            folder,
            "Models and methods (*.json *.safetensors)",
        )
        if path:
            self.add_model(model_of(Path(path)))
        else:
            self.choose(self._last)
        self._on_changed()


def recent_models(memory: Memory) -> list[str]:
    """Return the trained models that were used last and are still there, the latest first."""
    return [path for path in memory.get("models", []) if Path(path).exists()]


def remember_model(memory: Memory, path: str | Path) -> None:
    """Put a trained model before the others that were used last."""
    text = str(path)
    others = [known for known in recent_models(memory) if known != text]
    memory.set(models=[text, *others][:_MOST_MODELS])


def model_of(path: Path) -> Path:
    """Return the model that a file belongs to: a folder with a card is one, whichever of its files is chosen."""
    return path.parent if any((path.parent / card).exists() for card in FOLDER_CARDS) else path
