"""The choice among registered methods and trained models from files."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QStandardItemModel
from qtpy.QtWidgets import QComboBox, QFileDialog, QWidget

from napari_mpseg.errors import MpsegError
from napari_mpseg.gui.memory import Memory
from napari_mpseg.gui.status_line import note
from napari_mpseg.methods.options import options_of
from napari_mpseg.methods.registry import FOLDER_CARDS, METHODS

_FROM_FILE, _BUNDLED = "\0file", "default"
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
        self.summary.setTextFormat(Qt.TextFormat.PlainText)
        self._missing = ""
        self._fill()
        self.choose(memory.get("method", _BUNDLED))
        self.currentIndexChanged.connect(self._on_changed)
        self._on_changed()

    @property
    def method(self) -> str:
        """Registered name, or path of a model."""
        return str(self.currentData())

    def choose(self, method: str) -> None:
        """Choose a registered name or a model's path; in place of what is no longer there the bundled network."""
        index = self.findData(method)
        self._missing = "" if index >= 0 else method
        self.setCurrentIndex(index if index >= 0 else self.findData(_BUNDLED))

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
        if self.method != chosen:
            self._on_changed()

    def showPopup(self) -> None:
        """List what there is, of which another widget may have made some."""
        if self._listed != self._models():
            self.refresh()
        super().showPopup()

    def _models(self) -> list[str]:
        return recent_models(self._memory)

    def _fill(self) -> None:
        self.blockSignals(True)
        self.clear()
        group = ""
        for name, entry in METHODS.items():
            if entry.group != group:
                group = entry.group
                self._add_heading(group)
            self._add(entry.title, name, entry.summary)
        models = self._listed = self._models()
        if models:
            self._add_heading("Your own")
        for path in models:
            self._add(Path(path).name, path, described(path))
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
        gone = f"{self._missing} is no longer there, so this is chosen: " if self._missing else ""
        self.summary.setText(gone + tip)
        self._missing = ""
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


def described(path: str) -> str:
    """Return what a model or a method file holds: of a method file its method and what is set."""
    place = Path(path)
    if place.is_dir() or place.suffix != ".json":
        forest = (place / "forest.json").exists()
        return f"{'Random forest' if forest else 'Trained model'} {path}"
    from napari_mpseg.methods.files import load_method

    try:
        saved = load_method(place)
    except MpsegError as error:
        return str(error)
    known = {option.name: option for option in options_of(saved.method)}
    said = [
        known[name].in_words(value) if name in known else f"{name} {_in_words(value)}"
        for name, value in saved.options.items()
    ]
    if saved.background is not None:
        said.append(f"background {saved.background}")
    if saved.threshold is not None:
        said.append(f"threshold {saved.threshold:g}")
    if saved.min_size is not None:
        said.append(f"minimum size {saved.min_size} px")
    title = METHODS[saved.method].title
    note_ = f" {saved.note}" if saved.note else ""
    return f"{title} with {', '.join(said) or 'its defaults'}.{note_} From {path}"


def _in_words(value: Any) -> str:
    """Return a setting of a method's own kind, such as ranges of colour, as it is typed."""
    from napari_mpseg.methods.colour_ranges import colour_threshold

    try:
        return colour_threshold(value).text()
    except MpsegError:
        return str(value)


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
