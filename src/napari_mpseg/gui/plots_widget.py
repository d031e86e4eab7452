"""The widget *Plot particles*: figures of measured labels, whose points choose particles in the layer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QImage, QPixmap
from qtpy.QtWidgets import (
    QApplication,
    QComboBox,
    QFileDialog,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QWidget,
)

from napari_mpseg.errors import MpsegError
from napari_mpseg.gui.memory import Memory
from napari_mpseg.gui.plots_frame import FigureWidget, PlotCanvas
from napari_mpseg.gui.plots_keep import KeepDecisions
from napari_mpseg.gui.plots_lasso import PointLasso
from napari_mpseg.gui.plots_layers import MeasuredLayers
from napari_mpseg.gui.plots_options import PlotOptionsForm
from napari_mpseg.gui.plots_selection import ChosenParticles
from napari_mpseg.gui.status_line import StatusLine, note
from napari_mpseg.images.layers import layer_calibration
from napari_mpseg.particles.table import ParticleTable
from napari_mpseg.plots.figure import ink, message, prepared
from napari_mpseg.plots.registry import PLOTS, PlotEntry
from napari_mpseg.plots.saving import save_figure
from napari_mpseg.plots.scatter import POINTS, ScatterPoints, scatter_points
from napari_mpseg.settings import from_dict

if TYPE_CHECKING:
    import napari

_SOON = 120  # milliseconds in which several changes are drawn once
_SMALLEST = (300, 280)


class PlotsWidget(FigureWidget):
    """Draws the particles of labels layers.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Given by napari.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self._memory = Memory("plots")
        self._tables: dict[str, ParticleTable] = {}
        self._layers: list[Any] = []
        self._problem = ""  # why the tables could not be read
        self._stale = False
        self._points: ScatterPoints | None = None
        self._lasso: PointLasso | None = None
        self._options: dict[str, dict[str, Any]] = self._remembered()
        self.chosen = ChosenParticles(napari_viewer)
        self.decisions = KeepDecisions()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SOON)
        self._timer.timeout.connect(self._refresh_if_seen)
        self._build()
        self.layers.changed.connect(self._on_layers)
        self.layers.measured_again.connect(self._timer.start)
        self.kind.currentIndexChanged.connect(self._on_kind)
        self.options.changed.connect(self._on_options)
        self._on_layers()

    @property
    def selection(self) -> dict[str, NDArray[np.int64]]:
        """Labels chosen in the scatter plot, by the name of their layer."""
        return {layer.name: labels for layer, labels in self.chosen.labels.items()}

    # -- how it looks

    def _build(self) -> None:
        self.hint = note(
            "<b>No measured labels yet.</b> Find particles with <i>Layers &gt; Segment &gt; Segment particles</i>, or "
            "measure labels that are there with <i>Layers &gt; Measure &gt; Measure particles</i>."
        )
        self.layers = MeasuredLayers(self._viewer.layers)
        self.kind = QComboBox()
        for name, entry in PLOTS.items():
            self.kind.addItem(entry.title, name)
            self.kind.setItemData(self.kind.count() - 1, f"Shows {entry.summary}", Qt.ItemDataRole.ToolTipRole)
        self.kind.setCurrentIndex(max(0, self.kind.findData(self._memory.get("kind", "size-distribution"))))
        self.canvas = PlotCanvas(_SMALLEST)
        self.options = PlotOptionsForm()
        self.status = StatusLine()
        self.top = QWidget()
        form = QFormLayout(self.top)
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Labels", self.layers)
        form.addRow("Plot", self.kind)
        self.lasso_hint = note("Draw a loop around points, or click one. With Shift, more are added.")
        self.lay_out(
            self.hint,
            self.top,
            self.canvas,
            self.lasso_hint,
            self._selection_row(),
            self.options,
            self._file_row(),
            self.status,
            tall=self.canvas,
        )

    def _selection_row(self) -> QWidget:
        self.reject_button = _button("Reject selected", "The selected particles do not count any more", self.reject)
        self.keep_button = _button(
            "Keep only selected", "All other particles of these layers do not count any more", self.keep_only
        )
        self.clear_button = _button("Clear selection", "Select nothing", self.clear_selection)
        self.undo_button = _button("Undo", "Take back the last keeping or rejecting made here", self.undo)
        self.selection_row = QWidget()
        grid = QGridLayout(self.selection_row)
        grid.setContentsMargins(0, 0, 0, 0)
        buttons = (self.reject_button, self.keep_button, self.clear_button, self.undo_button)
        for number, button in enumerate(buttons):
            grid.addWidget(button, number // 2, number % 2)
        return self.selection_row

    def _file_row(self) -> QWidget:
        self.save_button = _button("Save figure …", "Save the figure on white, as PNG, SVG or PDF", self.ask_and_save)
        self.copy_button = _button("Copy", "Copy the figure on white, as a picture", self.copy)
        self.refresh_button = _button("Refresh", "Read the tables again, after cells were edited by hand", self.refresh)
        self.file_row = QWidget()
        row = QHBoxLayout(self.file_row)
        row.setContentsMargins(0, 0, 0, 0)
        for button, share in ((self.save_button, 2), (self.copy_button, 1), (self.refresh_button, 1)):
            row.addWidget(button, share)
        return self.file_row

    def take_theme(self) -> None:
        """Draw in the colours of the new theme."""
        self.canvas.take_theme()
        self._timer.start()

    # -- what is drawn

    @property
    def entry(self) -> PlotEntry:
        """The chosen plot."""
        return PLOTS[str(self.kind.currentData())]

    def refresh(self) -> None:
        """Read the tables of the layers and draw."""
        self._timer.stop()
        self._read()
        self._draw()

    def _refresh_if_seen(self) -> None:
        """Draw now; behind another dock, wait until this one is raised: reviewing is not held up."""
        self._stale = not self.isVisible()
        if not self._stale:
            self.refresh()

    def showEvent(self, event: Any) -> None:
        """Draw what has changed meanwhile."""
        super().showEvent(event)
        if self._stale:
            self._stale = False
            self._timer.start()

    def _on_layers(self) -> None:
        ready = bool(self.layers.chosen)
        self.hint.setVisible(not self.layers.measured)
        for part in (self.canvas, self.options, self.file_row):
            part.setVisible(ready)
        self.top.setVisible(bool(self.layers.measured))
        if self.chosen.count and set(self.chosen.labels) - set(self.layers.chosen):
            self.chosen.clear()
        self._read()
        self._show_options()
        self._draw()

    def _on_kind(self) -> None:
        self._memory.set(kind=self.entry.name)
        self._show_options()
        self._draw()

    def _on_options(self) -> None:
        self._options[self.entry.name] = self.options.values
        self._memory.set(options=json.dumps(self._options))
        self._draw()

    def _remembered(self) -> dict[str, dict[str, Any]]:
        try:
            stored = json.loads(self._memory.get("options", "{}"))
            return {str(kind): dict(values) for kind, values in stored.items()}
        except (ValueError, TypeError, AttributeError):
            return {}

    def _read(self) -> None:
        self._layers = self.layers.chosen
        before = {name: list(table.frame.columns) for name, table in self._tables.items()}
        self._tables, self._problem = {}, ""
        for layer in self._layers:
            try:
                self._tables[layer.name] = ParticleTable.from_features(layer.features, layer_calibration(layer))
            except MpsegError as error:
                self._layers, self._tables, self._problem = [], {}, f"{layer.name}: {error}"
                break
        if {name: list(table.frame.columns) for name, table in self._tables.items()} != before:
            self._show_options()

    def _show_options(self) -> None:
        if self._tables:
            values = self._options.get(self.entry.name, {})
            try:
                self.options.show_for(self.entry, self._tables, values)
            except (TypeError, ValueError):  # remembered by another version
                self.options.show_for(self.entry, self._tables, {})

    def _draw(self) -> None:
        if self._lasso is not None:
            self._lasso.close()
        self._lasso = self._points = None
        if self._problem:
            self._show_problem(self._problem)
            self.canvas.draw_idle()
        elif self._tables:
            self.status.say("")
            try:
                self.entry.draw(self._tables, figure=self.canvas.figure, **self.options.values)
                self._listen_to_points()
            except MpsegError as error:
                self._show_problem(str(error))
            self.canvas.draw_idle()
        self._show_selection()

    def _show_problem(self, text: str) -> None:
        figure = prepared(self.canvas.figure)
        axes = figure.subplots()
        axes.set_axis_off()
        message(axes, "This cannot be drawn, see below.")
        ink(figure)
        self.status.say(text, "error")

    # -- choosing particles

    def _listen_to_points(self) -> None:
        axes = self.canvas.figure.axes[0]
        shown = [one for one in axes.collections if one.get_gid() == POINTS]
        if self.entry.name != "scatter" or not shown:
            return
        kept = {name: table.kept() for name, table in self._tables.items()}
        options: Any = from_dict(self.entry.options, self.options.values)
        self._points = scatter_points(kept, options)
        self._lasso = PointLasso(
            axes, self._points.x, self._points.y, shown[0], on_loop=self._take, on_click=self._on_click
        )

    def _on_click(self, index: int | None) -> None:
        if index is None or self._points is None:
            return
        self._take(np.array([index]))
        layer = self._layers[int(self._points.image[index])]
        if layer in self._viewer.layers:
            self.chosen.go_to(layer, int(self._points.labels[index]))

    def _take(self, indices: NDArray[np.int64]) -> None:
        points = self._points
        if points is None:
            return
        found = {
            layer: points.labels[indices[points.image[indices] == number]] for number, layer in enumerate(self._layers)
        }
        add = bool(QApplication.keyboardModifiers() & Qt.KeyboardModifier.ShiftModifier)
        self.chosen.take(found, self._layers, add=add)
        self._show_selection()

    def clear_selection(self) -> None:
        """Select nothing."""
        self.chosen.clear()
        self._show_selection()

    def _show_selection(self) -> None:
        scatter = bool(self._tables) and self.entry.name == "scatter"
        count = self.chosen.count
        self.selection_row.setVisible(scatter or bool(count) or self.decisions.can_undo)
        self.lasso_hint.setVisible(scatter)
        self.lasso_hint.setText(self._selected_words() if count else "Draw a loop around points, or click one.")
        for button in (self.reject_button, self.keep_button, self.clear_button):
            button.setEnabled(bool(count))
        self.undo_button.setEnabled(self.decisions.can_undo)
        if self._lasso is not None and self._points is not None:
            self._lasso.show(self._chosen_points(self._points))

    def _chosen_points(self, points: ScatterPoints) -> NDArray[np.int64]:
        chosen = np.zeros(len(points.x), bool)
        for layer, labels in self.chosen.labels.items():
            if layer in self._layers:
                chosen |= (points.image == self._layers.index(layer)) & np.isin(points.labels, labels)
        return np.flatnonzero(chosen)

    def _selected_words(self) -> str:
        count, total = self.chosen.count, sum(len(table) for table in self._tables.values())
        where = f" in {len(self.chosen.labels)} layers" if len(self.chosen.labels) > 1 else ""
        return f"<b>{count:,} of {total:,} particles selected</b>{where}. With Shift, more are added."

    # -- deciding on particles

    def reject(self) -> None:
        """Reject the selected particles."""
        count = self.decisions.decide([(layer, labels, False) for layer, labels in self.chosen.labels.items()])
        self._decided(f"{count:,} particle{'' if count == 1 else 's'} rejected. They are no longer plotted.")

    def keep_only(self) -> None:
        """Keep the selected particles, and reject all others of the layers that are plotted."""
        decisions = []
        for layer, table in zip(self._layers, self._tables.values(), strict=True):
            labels = self.chosen.labels.get(layer, np.empty(0, np.int64))
            decisions += [(layer, labels, True), (layer, np.setdiff1d(table.labels, labels), False)]
        count = self.decisions.decide(decisions)
        self._decided(f"{self.chosen.count:,} kept; {count:,} decision{'' if count == 1 else 's'} changed.")

    def undo(self) -> None:
        """Take back the last decision made here."""
        count = self.decisions.undo()
        self._decided(f"Taken back for {count:,} particle{'' if count == 1 else 's'}.", keep_selection=True)

    def _decided(self, text: str, *, keep_selection: bool = False) -> None:
        if not keep_selection:
            self.chosen.clear()
        self.refresh()
        self.status.say(text, "done")

    # -- files

    def ask_and_save(self) -> None:
        """Ask for a file name and save the figure."""
        folder = self._memory.get("folder", str(Path.home()))
        name = f"{self._layers[0].name} {self.entry.name}.png" if self._layers else "figure.png"
        path, chosen = QFileDialog.getSaveFileName(
            self, "Save figure", str(Path(folder) / name), "PNG (*.png);;SVG (*.svg);;PDF (*.pdf)"
        )
        if path:
            ending = next((one for one in (".svg", ".pdf") if one in chosen), ".png")
            self.save(Path(path) if Path(path).suffix else Path(path + ending))

    def save(self, path: Path) -> None:
        """Save the figure on white, of the tables as they are now; the ending decides between PNG, SVG and PDF."""
        self.refresh()  # cells that were edited in napari's table are announced by nobody
        if self._problem:
            return
        try:
            save_figure(self.entry.draw(self._tables, **self.options.values), path)
        except MpsegError as error:
            self.status.say(str(error), "error")
            return
        self._memory.set(folder=str(path.parent))
        self.status.say(f"Figure saved in {path}.", "done")

    def copy(self) -> None:
        """Copy the figure on white, of the tables as they are now, as a picture."""
        self.refresh()
        if self._problem:
            return
        try:
            figure = self.entry.draw(self._tables, **self.options.values)
        except MpsegError as error:
            self.status.say(str(error), "error")
            return
        figure.set_dpi(150)
        canvas: Any = figure.canvas
        canvas.draw()
        pixels = np.ascontiguousarray(canvas.buffer_rgba())
        height, width = pixels.shape[:2]
        picture = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGBA8888)
        QApplication.clipboard().setPixmap(QPixmap.fromImage(picture.copy()))
        self.status.say("Figure copied.", "done")

    def release(self) -> None:
        """Let go of the viewer's layers, and give them their colours back."""
        self._timer.stop()
        if self._lasso is not None:
            self._lasso.close()
            self._lasso = None
        self.chosen.clear()
        self.layers.disconnect_layers()


def _button(words: str, help: str, action: Any) -> QPushButton:
    button = QPushButton(words)
    button.setToolTip(help)
    button.clicked.connect(lambda: action())
    return button
