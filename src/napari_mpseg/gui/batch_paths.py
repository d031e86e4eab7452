"""A field for folders and files of the user's: typed, chosen, or dropped onto it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QPushButton, QWidget

_SEPARATOR = "; "
_SETTLED = 400  # milliseconds after the last letter

Ask = Callable[[QWidget, str], Sequence[str]]


class PathEdit(QWidget):
    """One line for one path or several, with a button for every way of choosing.

    Parameters
    ----------
    placeholder, tooltip : str
        What is seen while it is empty, and what it is for.
    buttons : sequence of tuple
        Text and tool tip of each button, and what it asks: gets the widget and the folder to begin in, returns paths.
    several : bool
        Whether it takes more than one path.

    Signals
    -------
    changed()
        Other paths; while one types, a moment after the last letter.
    """

    changed = Signal()

    def __init__(
        self, placeholder: str, tooltip: str, buttons: Sequence[tuple[str, str, Ask]], *, several: bool = False
    ) -> None:
        super().__init__()
        self._several = several
        self._paths: list[str] = []  # as chosen: the name of a file may hold a separator
        self._told = ""
        self.edit = QLineEdit()
        self.edit.setPlaceholderText(placeholder)
        self.edit.setToolTip(tooltip)
        self.edit.setAcceptDrops(False)  # the whole row takes what is dropped
        self.setAcceptDrops(True)
        self.buttons: list[QPushButton] = []
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.edit, 1)
        for text, tip, ask in buttons:
            layout.addWidget(self._button(text, tip, ask))
        self._settled = QTimer(self)
        self._settled.setSingleShot(True)
        self._settled.setInterval(_SETTLED)
        self._settled.timeout.connect(self._tell)
        self.edit.textEdited.connect(self._settled.start)
        self.edit.editingFinished.connect(self._tell)

    def _button(self, text: str, tip: str, ask: Ask) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(tip)
        width = button.fontMetrics().horizontalAdvance(text) + 16
        button.setMaximumWidth(max(36, width))
        button.clicked.connect(lambda: self._take(ask(self, self._start())))
        self.buttons.append(button)
        return button

    @property
    def paths(self) -> list[str]:
        """What is chosen, ``~`` written out."""
        text = self.edit.text().strip()
        if text == self._text_of(self._paths):
            return list(self._paths)
        if not self._several or Path(text).exists():
            parts = [text]
        else:
            parts = [part.strip() for part in text.split(_SEPARATOR.strip())]
        return [str(Path(part).expanduser()) for part in parts if part]

    @property
    def path(self) -> str:
        """The first of them; empty without any."""
        return next(iter(self.paths), "")

    def choose(self, paths: Sequence[str]) -> None:
        """Show paths."""
        self._paths = list(paths)
        self.edit.setText(self._text_of(self._paths))
        self._tell()

    def dragEnterEvent(self, event: Any) -> None:
        """Take files and folders."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: Any) -> None:
        """Show what is dropped in place of what is there."""
        event.acceptProposedAction()
        self._take([url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()])

    def _take(self, paths: Sequence[str]) -> None:
        if paths:
            self.choose(list(paths) if self._several else [paths[0]])

    def _tell(self) -> None:
        self._settled.stop()
        if self.edit.text() != self._told:
            self._told = self.edit.text()
            self.changed.emit()

    def _start(self) -> str:
        place = Path(self.path) if self.path else Path.home()
        while not place.is_dir() and place != place.parent:
            place = place.parent
        return str(place)

    @staticmethod
    def _text_of(paths: Sequence[str]) -> str:
        return _SEPARATOR.join(paths)


def ask_folder(title: str) -> Ask:
    """Return what asks for a folder."""

    def ask(parent: QWidget, start: str) -> Sequence[str]:
        folder = QFileDialog.getExistingDirectory(parent, title, start)
        return [folder] if folder else []

    return ask


def ask_files(title: str, kinds: str, *, several: bool = True) -> Ask:
    """Return what asks for files of some kinds, such as ``"Images (*.tif *.png)"``."""

    def ask(parent: QWidget, start: str) -> Sequence[str]:
        if several:
            files, _ = QFileDialog.getOpenFileNames(parent, title, start, kinds)
            return list(files)
        file, _ = QFileDialog.getOpenFileName(parent, title, start, kinds)
        return [file] if file else []

    return ask
