"""The widget *Colour threshold by hand (MP-ACT)*: ranges of colour set by eye, saved, and used on whole images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Image
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QCheckBox, QFileDialog, QFormLayout, QHBoxLayout, QPushButton, QSpinBox, QWidget

from napari_mpseg.errors import MpsegError, SettingsError
from napari_mpseg.gui.colour_threshold_form import RangeForm
from napari_mpseg.gui.colour_threshold_list import RangeList
from napari_mpseg.gui.colour_threshold_mouse import ClickTool
from napari_mpseg.gui.colour_threshold_overlay import ROLE, Overlay
from napari_mpseg.gui.colour_threshold_pick import range_around, widened
from napari_mpseg.gui.colour_threshold_state import Row, Rows, RowsHistory, rows_of
from napari_mpseg.gui.colour_threshold_view import View, ViewWatch
from napari_mpseg.gui.colour_threshold_work import image_to_segment, in_view
from napari_mpseg.gui.docks import raise_dock
from napari_mpseg.gui.layer_choice import LayerChoice
from napari_mpseg.gui.layer_input import has_channel_axis
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
from napari_mpseg.methods.files import load_method, save_method

if TYPE_CHECKING:
    import napari

TITLE = "Colour threshold by hand (MP-ACT)"
METHOD = "mp-act"
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
        self._viewer = napari_viewer
        self._memory = Memory("colour threshold")
        self._target: Any = None
        self._plane: tuple[int, ...] = ()
        self._view: View | None = None
        self.history = RowsHistory(self._remembered())
        self._watch = ViewWatch(napari_viewer, self)
        self._overlay = Overlay(napari_viewer, lambda: self.preview.setChecked(False))
        self._clicks = ClickTool(napari_viewer, self.pick_at)
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
            self._viewer.layers, _has_colours, preferred=lambda layer: _has_colours(layer) and not role_of(layer)
        )
        self.image.setToolTip("The colour image to look for particles in. It is not changed.")
        self.ranges = RangeList(self.history)
        self.ranges.changed.connect(self._show_rows)
        self.form = RangeForm()
        self.form.changed.connect(self._take_row)
        self.form.settled.connect(self.history.settle)
        self._build_picking()
        self.preview = QCheckBox("Live preview of what is in view")
        self.preview.setToolTip(
            "Show in sky blue, on a layer of its own, which pixels of the visible part the ranges find: up to two "
            "million pixels around its middle. The layer goes when you untick this or close."
        )
        self.preview.setChecked(self._memory.get("preview", True))
        self.preview.toggled.connect(self._show_found)
        self.found = note()
        self.min_size = QSpinBox()
        self.min_size.setRange(1, 1_000_000)
        self.min_size.setSuffix(" px")
        self.min_size.setValue(self._memory.get("min_size", 3))
        self.min_size.setToolTip("Smaller particles are left out. 3 px is what the MP-VAT macro uses.")
        self.min_size.valueChanged.connect(self._soon.start)
        self.pixel_size = PixelSizeEdit(self._memory)
        self._build_files()
        self.hint = note()
        self.panel = RunPanel(
            "Segment whole image", "Find the particles of these colours; adds a labels layer and their table"
        )
        self.panel.run_requested.connect(self.run)
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

    def _build_picking(self) -> None:
        self.pick = QPushButton("Pick a colour")
        self.pick.setCheckable(True)
        self.pick.setToolTip(
            "Click on a particle: the range is set around the colours there, 3 x 3 pixels. Shift-click: the range is "
            "widened to hold those too. Dragging still moves the image."
        )
        self.pick.toggled.connect(self._switch_picking)
        self.tolerance = QSpinBox()
        self.tolerance.setRange(0, 127)
        self.tolerance.setPrefix("± ")
        self.tolerance.setValue(self._memory.get("tolerance", 20))
        self.tolerance.setToolTip("How far a picked range goes beyond the clicked colours, of 255 in each component")
        self.picking = _row(self.pick, self.tolerance)

    def _build_files(self) -> None:
        self.save_button = QPushButton("Save method file …")
        self.save_button.setToolTip(
            "Save the ticked ranges and the minimum size, to use them on other images: as a method in Segment "
            "particles, or as 'napari-mpseg segment IMAGE --method FILE'"
        )
        self.save_button.clicked.connect(lambda: self.ask_and_save())
        self.open_button = QPushButton("Open …")
        self.open_button.setToolTip("Take the ranges of a method file; Undo brings the present ones back")
        self.open_button.clicked.connect(lambda: self.ask_and_open())
        self.files = _row(self.save_button, self.open_button)

    def _remembered(self) -> Rows:
        try:
            return rows_of(colour_threshold(self._memory.get("ranges", "")))
        except MpsegError:
            return Rows()

    def _remember(self) -> None:
        self._memory.set(
            min_size=self.min_size.value(),
            tolerance=self.tolerance.value(),
            preview=self.preview.isChecked(),
            ranges=self.history.now.threshold().text(),
        )
        self.pixel_size.remember()

    def _on_layer(self, layer: Any) -> None:
        ready = layer is not None
        if ready:
            from napari_mpseg.images.layers import layer_calibration

            self.pixel_size.take(layer_calibration(layer))
        self.hint.setText("" if ready else self._what_is_missing())
        self.hint.setVisible(not ready)
        self.form_box.setVisible(ready)
        self.panel.allow(ready)
        self.pick.setChecked(False)
        self._view = None
        self._overlay.take_away()
        self._watch.watch(layer)

    def _what_is_missing(self) -> str:
        if any(isinstance(layer, Image) and not role_of(layer) for layer in self._viewer.layers):
            return (
                "<b>No colour image yet.</b> The images that are open are grey and have no colours to choose. Open a "
                "colour image, or use a grey-level threshold in <i>Layers &gt; Segment &gt; Segment particles</i>."
            )
        return (
            "<b>No image yet.</b> Open a colour image with <i>File &gt; Open File(s) …</i>, drag it into the window, "
            "or try <i>File &gt; Open Sample &gt; napari-mpseg</i>."
        )

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

    def _switch_picking(self, on: bool) -> None:
        if on and self.image.layer is not None:
            self._clicks.start(self.image.layer)
        else:
            self._clicks.stop()

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
        picked = range_around(pixels, now.range.space, self.tolerance.value())
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

    # -- files ---------------------------------------------------------------------------------------------------

    def ask_and_save(self) -> None:
        """Ask for a file name and save the ranges as a method file."""
        folder = Path(self._memory.get("folder", str(Path.home())))
        path, _ = QFileDialog.getSaveFileName(
            self, "Save method file", str(folder / "my colours.json"), "Method files (*.json)"
        )
        if path:
            self.save(Path(path) if Path(path).suffix else Path(f"{path}.json"))

    def save(self, path: Path) -> None:
        """Save the ticked ranges and the minimum size as a method file."""
        try:
            ranges = self.history.now.threshold()
            save_method(path, METHOD, {"ranges": ranges}, min_size=self.min_size.value())
        except MpsegError as error:
            self.panel.status.say(str(error), "error")
            return
        self._memory.set(folder=str(path.parent))
        self.panel.status.say(f"Saved as {path}.", "done")

    def ask_and_open(self) -> None:
        """Ask for a method file and take its ranges."""
        path, _ = QFileDialog.getOpenFileName(
            self, "Open method file", self._memory.get("folder", str(Path.home())), "Method files (*.json)"
        )
        if path:
            self.open(Path(path))

    def open(self, path: Path) -> None:
        """Take the ranges and the minimum size of a method file."""
        try:
            saved = load_method(path)
            if saved.method != METHOD:
                raise SettingsError(f"{path.name} is of {saved.method}, which has no ranges of colour. Choose another.")
            rows = rows_of(colour_threshold(saved.options["ranges"]))
        except MpsegError as error:
            self.panel.status.say(str(error), "error")
            return
        self._memory.set(folder=str(path.parent))
        if saved.min_size is not None:
            self.min_size.setValue(saved.min_size)
        self.history.settle()
        self.history.change(rows)
        self._show_rows()
        self.panel.status.say(f"The ranges are those of {path.name}.", "done")

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
        self.pick.setChecked(False)
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
        self.preview.setChecked(False)  # it would hide the labels
        make_table_quick(self._viewer)
        _, labels = add_result(self._viewer, result, layer, plane=self._plane, prepared=prepared)
        show_table(self._viewer, labels)
        self.panel.status.say(summary(result), "done")

    def release(self) -> None:
        """Let go of the viewer, and take the preview away."""
        self._clicks.stop()
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
    if image is not None and _has_colours(image):
        widget.image.choose(image)
    raise_dock(widget)
    return widget


def _has_colours(layer: Any) -> bool:
    """Whether a layer is an image of red, green and blue."""
    if not isinstance(layer, Image) or role_of(layer) == ROLE:
        return False
    channels = (layer.data[0] if layer.multiscale else layer.data).shape[0] if has_channel_axis(layer) else 0
    return bool(layer.rgb) or channels == 3


def _row(left: QWidget, right: QWidget) -> QWidget:
    box = QWidget()
    layout = QHBoxLayout(box)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(left, 1)
    layout.addWidget(right)
    return box
