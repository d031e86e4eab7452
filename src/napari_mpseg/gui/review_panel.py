"""The buttons and figures of a review; what they do is the widget's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_mpseg.gui.review_keys import CLASS_KEYS, KEYS
from napari_mpseg.gui.status_line import StatusLine, note

_SHOWN = {key.action: key.shown for key in KEYS}
_ROWS = (
    (("previous", "◀ Previous"), ("next", "Next ▶")),
    (("keep", "Keep"), ("reject", "Reject")),
    (("merge", "Merge"), ("split", "Split")),
    (("redraw", "Redraw"), ("delete", "Delete")),
    (("undo", "Undo"), ("redo", "Redo")),
)
_DOES = {key.action: key.does for key in KEYS}


def button_of(action: str, text: str, run: Callable[[], Any]) -> QPushButton:
    """Return a button with its key, which leaves the keyboard to the picture."""
    button = QPushButton(f"{text}  {_SHOWN[action]}" if action in _SHOWN else text)
    button.setToolTip(f"{_DOES.get(action, text)} ({_SHOWN[action]})" if action in _SHOWN else text)
    button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    button.clicked.connect(lambda: run())
    return button


class ReviewButtons(QWidget):
    """All buttons that have a key.

    Parameters
    ----------
    actions : mapping of str to callable
        What they do, by the names of :data:`~napari_mpseg.gui.review_keys.KEYS`.
    """

    def __init__(self, actions: Mapping[str, Callable[[], Any]]) -> None:
        super().__init__()
        self.buttons: dict[str, QPushButton] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(4)
        for row, pair in enumerate(_ROWS):
            for column, (action, text) in enumerate(pair):
                self.buttons[action] = button_of(action, text, actions[action])
                grid.addWidget(self.buttons[action], row, column)

    def __getitem__(self, action: str) -> QPushButton:
        return self.buttons[action]


class ClassButtons(QWidget):
    """One button per class, the first nine with keys, and a field to add one.

    Signals
    -------
    chosen(str)
        A class was chosen for the particle.
    added(str)
        A class was typed in.
    """

    chosen = Signal(str)
    added = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.names: tuple[str, ...] = ()
        self.buttons: list[QPushButton] = []
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(4)
        self.field = QLineEdit()
        self.field.setPlaceholderText("another class")
        self.field.returnPressed.connect(self._add)
        add = QPushButton("Add")
        add.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        add.clicked.connect(self._add)
        row = QHBoxLayout()
        row.addWidget(self.field, 1)
        row.addWidget(add)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(self._grid)
        column.addLayout(row)

    def offer(self, names: Sequence[str], counts: Mapping[str, int], current: str | None) -> None:
        """Show these classes, with how many kept particles each has; the one of the particle is pressed."""
        if tuple(names) != self.names:
            self._build(tuple(names))
        for number, (name, button) in enumerate(zip(self.names, self.buttons, strict=True)):
            key = f"  {_SHOWN[f'class {number + 1}']}" if number < CLASS_KEYS else ""
            button.setText(f"{name.replace('&', '&&')} ({counts.get(name, 0):,}){key}")
            button.setChecked(name == current)

    def _build(self, names: tuple[str, ...]) -> None:
        for button in self.buttons:
            self._grid.removeWidget(button)
            button.deleteLater()
        self.names, self.buttons = names, []
        for number, name in enumerate(names):
            button = QPushButton()
            button.setCheckable(True)
            button.setToolTip(f"Give the particle the class {name}")
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            button.clicked.connect(lambda checked=False, name=name: self.chosen.emit(name))
            self._grid.addWidget(button, number // 2, number % 2)
            self.buttons.append(button)

    def _add(self) -> None:
        name = self.field.text().strip()
        if name:
            self.field.clear()
            self.added.emit(name)


class ReviewFigures(QWidget):
    """Which particle it is, how far the review is, and what came of it."""

    def __init__(self) -> None:
        super().__init__()
        self.particle = note()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.counts = note()
        self.status = StatusLine()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for item in (self.particle, self.bar, self.counts):
            column.addWidget(item)

    def show_counts(self, counts: Any) -> None:
        """Show how many particles are reviewed, kept and rejected."""
        self.bar.setRange(0, max(counts.particles, 1))
        self.bar.setValue(counts.reviewed)
        self.counts.setText(
            f"<b>{counts.reviewed:,}</b> of {counts.particles:,} reviewed · <b>{counts.kept:,}</b> kept · "
            f"<b>{counts.rejected:,}</b> rejected"
        )


def heading(text: str) -> QLabel:
    """Return a small heading between groups of buttons."""
    label = QLabel(text)
    label.setStyleSheet("font-weight: bold; margin-top: 4px;")
    return label
