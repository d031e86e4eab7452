"""A line of text that says what happened, coloured by how it went."""

from __future__ import annotations

from typing import Any
from weakref import WeakSet

from napari.settings import get_settings
from napari.utils.theme import get_theme
from qtpy.compat import isalive
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QSizePolicy, QWidget

_THEME_COLOUR = {"info": "current", "done": "current", "warning": "warning", "error": "error"}


_LINES: WeakSet[StatusLine] = WeakSet()


class StatusLine(QLabel):
    """Text that wraps, can be selected and copied, and has a coloured edge: error, warning or plain."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.kind = "info"
        self.setWordWrap(True)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        get_settings().appearance.events.theme.connect(self._paint)
        _LINES.add(self)
        self.say("")

    def say(self, text: str, kind: str = "info") -> None:
        """Show `text`; `kind` is ``"info"``, ``"done"``, ``"warning"`` or ``"error"``."""
        self.kind = kind
        self.setText(text)
        self.setVisible(bool(text))
        self._paint()

    def _paint(self, event: Any = None) -> None:
        theme = get_theme(get_settings().appearance.theme)
        edge = getattr(theme, _THEME_COLOUR[self.kind]).as_hex()
        self.setStyleSheet(
            f"StatusLine {{ border-left: 3px solid {edge}; padding: 5px 4px 5px 8px; "
            f"background-color: {theme.foreground.as_hex()}; color: {theme.text.as_hex()}; }}"
        )


def said_in_view(text: str) -> bool:
    """Return whether a status line that the user can see says this."""
    alive = [line for line in _LINES if isalive(line)]
    return any(line.text() == text and line.isVisible() and not line.visibleRegion().isEmpty() for line in alive)


class Note(QLabel):
    """A sentence or two under a field: wraps, and is always as tall as its text.

    A form gives a wrapping label the height of its preferred width; where the column is narrower, the last line
    would be cut off.
    """

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setWordWrap(True)

    def setText(self, text: str) -> None:
        """Show `text` at the height it needs."""
        super().setText(text)
        self._fit()

    def resizeEvent(self, event: Any) -> None:
        """Take the height that the text needs at the new width."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        self.setMinimumHeight(self.heightForWidth(self.width()) if self.text() else 0)


def note(text: str = "") -> QLabel:
    """Return a label for a sentence or two under a field: wraps, rich text."""
    return Note(text)
