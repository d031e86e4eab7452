"""A line of text that says what happened, coloured by how it went."""

from __future__ import annotations

from typing import Any

from napari.settings import get_settings
from napari.utils.theme import get_theme
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QSizePolicy, QWidget

_THEME_COLOUR = {"info": "current", "done": "current", "warning": "warning", "error": "error"}


class StatusLine(QLabel):
    """Text that wraps, can be selected and copied, and has a coloured edge: error, warning or plain."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.kind = "info"
        self.setWordWrap(True)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        get_settings().appearance.events.theme.connect(self._paint)
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


def note(text: str = "") -> QLabel:
    """Return a label for a sentence or two under a field: wraps, rich text."""
    label = QLabel(text)
    label.setWordWrap(True)
    policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
    policy.setHeightForWidth(True)
    label.setSizePolicy(policy)
    return label
