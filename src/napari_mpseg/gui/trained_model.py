"""What was learnt: to be saved, and to be used for segmentation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QMessageBox, QPushButton, QVBoxLayout, QWidget

from napari_mpseg.gui.docks import raise_dock
from napari_mpseg.gui.memory import Memory
from napari_mpseg.gui.method_choice import remember_model
from napari_mpseg.gui.status_line import note
from napari_mpseg.gui.train_run import Learnt
from napari_mpseg.gui.worker import Job
from napari_mpseg.leftovers import remove

_CARD = "card.json"


class TrainedModel(QWidget):
    """Buttons for the model of this session; hidden until there is one.

    Parameters
    ----------
    viewer : napari.Viewer
    memory : Memory
        Remembers the folder that was saved to last.
    say : callable
        Shows a text and how it went: ``"done"``, ``"error"`` ...

    Signals
    -------
    saved(str)
        The folder the model was saved as.
    """

    saved = Signal(str)

    def __init__(self, viewer: Any, memory: Memory, say: Callable[[str, str], None]) -> None:
        super().__init__()
        self._viewer, self._memory, self._say = viewer, memory, say
        self._model: Any = None
        self._kept: Path | None = None
        self._path: Path | None = None
        self._job: Job | None = None
        self._saving: Any = None
        self._handed_over = False
        self.save_button = QPushButton("Save model …")
        self.save_button.setToolTip(
            "Save what was learnt as a folder: the weights, and a card that says how they were made"
        )
        self.save_button.clicked.connect(self.ask)
        self.use_button = QPushButton("Use it")
        self.use_button.setToolTip("Open 'Segment particles' with this model chosen")
        self.use_button.clicked.connect(self.use)
        self.state = note()
        row = QHBoxLayout()
        row.addWidget(self.save_button)
        row.addWidget(self.use_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row)
        layout.addWidget(self.state)
        self.hide()

    def take(self, learnt: Learnt) -> None:
        """Offer what was just learnt."""
        self._model, self._kept, self._path = learnt.model, learnt.path, None
        self._handed_over = False
        self.state.setText("Not saved yet.")
        self.use_button.setEnabled(learnt.path is not None)
        self.show()

    def ask(self) -> None:
        """Ask where to save; ask again before a model that is there already is replaced."""
        folder = Path(self._memory.get("folder", str(Path.home())))
        chosen, _ = QFileDialog.getSaveFileName(
            self,
            "Save the model as a folder of this name",
            str(folder / self._model.card.name),
            options=QFileDialog.Option.DontConfirmOverwrite,
        )
        if not chosen:
            return
        path = Path(chosen)
        if path.exists() and not (path / _CARD).exists():
            self._say(f"{path} is there already and is no model. Choose another name.", "error")
            return
        if path.exists() and not self._may_replace(path):
            return
        self._memory.set(folder=str(path.parent))
        self._write(path)

    def use(self) -> None:
        """Choose the model in *Segment particles*, saved or not."""
        path = self._path or self._kept
        if path is None:
            return
        widget = self._segment_widget()
        if widget is None:
            _, widget = self._viewer.window.add_plugin_dock_widget("napari-mpseg", "Segment particles")
        self._handed_over = True
        widget.method.add_model(path)
        raise_dock(widget)

    def _segment_widget(self) -> Any:
        """Return the widget *Segment particles* if it is open."""
        from napari_mpseg.gui.segment_widget import SegmentWidget

        window = getattr(self._viewer, "window", None)
        docked = window.dock_widgets.values() if window is not None else ()
        return next((one for one in docked if isinstance(one, SegmentWidget)), None)

    def _may_replace(self, path: Path) -> bool:
        answer = QMessageBox.question(
            self, "Replace the model?", f"{path} is a model already. Replace it by what was learnt now?"
        )
        return answer == QMessageBox.StandardButton.Yes

    def _write(self, path: Path) -> None:
        model = replace(self._model, card=replace(self._model.card, name=path.name))
        job = Job(_save, model, path, path.exists(), title=f"Saving {path.name}", activity=False)
        job.succeeded.connect(self._on_saved)
        job.failed.connect(lambda text: self._say(text, "error"))
        job.ended.connect(self._end)
        self._job, self._saving = job, self._model
        self.save_button.setEnabled(False)
        job.start()

    def _on_saved(self, path: Path) -> None:
        remember_model(Memory("segment"), path)
        segment = self._segment_widget()
        if segment is not None:
            segment.method.refresh()
        self.saved.emit(str(path))
        if self._saving is not self._model:
            return  # something newer was learnt meanwhile
        self._path = path
        self.state.setText(f"Saved as {path}")
        self.use_button.setEnabled(True)
        if self._kept is not None and not self._handed_over:
            remove(self._kept)
            self._kept = None

    def _end(self) -> None:
        self._job = None
        self.save_button.setEnabled(True)

    def release(self) -> None:
        """Wait until what is being written is complete."""
        job, self._job = self._job, None
        if job is not None:
            job.abandon()


def _save(model: Any, path: Path, overwrite: bool, *, on_progress: Any, cancel: Any) -> Path:
    written: Path = model.save(path, overwrite=overwrite)
    return written
