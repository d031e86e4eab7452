"""The small picture in the widget *Point pattern*, in the colours of napari's theme."""

from __future__ import annotations

from typing import Any

from napari.settings import get_settings
from napari.utils.theme import get_theme
from qtpy.QtCore import QSize
from qtpy.QtGui import QImage, QPainter
from qtpy.QtWidgets import QSizePolicy, QWidget

_DPI = 90


class PatternFigure(QWidget):
    """Shows a :class:`~napari_mpseg.particles.pattern.result.PatternResult`; drawn without matplotlib's own windows."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._result: Any = None
        self._image: QImage | None = None
        self.setMinimumHeight(220)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip(
            "The measured curve leaves the grey band somewhere for only as many random patterns as the level says. "
            "Above the band: more neighbours within that distance than in random patterns; below: fewer."
        )
        get_settings().appearance.events.theme.connect(self._on_theme)

    def sizeHint(self) -> QSize:
        """Return a size that fits the column of a dock."""
        return QSize(340, 240)

    def show_result(self, result: Any) -> None:
        """Draw a result."""
        self._result, self._image = result, None
        self.update()

    def resizeEvent(self, event: Any) -> None:
        """Draw anew at the new size."""
        self._image = None
        super().resizeEvent(event)

    def _on_theme(self, event: Any = None) -> None:
        self._image = None
        self.update()

    def paintEvent(self, event: Any) -> None:
        """Show the picture, drawn once per size."""
        if self._result is None:
            return
        if self._image is None:
            self._image = self._drawn()
        QPainter(self).drawImage(self.rect(), self._image)

    def _drawn(self) -> QImage:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        from napari_mpseg.particles.pattern.figure import draw_pattern

        theme = get_theme(get_settings().appearance.theme)
        ratio = float(self.devicePixelRatioF())
        figure = Figure(
            figsize=(max(1, self.width()) / _DPI, max(1, self.height()) / _DPI),
            dpi=_DPI * ratio,
            layout="constrained",
            facecolor=theme.foreground.as_hex(),
        )
        canvas = FigureCanvasAgg(figure)
        draw_pattern(self._result, figure, theme.text.as_hex())
        canvas.draw()
        pixels = canvas.buffer_rgba()
        height, width = pixels.shape[:2]
        return QImage(bytes(pixels), width, height, 4 * width, QImage.Format.Format_RGBA8888).copy()
