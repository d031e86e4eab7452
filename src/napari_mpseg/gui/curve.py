"""A small plot of how a training goes: losses on the left axis, overlap with what was kept aside on the right."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from napari.settings import get_settings
from napari.utils.theme import get_theme
from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

_MOST_POINTS = 400  # of the single steps; more cannot be told apart
_COLOURS = {"dark": ("#5aa9f0", "#f2a33c", "#6ccf8a"), "light": ("#1667b0", "#b35c00", "#1d7a3d")}
Points = list[tuple[float, float]]


@dataclass
class Curves:
    """What is plotted, with epochs along the x axis (1.5: in the middle of the second).

    Attributes
    ----------
    steps, epochs, validation, iou : list of (epoch, value)
        Loss of single steps, mean loss of epochs, loss and intersection over union of what was kept aside.
    keeps_best : bool
        Whether the best epoch is what is kept.
    best : float or None
        The best epoch so far, where that is what is kept.
    total : int
        Epochs in all.
    """

    steps: Points = field(default_factory=list)
    epochs: Points = field(default_factory=list)
    validation: Points = field(default_factory=list)
    iou: Points = field(default_factory=list)
    keeps_best: bool = False
    best: float | None = None
    total: int = 1

    def take(self, event: Any) -> None:
        """Take in a :class:`~napari_mpseg.training.run.events.TrainingEvent`."""
        self.total = event.epochs
        if not event.ended:
            self.steps.append((event.passed, event.loss))
            if len(self.steps) > _MOST_POINTS:
                self.steps = self.steps[1::2]
            return
        self.take_epoch(event)
        if event.best and self.keeps_best:
            self.best = event.epoch

    def take_epoch(self, record: Any) -> None:
        """Take in an epoch: an event at its end, or a :class:`~napari_mpseg.training.run.loop.EpochRecord`."""
        self.epochs.append((record.epoch, record.loss))
        if record.validation is not None:
            self.validation.append((record.epoch, record.validation.loss))
            self.iou.append((record.epoch, record.validation.iou))

    @property
    def empty(self) -> bool:
        """Whether there is nothing to plot."""
        return not self.steps and not self.epochs

    def top(self) -> float:
        """Return the end of the loss axis: above all means and most single steps."""
        single = sorted(value for _, value in self.steps)
        values = [value for _, value in self.epochs + self.validation]
        if single:
            values.append(single[int(0.95 * (len(single) - 1))])
        return nice_ceiling(max((value for value in values if math.isfinite(value)), default=1.0))


def nice_ceiling(value: float) -> float:
    """Return the next of 1, 2, 5, 10 ... that is not smaller."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value * (1 - 1e-9))


def ticks(total: int, most: int = 6) -> list[int]:
    """Return round epoch numbers for the x axis, from 0 to at most `total`."""
    every = max(1, round(nice_ceiling(total / most)))
    return list(range(0, total + 1, every))


