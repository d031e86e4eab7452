"""Ranges of colour as method files: saved here, and used on other images here or by *Segment particles*."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QWidget

from napari_mpseg.errors import MpsegError, SettingsError
from napari_mpseg.gui.colour_threshold_state import rows_of
from napari_mpseg.gui.memory import Memory
from napari_mpseg.methods.colour_ranges import ColourThreshold, colour_threshold
from napari_mpseg.methods.files import load_method, save_method

METHOD = "mp-act"


class RangeFiles(QWidget):
    """Two buttons.

    Parameters
    ----------
    memory : Memory
    now : callable
        Returns the ranges and the minimum size of now; raises SettingsError where no colour is left out.

    Signals
    -------
    opened(Rows, object)
        The ranges of a file, and its minimum size or None.
    told(str, str)
        Something for the status line, and its kind.
    """

    opened = Signal(object, object)
    told = Signal(str, str)

    def __init__(
        self, memory: Memory, now: Callable[[], tuple[ColourThreshold, int]], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._memory, self._now = memory, now
        self.save_button = QPushButton("Save method file …")
        self.save_button.setToolTip(
            "Save the ticked ranges and the minimum size, to use them on other images: as a method in Segment "
            "particles, or as 'napari-mpseg segment IMAGE --method FILE'"
        )
        self.save_button.clicked.connect(lambda: self.ask_and_save())
        self.open_button = QPushButton("Open …")
        self.open_button.setToolTip("Take the ranges of a method file; Undo brings the present ones back")
        self.open_button.clicked.connect(lambda: self.ask_and_open())
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.save_button, 1)
        layout.addWidget(self.open_button)

    def ask_and_save(self) -> None:
        """Ask for a file name and save the ranges as a method file."""
        folder = Path(self._memory.get("folder", str(Path.home())))
        path, _ = QFileDialog.getSaveFileName(
            self, "Save method file", str(folder / "my colours.json"), "Method files (*.json)"
        )
        if path:
            self.save(Path(path) if Path(path).suffix else Path(f"{path}.json"))

    def save(self, path: Path) -> None:
        """Save the ticked ranges and the minimum size as a method file."""
        try:
            ranges, min_size = self._now()
            save_method(path, METHOD, {"ranges": ranges}, min_size=min_size)
        except MpsegError as error:
            self.told.emit(str(error), "error")
            return
        self._memory.set(folder=str(path.parent))
        self.told.emit(f"Saved as {path}.", "done")

    def ask_and_open(self) -> None:
        """Ask for a method file and take its ranges."""
        path, _ = QFileDialog.getOpenFileName(
            self, "Open method file", self._memory.get("folder", str(Path.home())), "Method files (*.json)"
        )
        if path:
            self.open(Path(path))

    def open(self, path: Path) -> None:
        """Take the ranges and the minimum size of a method file."""
        try:
            saved = load_method(path)
            if saved.method != METHOD:
                raise SettingsError(f"{path.name} is of {saved.method}, which has no ranges of colour. Choose another.")
            rows = rows_of(colour_threshold(saved.options["ranges"]))
        except MpsegError as error:
            self.told.emit(str(error), "error")
            return
        self._memory.set(folder=str(path.parent))
        self.opened.emit(rows, saved.min_size)
        self.told.emit(f"The ranges are those of {path.name}.", "done")
