"""The small plot in *Choose a threshold*: particles, and how good the pixels are, at every threshold."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.settings import get_settings
from napari.utils.theme import get_theme
from qtpy.QtCore import QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_mpseg.gui.curve import nice_ceiling
from napari_mpseg.gui.threshold_work import HIGHEST, LOWEST, Curves, threshold_of

_COLOURS = {
    "dark": {"counts": "#56B4E9", "precision": "#E69F00", "recall": "#CC79A7", "f1": "#33C79B"},
    "light": {"counts": "#0072B2", "precision": "#B35C00", "recall": "#A64D7F", "f1": "#007A59"},
}
_NAMES = {"counts": "particles", "precision": "precision", "recall": "recall", "f1": "F1"}
_DASHES = {
    "counts": Qt.PenStyle.SolidLine,
    "precision": Qt.PenStyle.DashLine,
    "recall": Qt.PenStyle.DotLine,
    "f1": Qt.PenStyle.SolidLine,
}
_SHARES = ("precision", "recall", "f1")


class ThresholdPlot(QWidget):
    """The plot; a click or a drag picks a threshold.

    Signals
    -------
    picked(int)
        The level, 1 to 255, that was clicked on.
    """

    picked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.curves: Curves | None = None
        self.level = LOWEST
        self.setMinimumHeight(150)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setToolTip(
            "Number of particles at every threshold (left axis) and, with truth, precision, recall and F1 of the "
            "pixels (right axis); the horizontal line is the true number of particles. Click to choose a threshold."
        )
        get_settings().appearance.events.theme.connect(self._on_theme)

    def sizeHint(self) -> QSize:
        """Return a size that fits the column of a dock."""
        return QSize(320, 180)

    def show_curves(self, curves: Curves | None) -> None:
        """Plot other curves; None empties the plot."""
        self.curves = curves
        self.update()

    def show_level(self, level: int) -> None:
        """Move the mark."""
        self.level = level
        self.update()

    def _on_theme(self, event: Any = None) -> None:
        self.update()

    def mousePressEvent(self, event: Any) -> None:
        """Pick where it was clicked."""
        self._pick(event)

    def mouseMoveEvent(self, event: Any) -> None:
        """Pick where it was dragged."""
        self._pick(event)

    def _pick(self, event: Any) -> None:
        if self.curves is None:
            return
        drawing = _Drawing(None, self, get_theme(get_settings().appearance.theme))
        x = event.position().x() if hasattr(event, "position") else event.x()
        share = (x - drawing.plot.left()) / max(1.0, drawing.plot.width())
        self.picked.emit(round(min(1.0, max(0.0, share)) * (HIGHEST - LOWEST)) + LOWEST)

    def paintEvent(self, event: Any) -> None:
        """Draw everything."""
        if self.curves is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = painter.font()
        font.setPointSizeF(max(7.0, font.pointSizeF() * 0.85))
        painter.setFont(font)
        drawing = _Drawing(painter, self, get_theme(get_settings().appearance.theme))
        drawing.frame()
        drawing.lines()
        drawing.legend()
        painter.end()


class _Drawing:
    """One drawing of the plot."""

    def __init__(self, painter: QPainter | None, widget: ThresholdPlot, theme: Any) -> None:
        assert widget.curves is not None
        self.curves, self.level, self.theme = widget.curves, widget.level, theme
        self.painter: Any = painter
        font = widget.font()
        font.setPointSizeF(max(7.0, font.pointSizeF() * 0.85))
        self.letters = QFontMetricsF(font)
        line = self.letters.height()
        self.top = nice_ceiling(_interesting(self.curves))
        left = 8 + max(self.letters.horizontalAdvance(text) for text in (f"{self.top:,.0f}", f"{self.top / 2:g}"))
        self.area = QRectF(widget.rect())
        self.shared = self.curves.precision is not None
        right = 2.2 * line if self.shared else 10
        self.plot = self.area.adjusted(left, line + 10, -right, -2 * line - 8)
        self.text = QColor(theme.text.as_hex())
        self.faint = QColor(self.text)
        self.faint.setAlphaF(0.25)
        names = _COLOURS["light" if theme.type == "light" else "dark"]
        self.colours = {name: QColor(colour) for name, colour in names.items()}

    def at(self, level: float, share: float) -> QPointF:
        """Return where a level and a share of the height lie."""
        across = (level - LOWEST) / (HIGHEST - LOWEST)
        up = min(1.0, max(0.0, share))
        return QPointF(self.plot.left() + self.plot.width() * across, self.plot.bottom() - self.plot.height() * up)

    def frame(self) -> None:
        """Draw axes, numbers and their names."""
        plot, painter, line = self.plot, self.painter, self.letters.height()
        painter.fillRect(self.area, QColor(self.theme.foreground.as_hex()))
        for share in (0.0, 0.5, 1.0):
            y = plot.bottom() - plot.height() * share
            painter.setPen(QPen(self.faint, 1))
            painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y))
            box = QRectF(self.area.left(), y - line / 2, plot.left() - 4, line)
            number = self.top * share
            text = f"{number:,.0f}" if number == round(number) else f"{number:g}"
            self._write(box, text, Qt.AlignmentFlag.AlignRight, self.colours["counts"])
            if self.shared:
                box = QRectF(plot.right() + 4, y - line / 2, 2 * line, line)
                self._write(box, f"{share:g}", Qt.AlignmentFlag.AlignLeft)
        for threshold in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
            x = self.at(LOWEST + threshold * (HIGHEST - LOWEST), 0).x()
            painter.setPen(QPen(self.faint, 1))
            painter.drawLine(QPointF(x, plot.bottom()), QPointF(x, plot.bottom() + 3))
            self._write(QRectF(x - 20, plot.bottom() + 3, 40, line), f"{threshold:g}", Qt.AlignmentFlag.AlignHCenter)
        below = QRectF(plot.left(), plot.bottom() + 3 + line, plot.width(), line)
        self._write(below, "Threshold", Qt.AlignmentFlag.AlignHCenter)

    def lines(self) -> None:
        """Draw the curves, the true count, and where the threshold is."""
        curves = self.curves
        if curves.n_truth is not None:
            self.painter.setPen(QPen(self.colours["counts"], 1, Qt.PenStyle.DashDotLine))
            share = curves.n_truth / self.top
            self.painter.drawLine(self.at(LOWEST, share), self.at(HIGHEST, share))
        self._line("counts", np.asarray(curves.counts) / self.top)
        for name in _SHARES if self.shared else ():
            self._line(name, getattr(curves, name))
        self.painter.setPen(QPen(self.text, 1.5))
        self.painter.drawLine(self.at(self.level, 0), self.at(self.level, 1))

    def legend(self) -> None:
        """Name the curves, above the plot."""
        x = self.area.left() + 6
        for name in ("counts", *_SHARES) if self.shared else ("counts",):
            width = self.letters.horizontalAdvance(_NAMES[name])
            middle = 5 + self.letters.height() / 2
            self.painter.setPen(QPen(self.colours[name], 2, _DASHES[name]))
            self.painter.drawLine(QPointF(x, middle), QPointF(x + 16, middle))
            self._write(QRectF(x + 20, 5, width + 2, self.letters.height()), _NAMES[name], Qt.AlignmentFlag.AlignLeft)
            x += width + 30

    def _line(self, name: str, shares: Any) -> None:
        places = [self.at(level, float(shares[level])) for level in range(LOWEST, HIGHEST + 1)]
        self.painter.setPen(QPen(self.colours[name], 2, _DASHES[name]))
        self.painter.setBrush(Qt.BrushStyle.NoBrush)
        self.painter.drawPolyline(QPolygonF(places))

    def _write(self, box: QRectF, text: str, where: Any, colour: QColor | None = None) -> None:
        self.painter.setPen(colour or self.text)
        self.painter.drawText(box, where | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextDontClip, text)


def _interesting(curves: Curves) -> float:
    """Return the end of the axis of counts; noise at the lowest thresholds may leave the plot."""
    counts = np.asarray(curves.counts[LOWEST:], float)
    inner = counts[round(0.04 * len(counts)) :]
    return max(1.0, float(inner.max(initial=0)), 1.2 * (curves.n_truth or 0))


def in_words(curves: Curves, level: int) -> str:
    """Return what there is at one level, as rich text."""
    count = int(curves.counts[level])
    text = f"<b>{count:,} particle{'' if count == 1 else 's'}</b> above {threshold_of(level):.3f}"
    if curves.n_truth is not None:
        text += f", {curves.n_truth:,} in truth"
        text += "<br>Pixels: " + ", ".join(f"{_NAMES[name]} {getattr(curves, name)[level]:.3f}" for name in _SHARES)
    return text + "."
