"""The widget *Colour threshold by hand*, as in MP-ACT: ranges set by eye, saved, and used on whole images."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QCheckBox, QFormLayout, QSpinBox, QWidget

from napari_mpseg.errors import MpsegError, SettingsError
from napari_mpseg.gui.colour_threshold_files import METHOD, RangeFiles
from napari_mpseg.gui.colour_threshold_form import RangeForm
from napari_mpseg.gui.colour_threshold_list import RangeList
from napari_mpseg.gui.colour_threshold_overlay import Overlay
from napari_mpseg.gui.colour_threshold_pick import range_around, widened
from napari_mpseg.gui.colour_threshold_picking import Picking
from napari_mpseg.gui.colour_threshold_state import Row, Rows, RowsHistory, rows_of
from napari_mpseg.gui.colour_threshold_view import View, ViewWatch
from napari_mpseg.gui.colour_threshold_work import has_colours, image_to_segment, in_view, what_is_missing
from napari_mpseg.gui.docks import raise_dock
from napari_mpseg.gui.layer_choice import LayerChoice
from napari_mpseg.gui.memory import Memory, preferences
from napari_mpseg.gui.particle_table import make_table_quick, show_table
from napari_mpseg.gui.pixel_size import PixelSizeEdit
from napari_mpseg.gui.planes import segment_and_prepare
from napari_mpseg.gui.run_panel import RunPanel, WorkingWidget
from napari_mpseg.gui.status_line import note
from napari_mpseg.gui.summary import summary
from napari_mpseg.gui.worker import Job
from napari_mpseg.layers import add_result, role_of
from napari_mpseg.methods.colour_ranges import colour_threshold

if TYPE_CHECKING:
    import napari

TITLE = "Colour threshold by hand"
_WIDTH = 364  # pixels, in which the dock shows its whole title
_SOON = 10  # milliseconds in which several changes are shown as one


class ColourThresholdWidget(WorkingWidget):
    """Sets ranges of colour by eye, and finds the particles of those colours.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Given by napari.
    """

    def __init__(self, napari_viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self.setMinimumWidth(_WIDTH)
        self._viewer = napari_viewer
        self._memory = Memory("colour threshold")
        self._target: Any = None
        self._plane: tuple[int, ...] = ()
        self._view: View | None = None
        self.history = RowsHistory(self._remembered())
        self._watch = ViewWatch(napari_viewer, self)
        self._overlay = Overlay(napari_viewer, self._hide_preview)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_SOON)
        self._soon.timeout.connect(self._show_found)
        self._build()
        self._watch.seen.connect(self._seen)
        self._watch.unseen.connect(self._unseen)
        self.image.layer_changed.connect(self._on_layer)
        self._show_rows()
        self._on_layer(self.image.layer)

    # -- the form ------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.image = LayerChoice(
            self._viewer.layers, has_colours, preferred=lambda layer: has_colours(layer) and not role_of(layer)
        )
        self.image.setToolTip("The colour image to look for particles in. It is not changed.")
        self.ranges = RangeList(self.history)
        self.ranges.changed.connect(self._show_rows)
        self.form = RangeForm()
        self.form.changed.connect(self._take_row)
        self.form.settled.connect(self.history.settle)
        self.picking = Picking(self._viewer, self._memory)
        self.picking.picked.connect(self.pick_at)
        self._build_preview()
        self.min_size = QSpinBox()
        self.min_size.setRange(1, 1_000_000)
        self.min_size.setSuffix(" px")
        self.min_size.setValue(self._memory.get("min_size", 3))
        self.min_size.setToolTip("Smaller particles are left out. 3 px is what the MP-VAT macro uses.")
        self.min_size.valueChanged.connect(self._soon.start)
        self.pixel_size = PixelSizeEdit(self._memory)
        self.files = RangeFiles(self._memory, lambda: (self.history.now.threshold(), self.min_size.value()))
        self.files.opened.connect(self._take_rows)
        self.hint = note()
        self.panel = RunPanel(
            "Segment whole image", "Find the particles of these colours; adds a labels layer and their table"
        )
        self.panel.run_requested.connect(self.run)
        self.files.told.connect(self.panel.status.say)
        self.form_box = QWidget()
        self.panel.busy_changed.connect(self.form_box.setDisabled)
        form = QFormLayout(self.form_box)
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Image", self.image)
        for whole in (self.ranges, self.picking, self.form, self.preview, self.found):
            form.addRow(whole)
        form.addRow("Minimum size", self.min_size)
        form.addRow("Pixel size", self.pixel_size)
        form.addRow(self.files)
        self.lay_out(self.hint, self.form_box, self.panel)

    def _build_preview(self) -> None:
        self.preview = QCheckBox("Live preview of what is in view")
        self.preview.setToolTip(
            "Show in sky blue, on a layer of its own, which pixels of the visible part the ranges find: up to two "
            "million pixels around its middle. The layer goes when you untick this or close."
        )
        self.preview.setChecked(self._memory.get("preview", True))
        self.preview.toggled.connect(self._on_preview)
        self.found = note()

    def _remembered(self) -> Rows:
        try:
            return rows_of(colour_threshold(self._memory.get("ranges", "")))
        except MpsegError:
            return Rows()

    def _remember(self) -> None:
        self._memory.set(min_size=self.min_size.value(), ranges=self.history.now.threshold().text())
        self.pixel_size.remember()
        self.picking.remember()

    def _on_layer(self, layer: Any) -> None:
        ready = layer is not None
        if ready:
            from napari_mpseg.images.layers import layer_calibration

            self.pixel_size.take(layer_calibration(layer))
        self.hint.setText("" if ready else what_is_missing(self._viewer.layers))
        self.hint.setVisible(not ready)
        self.form_box.setVisible(ready)
        self.panel.allow(ready)
        self.picking.take(layer)
        self._view = None
        self._overlay.take_away()
        self._watch.watch(layer)

    # -- ranges --------------------------------------------------------------------------------------------------

    def _take_row(self, row: Row, going: str) -> None:
        self.history.change(self.history.now.with_row(row), going and f"{going} of {self.history.now.current}")
        self._show_rows()

    def _show_rows(self) -> None:
        row = self.history.now.row
        self.form.show_row(row)
        self.form.show_view(self._view)
        self.ranges.refresh()
        self._watch.prefer(row.range.space)
        if self.panel.status.kind == "error":
            self.panel.status.say("")  # it was about what the ranges were
        self._soon.start()

    def _take_rows(self, rows: Rows, min_size: int | None) -> None:
        """Take what a file holds."""
        if min_size is not None:
            self.min_size.setValue(min_size)
        self.history.settle()
        self.history.change(rows)
        self._show_rows()

    def pick_at(self, row: int, column: int, widen: bool) -> None:
        """Set the range in the form around the colours at a pixel, or widen it to hold them."""
        if self._view is None:
            return
        try:
            pixels = self._view.around(row, column)
        except MpsegError as error:
            self.panel.status.say(str(error), "error")
            return
        if pixels is None:
            return
        now = self.history.now.row
        picked = range_around(pixels, now.range.space, self.picking.tolerance.value())
        if widen:
            picked = widened(now.range, picked)
        self.history.settle()
        self._take_row(replace(now, range=picked, on=True), "")

    # -- what is in view -----------------------------------------------------------------------------------------

    def _seen(self, view: View) -> None:
        self._view = view
        self.form.show_view(view)
        self._show_found()

    def _unseen(self, why: str) -> None:
        self._view = None
        self._overlay.take_away()
        self.found.setText(why or "Nothing of the image is in view.")

    def _show_found(self) -> None:
        """Show what the ranges of now find in view."""
        if self._view is None:
            return
        try:
            threshold = self.history.now.threshold()
        except SettingsError as error:
            self._overlay.take_away()
            self.found.setText(str(error))
            return
        mask, text = in_view(self._view, threshold, self.min_size.value())
        self.found.setText(text)
        if self.preview.isChecked():
            self._overlay.show(self._view, mask)
        else:
            self._overlay.take_away()

    def _on_preview(self, on: bool) -> None:
        self._memory.set(preview=on)
        self._show_found()

    def _hide_preview(self) -> None:
        """Untick the box for now: a result, a layer taken away or a closed window is no choice to be remembered."""
        self.preview.blockSignals(True)
        self.preview.setChecked(False)
        self.preview.blockSignals(False)
        self._overlay.take_away()

    # -- the whole image -----------------------------------------------------------------------------------------

    def run(self) -> None:
        """Start segmenting the whole image, or the plane in view of a stack."""
        layer = self.image.layer
        if layer is None or self.panel.busy:
            return
        try:
            ranges = self.history.now.threshold()
            calibration = self.pixel_size.calibration
            image, self._plane = image_to_segment(self._viewer, layer)
        except MpsegError as error:
            self.panel.status.say(str(error), "error")
            return
        self._remember()
        self.picking.stop()
        self._target = layer
        preferred = preferences()
        job = Job(
            segment_and_prepare,
            [image],
            name=layer.name,
            method=METHOD,
            method_options={"ranges": ranges},
            min_size=self.min_size.value(),
            calibration=calibration,
            tile_size=preferred.tile_size,
            cache=preferred.cache_folder or None,
            title=f"Segmenting {layer.name}",
        )
        self.panel.start(job, self._add)

    def _add(self, outcome: tuple[Any, Any]) -> None:
        """Show a result: only here, at the very end, does the viewer change."""
        result, prepared = outcome
        layer = self._target if self._target in self._viewer.layers else None
        self._hide_preview()  # it would hide the labels
        make_table_quick(self._viewer)
        _, labels = add_result(self._viewer, result, layer, plane=self._plane, prepared=prepared)
        show_table(self._viewer, labels)
        self.panel.status.say(summary(result), "done")

    def release(self) -> None:
        """Let go of the viewer, and take the preview away."""
        self.picking.release()
        self._watch.release()
        self._overlay.release()
        self.image.disconnect_layers()


def open_colour_threshold(viewer: Any, image: Any = None) -> ColourThresholdWidget:
    """Show the widget in its dock, opened only once.

    Parameters
    ----------
    viewer : napari.Viewer
        With a window.
    image : napari.layers.Image, optional
        The colour image to choose in it.
    """
    docked = viewer.window.dock_widgets.values()
    widget = next((one for one in docked if isinstance(one, ColourThresholdWidget)), None)
    if widget is None:
        _, widget = viewer.window.add_plugin_dock_widget("napari-mpseg", TITLE)
    if image is not None and has_colours(image):
        widget.image.choose(image)
    raise_dock(widget)
    return widget
