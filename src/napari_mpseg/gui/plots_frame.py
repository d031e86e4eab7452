"""What the widgets that show figures share: a canvas in napari's colours, and a column that scrolls."""

from __future__ import annotations

import warnings
from typing import Any

from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
from matplotlib.figure import Figure
from napari.settings import get_settings
from napari.utils.theme import get_theme
from qtpy.QtCore import QEvent, QSize, Qt
from qtpy.QtWidgets import QFrame, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

_DOTS_PER_INCH = 88  # letters as large as those of the widgets around


class PlotCanvas(FigureCanvasQTAgg):
    """A matplotlib figure as a widget, on napari's background. No global setting of matplotlib is touched."""

    def __init__(self, smallest: tuple[int, int]) -> None:
        super().__init__(Figure(dpi=_DOTS_PER_INCH))
        self.setMinimumSize(*smallest)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.take_theme()

    def take_theme(self) -> None:
        """Take the background of napari's theme; to be drawn anew afterwards."""
        self.figure.set_facecolor(get_theme(get_settings().appearance.theme).background.as_hex())

    def draw(self) -> None:
        """Draw, however little room there is."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*layout not applied", category=UserWarning)
            super().draw()

    def sizeHint(self) -> QSize:
        """Return a size that fits the column of a dock, not that of the figure."""
        return self.minimumSize()

    def wheelEvent(self, event: Any) -> None:
        """Let the column scroll."""
        event.ignore()


class FigureWidget(QWidget):
    """A column of widgets around a canvas, which gets all the height that is left.

    Calls :meth:`take_theme` when napari's theme changes, and :meth:`release` when the widget is closed or taken out of
    its dock.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumWidth(340)
        get_settings().appearance.events.theme.connect(self._on_theme)

    def lay_out(self, *items: QWidget, tall: QWidget) -> None:
        """Put `items` one under the other; `tall` is the one that grows."""
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(4, 4, 4, 4)
        for item in items:
            column.addWidget(item, 1 if item is tall else 0)
        column.addStretch(0)  # takes what is left while the tall one is hidden
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(body)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scroll)

    def event(self, event: QEvent) -> bool:
        """Let go of everything when the widget is closed or loses its dock."""
        gone = event.type() == QEvent.Type.Close or (event.type() == QEvent.Type.ParentChange and self.parent() is None)
        if gone:
            get_settings().appearance.events.theme.disconnect(self._on_theme)
            self.release()
        return super().event(event)

    def _on_theme(self, event: Any = None) -> None:
        self.take_theme()

    def take_theme(self) -> None:
        """Draw in the colours of the new theme."""

    def release(self) -> None:
        """Let go of the viewer; called once the widget is closed for good, perhaps twice."""
