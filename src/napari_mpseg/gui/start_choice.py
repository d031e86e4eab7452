"""What a training starts from: this session's model, the bundled one, a saved one, or nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_mpseg.gui.memory import Memory, preferences
from napari_mpseg.gui.method_choice import model_of, recent_models, remember_model
from napari_mpseg.gui.train_store import last_unsaved

BUNDLED, SCRATCH = "default", "scratch"
_FROM_FILE = "\0file"
_ENTRIES = (
    (BUNDLED, "The bundled network", "Knows microplastics stained with Nile red already: useful within seconds."),
    (SCRATCH, "Nothing (from scratch)", "The preset's own network, with its published encoder weights if it has some."),
)


class StartChoice(QWidget):
    """Choose what to start from; once something was learnt, training goes on from there until told otherwise.

    Signals
    -------
    changed()
    """

    changed = Signal()

    def __init__(self, memory: Memory) -> None:
        super().__init__()
        self._models = memory
        self._last = BUNDLED
        self._no_bundled = ""
        self.learnt: Any = None
        self.choice = QComboBox()
        self.choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.choice.setMinimumContentsLength(12)
        self.continues = QLabel("Continues from this session's model")
        self.continues.setWordWrap(True)
        self.continues.setToolTip("What was learnt since this widget was opened is kept and trained on")
        self.afresh = QPushButton("Start afresh")
        self.afresh.setToolTip("Do not go on from this session's model: choose again what to start from")
        self.afresh.clicked.connect(lambda: self.continue_from(None))
        row = QHBoxLayout()
        row.addWidget(self.continues, 1)
        row.addWidget(self.afresh)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.choice)
        layout.addLayout(row)
        self._fill()
        self.choice.currentIndexChanged.connect(self._on_changed)
        self.continue_from(None)

    @property
    def start(self) -> Any:
        """``"default"``, ``"scratch"``, a model's path, or this session's model itself."""
        return self.learnt if self.learnt is not None else self.chosen

    @property
    def chosen(self) -> str:
        """What is chosen for a fresh start."""
        data = str(self.choice.currentData())
        return self._last if data == _FROM_FILE else data

    def choose(self, start: str) -> None:
        """Choose what to start from; what is no longer there is passed over."""
        index = self.choice.findData(start)
        if index >= 0:
            self.choice.setCurrentIndex(index)

    def allow_bundled(self, reason: str = "") -> None:
        """Offer the bundled network, or say why it cannot be started from; then nothing is, if it was chosen."""
        self._no_bundled = reason
        self._show_bundled()
        if reason and self.chosen == BUNDLED:
            self.choose(SCRATCH)

    def _show_bundled(self) -> None:
        place = self.choice.findData(BUNDLED)
        tip = self._no_bundled or _ENTRIES[0][2]
        self.choice.model().item(place).setEnabled(not self._no_bundled)
        self.choice.setItemData(place, tip, Qt.ItemDataRole.ToolTipRole)

    def continue_from(self, model: Any) -> None:
        """Go on from a model in memory; None for a fresh start."""
        self.learnt = model
        self.choice.setVisible(model is None)
        self.continues.setVisible(model is not None)
        self.afresh.setVisible(model is not None)
        self.changed.emit()

    def refresh(self) -> None:
        """List the models again, of which one may be new."""
        self._fill()
        self.choose(self._last)

    def _fill(self) -> None:
        self.choice.blockSignals(True)
        self.choice.clear()
        for name, title, tip in _ENTRIES:
            self._add(title, name, tip)
        for path in recent_models(self._models):
            self._add(Path(path).name, path, f"Trained model {path}")
        unsaved = last_unsaved(preferences().cache_folder)
        if unsaved is not None and self.choice.findData(str(unsaved)) < 0:
            self._add(f"{unsaved.name} (not saved)", str(unsaved), "The model that was trained last and never saved")
        self.choice.insertSeparator(self.choice.count())
        self._add("Trained model from file …", _FROM_FILE, "Choose a model that was trained and saved before")
        self._show_bundled()
        self.choice.blockSignals(False)

    def _add(self, text: str, data: str, tip: str) -> None:
        self.choice.addItem(text, data)
        self.choice.setItemData(self.choice.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)

    def _on_changed(self) -> None:
        if self.choice.currentData() == _FROM_FILE:
            self._ask()
        else:
            self._last = self.chosen
        self.choice.setToolTip(str(self.choice.currentData(Qt.ItemDataRole.ToolTipRole) or ""))
        self.changed.emit()

    def _ask(self) -> None:
        known = recent_models(self._models)
        folder = str(Path(known[0]).parent) if known else str(Path.home())
        path, _ = QFileDialog.getOpenFileName(
            self, "Choose a trained model: its card or its weights", folder, "Models (card.json *.safetensors)"
        )
        if path:
            self._last = str(model_of(Path(path)))
            remember_model(self._models, self._last)
            self._fill()
        self.choice.blockSignals(True)
        self.choose(self._last)
        self.choice.blockSignals(False)
