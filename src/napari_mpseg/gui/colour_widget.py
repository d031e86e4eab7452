"""The widget *Colour particles by a column*: what a labels layer's colours mean, with a legend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QFormLayout, QHBoxLayout, QPushButton, QWidget

from napari_mpseg.errors import MpsegError
from napari_mpseg.gui.colour_labels import colours_of
from napari_mpseg.gui.layer_choice import LayerChoice
from napari_mpseg.gui.memory import Memory
from napari_mpseg.gui.plots_frame import FigureWidget, PlotCanvas
from napari_mpseg.gui.plots_layers import is_measured
from napari_mpseg.gui.status_line import StatusLine, note
from napari_mpseg.particles.table import ParticleTable
from napari_mpseg.plots.colour_legend import draw_legend, legend_height
from napari_mpseg.plots.colouring import ColourLegend, ColourSettings, colours_by
from napari_mpseg.plots.colours import SEQUENTIAL
from napari_mpseg.plots.columns import is_category
from napari_mpseg.plots.words import column_words

if TYPE_CHECKING:
    import napari

_SOON = 120  # milliseconds in which several changes are drawn once
_NOT_OFFERED = ("index", "label")
_TALLEST = 420  # pixels of the legend


class ColourWidget(FigureWidget):
    """Colours the particles of a labels layer by any column of its table.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Given by napari.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self._memory = Memory("colour")
        self._layer: Any = None
        self.legend: ColourLegend | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SOON)
        self._timer.timeout.connect(self._on_table)
        self._build()
        self.labels.layer_changed.connect(self._on_layer)
        self._on_layer(self.labels.layer)

    def _build(self) -> None:
        self.labels = LayerChoice(self._viewer.layers, lambda layer: isinstance(layer, Labels))
        self.labels.setToolTip("The labels to colour. Their numbers and their table are not changed.")
        self.hint = note()
        self.column = QComboBox()
        self.column.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.column.setMinimumContentsLength(12)
        self.column.setToolTip("The column that the colours tell; classes get a colour each, numbers a colour scale")
        self.colormap = QComboBox()
        self.colormap.addItems(SEQUENTIAL)
        self.colormap.setCurrentText(self._memory.get("colormap", SEQUENTIAL[0]))
        self.low, self.high = _percentile(self._memory.get("low", 1.0)), _percentile(self._memory.get("high", 99.0))
        self.log = QCheckBox("Logarithmic")
        self.log.setToolTip("Colours by the logarithm: for areas and lengths over several orders of magnitude")
        self.hide_rejected = QCheckBox("Hide rejected particles")
        self.hide_rejected.setToolTip("Particles whose “keep” is not ticked are transparent")
        self.back_button = QPushButton("Back to own colours")
        self.back_button.setToolTip("Give the layer the colours back that it had")
        self.canvas = PlotCanvas((300, 40))
        self.status = StatusLine()
        self._room = QWidget()
        self.lay_out(self._rows(), self.canvas, self.back_button, self.status, self._room, tall=self._room)
        self.column.activated.connect(self._on_settings)
        self.colormap.activated.connect(self._on_settings)
        for box in (self.low, self.high):
            box.valueChanged.connect(self._on_settings)
        for tick in (self.log, self.hide_rejected):
            tick.clicked.connect(self._on_settings)
        self.back_button.clicked.connect(self.restore)

    def _rows(self) -> QWidget:
        self.box = QWidget()
        self._form = QFormLayout(self.box)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._form.addRow("Labels", self.labels)
        self._form.addRow(self.hint)
        self._form.addRow("Column", self.column)
        self._form.addRow("Colours", self.colormap)
        self._limits = QWidget()
        row = QHBoxLayout(self._limits)
        row.setContentsMargins(0, 0, 0, 0)
        for box in (self.low, self.high):
            row.addWidget(box)
        self._limits.setToolTip("The colour scale begins and ends at these percentiles of the values")
        self._form.addRow("From, to", self._limits)
        self._form.addRow("", self.log)
        self._form.addRow("", self.hide_rejected)
        return self.box

    # -- the layer and its table

    def _on_layer(self, layer: Any) -> None:
        if self._layer is not None:
            self._layer.events.features.disconnect(self._timer_start)
        self._layer = layer
        if layer is not None:
            layer.events.features.connect(self._timer_start)
        self.legend = None
        self._on_table()

    def _timer_start(self, event: Any = None) -> None:
        self._timer.start()

    def _on_table(self) -> None:
        """List the columns of the table, and colour again where the layer is coloured by one of them."""
        layer = self._layer
        measured = layer is not None and is_measured(layer)
        for part, visible in ((self.labels, layer is not None), (self.hint, not measured), (self.column, measured)):
            self._form.setRowVisible(part, visible)
        self.hint.setText(
            "<b>No labels yet.</b> Find particles with <i>Layers &gt; Segment &gt; Segment particles</i>."
            if layer is None
            else "<b>These labels have no table yet.</b> Measure them with <i>Layers &gt; Measure &gt; Measure "
            "particles</i>."
        )
        chosen = str(self.column.currentData() or "")
        self.column.clear()
        if measured:
            self.column.addItem("choose …", "")
            for name, words in _column_words(layer).items():
                self.column.addItem(words, name)
            if self.legend is not None:
                self.column.setCurrentIndex(max(0, self.column.findData(chosen)))
        self._apply()

    # -- colouring

    @property
    def settings(self) -> ColourSettings:
        """What the form says.

        Raises
        ------
        SettingsError
            If the limits are the wrong way round.
        """
        return ColourSettings(
            str(self.column.currentData() or ""),
            self.colormap.currentText(),
            self.low.value(),
            self.high.value(),
            self.log.isChecked(),
            self.hide_rejected.isChecked(),
        )

    def colour_by(self, column: str) -> None:
        """Colour by a column, as choosing it does."""
        self.column.setCurrentIndex(max(0, self.column.findData(column)))
        self._apply()

    def restore(self) -> None:
        """Give the layer its own colours back."""
        if self._layer is not None:
            colours_of(self._layer).restore()
        self.legend = None
        self.column.setCurrentIndex(0)
        self._apply()

    def _on_settings(self) -> None:
        self._memory.set(colormap=self.colormap.currentText(), low=self.low.value(), high=self.high.value())
        if not self.column.currentData() and self.legend is not None:
            self.restore()
        else:
            self._apply()

    def _apply(self) -> None:
        layer, column = self._layer, str(self.column.currentData() or "")
        self.status.say("")
        if layer is not None and column:
            features = layer.features
            try:
                frame = features[features["index"] > 0]
                colours, self.legend = colours_by(frame, self.settings, _units(layer).get(column, ""))
            except MpsegError as error:
                self.status.say(str(error), "error")
            else:
                numbers = frame["index"].to_numpy(np.int64)
                table = np.zeros((int(numbers.max(initial=0)) + 1, 4), np.float32)
                table[numbers] = colours
                colours_of(layer).colour(table)
        self._show_legend()

    def _show_legend(self) -> None:
        layer, column = self._layer, self.column.currentData()
        numbers = bool(column) and layer is not None and not is_category(layer.features[column])
        for part in (self.colormap, self._limits, self.log):
            self._form.setRowVisible(part, numbers)
        self._form.setRowVisible(
            self.hide_rejected, layer is not None and self.column.count() > 0 and "keep" in layer.features
        )
        coloured = layer is not None and colours_of(layer).coloured
        self.back_button.setVisible(coloured)
        self.canvas.setVisible(self.legend is not None)
        if self.legend is not None:
            figure = self.canvas.figure
            height = min(round(legend_height(self.legend) * figure.dpi / self.canvas.device_pixel_ratio), _TALLEST)
            self.canvas.setFixedHeight(height)
            draw_legend(self.legend, figure)
            self.canvas.draw_idle()

    def take_theme(self) -> None:
        """Draw the legend in the colours of the new theme."""
        self.canvas.take_theme()
        self._show_legend()

    def release(self) -> None:
        """Let go of the viewer's layers; their colours stay."""
        self._timer.stop()
        if self._layer is not None:
            self._layer.events.features.disconnect(self._timer_start)
            self._layer = None
            self.labels.disconnect_layers()


def _percentile(value: float) -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setRange(0, 100)
    box.setDecimals(1)
    box.setSuffix(" %")
    box.setKeyboardTracking(False)
    box.setValue(value)
    return box


def _units(layer: Any) -> dict[str, str]:
    return dict(ParticleTable.from_features(layer.features.iloc[:2]).units)


def _column_words(layer: Any) -> dict[str, str]:
    """Return the columns with their words, those with classes first."""
    units, features = _units(layer), layer.features
    names = [str(name) for name in features.columns if name not in _NOT_OFFERED]
    names.sort(key=lambda name: not is_category(features[name]))
    return {name: column_words(name, units) for name in names}