class CurvePlot(QWidget):
    """The plot; colours follow napari's theme."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.curves = Curves()
        self.setMinimumHeight(150)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip(
            "Loss: how wrong the network is on what it learns from, and on what was kept aside for validation; lower "
            "is better. IoU: overlap of found and painted particles on what was kept aside, 0 to 1; higher is better. "
            "When the validation loss rises while the training loss falls, the network learns by heart: stop."
        )
        get_settings().appearance.events.theme.connect(self._on_theme)

    def sizeHint(self) -> QSize:
        """Return a size that fits the column of a dock."""
        return QSize(320, 170)

    def show_curves(self, curves: Curves) -> None:
        """Plot other curves."""
        self.curves = curves
        self.update()

    def take(self, event: Any) -> None:
        """Plot one event more."""
        self.curves.take(event)
        self.update()

    def _on_theme(self, event: Any = None) -> None:
        self.update()

    def paintEvent(self, event: Any) -> None:
        """Draw everything."""
        theme = get_theme(get_settings().appearance.theme)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = painter.font()
        font.setPointSizeF(max(7.0, font.pointSizeF() * 0.85))
        painter.setFont(font)
        drawing = _Drawing(painter, self.curves, QRectF(self.rect()), theme)
        drawing.frame()
        drawing.lines()
        drawing.legend()
        painter.end()


class _Drawing:
    """One drawing of the plot."""

    def __init__(self, painter: QPainter, curves: Curves, area: QRectF, theme: Any) -> None:
        self.painter, self.curves, self.theme = painter, curves, theme
        self.letters = QFontMetricsF(painter.font())
        line = self.letters.height()
        self.top = curves.top()
        self.middle = f"{self.top / 2:g}"
        left = line + 6 + max(self.letters.horizontalAdvance(text) for text in (self.middle, f"{self.top:g}", "0"))
        right = 2 * line if curves.iou else 8
        self.area = area
        self.plot = area.adjusted(left + 4, line + 8, -right - 4, -2 * line - 6)
        self.text = QColor(theme.text.as_hex())
        self.faint = QColor(self.text)
        self.faint.setAlphaF(0.25)
        colours = _COLOURS["light" if theme.type == "light" else "dark"]
        self.training, self.validation, self.iou = (QColor(name) for name in colours)

    def at(self, x: float, y: float, top: float) -> QPointF:
        """Return where a value lies."""
        share = min(1.0, max(0.0, y / top)) if math.isfinite(y) else 1.0
        return QPointF(
            self.plot.left() + self.plot.width() * x / max(1, self.curves.total),
            self.plot.bottom() - self.plot.height() * share,
        )

    def frame(self) -> None:
        """Draw axes, numbers and their names."""
        plot, painter, line = self.plot, self.painter, self.letters.height()
        painter.fillRect(self.area, QColor(self.theme.foreground.as_hex()))
        painter.setPen(QPen(self.faint, 1))
        for share in (0.0, 0.5, 1.0):
            y = plot.bottom() - plot.height() * share
            painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y))
        painter.setPen(self.text)
        for share, text in ((0.0, "0"), (0.5, self.middle), (1.0, f"{self.top:g}")):
            y = plot.bottom() - plot.height() * share
            self._write(
                QRectF(self.area.left(), y - line / 2, plot.left() - 4, line), text, Qt.AlignmentFlag.AlignRight
            )
            if self.curves.iou:
                box = QRectF(plot.right() + 4, y - line / 2, 2 * line, line)
                self._write(box, f"{share:g}", Qt.AlignmentFlag.AlignLeft, self.iou)
        for number in ticks(self.curves.total):
            x = self.at(number, 0, 1).x()
            painter.setPen(QPen(self.faint, 1))
            painter.drawLine(QPointF(x, plot.bottom()), QPointF(x, plot.bottom() + 3))
            self._write(QRectF(x - 20, plot.bottom() + 3, 40, line), str(number), Qt.AlignmentFlag.AlignHCenter)
        below = QRectF(plot.left(), plot.bottom() + 3 + line, plot.width(), line)
        self._write(below, "Epoch", Qt.AlignmentFlag.AlignHCenter)
        painter.save()
        painter.translate(self.area.left() + 2, plot.center().y())
        painter.rotate(-90)
        self._write(QRectF(-plot.height() / 2, 0, plot.height(), line), "Loss", Qt.AlignmentFlag.AlignHCenter)
        painter.restore()

    def lines(self) -> None:
        """Draw the curves and mark the epoch that is kept."""
        curves = self.curves
        single = QColor(self.training)
        single.setAlphaF(0.35)
        self._line(curves.steps, self.top, QPen(single, 1))
        self._line(curves.epochs, self.top, QPen(self.training, 2), dots=True)
        self._line(curves.validation, self.top, QPen(self.validation, 2), dots=True)
        self._line(curves.iou, 1.0, QPen(self.iou, 2, Qt.PenStyle.DashLine), dots=True)
        kept = dict(curves.validation or curves.epochs).get(curves.best or 0)
        if kept is not None and curves.best is not None:
            self.painter.setPen(QPen(self.text, 1.5))
            self.painter.setBrush(Qt.BrushStyle.NoBrush)
            self.painter.drawEllipse(self.at(curves.best, kept, self.top), 5, 5)

    def legend(self) -> None:
        """Name the curves, above the plot."""
        names = [("training", self.training)]
        if self.curves.validation:
            names += [("validation", self.validation), ("IoU (right)", self.iou)]
        if self.curves.best is not None:
            names.append(("○ best", self.text))
        x = self.plot.left()
        for name, colour in names:
            width = self.letters.horizontalAdvance(name)
            if not name.startswith("○"):
                self.painter.fillRect(QRectF(x, 4 + self.letters.height() / 2 - 1.5, 12, 3), colour)
                x += 16
            self._write(QRectF(x, 4, width + 2, self.letters.height()), name, Qt.AlignmentFlag.AlignLeft)
            x += width + 10

    def _line(self, points: Points, top: float, pen: QPen, *, dots: bool = False) -> None:
        places = [self.at(x, y, top) for x, y in points]
        self.painter.setPen(pen)
        self.painter.setBrush(Qt.BrushStyle.NoBrush)
        self.painter.drawPolyline(QPolygonF(places))
        if dots and len(places) < 60:
            self.painter.setPen(Qt.PenStyle.NoPen)
            self.painter.setBrush(pen.color())
            for place in places:
                self.painter.drawEllipse(place, 2.5, 2.5)

    def _write(self, box: QRectF, text: str, where: Any, colour: QColor | None = None) -> None:
        self.painter.setPen(colour or self.text)
        self.painter.drawText(box, where | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextDontClip, text)
