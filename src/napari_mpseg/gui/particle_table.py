"""napari's features table beside the labels: opened once, and kept in step with clicks on particles.

napari's table selects a label when its row is clicked, and marks the row of the selected label. It neither brings
the particle into view, nor scrolls to the row, nor notices a click on a particle while one pans and zooms. That is
what is added here, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from qtpy.QtCore import Qt, QTimer

from napari_mpseg.gui.docks import raise_dock
from napari_mpseg.gui.particle_sorting import sort_quickly
from napari_mpseg.layers import particle_box

_TABLE = "Features table widget"
_SMALLEST_ON_SCREEN = 24  # screen pixels; a particle that is smaller is zoomed in on
_SHARE_OF_SCREEN = 0.12  # of the canvas that a particle fills after zooming in
_LARGEST_PIXEL = 24  # screen pixels of one image pixel, however small the particle
_SETTLED = 150  # milliseconds until a new dock has taken its room
_ROWS_TO_FIT = 30
_CLICK_SLACK = 4  # screen pixels that a hand moves during a click


def show_table(viewer: Any, layer: Any) -> Any:
    """Make `layer` the selected layer and show its features in napari's own table, opened only once.

    Returns
    -------
    QWidget or None
        The table; None for a viewer without a window.
    """
    link_selection(viewer, layer)
    window = getattr(viewer, "window", None)
    table = open_table(window)
    if table is not None:
        raise_dock(table)
    elif window is not None:
        before = canvas_size(viewer)
        viewer.layers.selection.clear()  # it must not fill itself before it was told to look at a few rows only
        dock, table = window.add_plugin_dock_widget("napari", _TABLE)
        _lay_below(dock)
        _keep_in_view(viewer, dock, before)
    _fit_columns_quickly(table)
    sort_quickly(table)
    viewer.layers.selection.active = layer
    return table


def link_selection(viewer: Any, layer: Any) -> ParticleSelection:
    """Let rows and particles of `layer` find each other; doing it again does nothing."""
    # napari hands widgets proxies, which end with the widget: the layer must keep the things themselves
    viewer, layer = (getattr(one, "__wrapped__", one) for one in (viewer, layer))
    for callback in layer.mouse_drag_callbacks:
        owner = getattr(callback, "__self__", None)
        if isinstance(owner, ParticleSelection):
            return owner
    return ParticleSelection(viewer, layer)


def open_table(window: Any) -> Any:
    """Return the features table, whether it was opened by this plugin or from napari's menu, or None."""
    docked = window.dock_widgets.items() if window is not None else ()
    return next((widget for name, widget in docked if name.startswith(_TABLE)), None)


def make_table_quick(viewer: Any) -> None:
    """See to it that a features table which is open already takes a large table, and sorts it, quickly."""
    table = open_table(getattr(viewer, "window", None))
    _fit_columns_quickly(table)
    sort_quickly(table)


def _fit_columns_quickly(table: Any) -> None:
    """Fit the columns to the rows on top, not to a thousand, which takes seconds: 8 s for 8,000 particles."""
    view = getattr(table, "table", None)
    if view is not None:
        view.horizontalHeader().setResizeContentsPrecision(_ROWS_TO_FIT)


def _lay_below(dock: Any) -> None:
    """Move the new table under the picture: it is wide, and the right-hand side is narrow."""
    main = dock.window()
    if hasattr(main, "addDockWidget"):
        main.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, dock)
        main.resizeDocks([dock], [max(260, main.height() // 3)], Qt.Orientation.Vertical)


def _keep_in_view(viewer: Any, dock: Any, before: tuple[float, float]) -> None:
    """Zoom out as far as the table took room from the picture, so that what was seen is still seen."""

    def zoom_out() -> None:
        after = canvas_size(viewer)
        share = min(after[0] / before[0], after[1] / before[1])
        if 0.1 < share < 1:
            camera_of(viewer).zoom *= share

    timer = QTimer(dock)  # goes with the dock
    timer.setSingleShot(True)
    timer.timeout.connect(zoom_out)
    timer.start(_SETTLED)


def camera_of(viewer: Any) -> Any:
    """Return the camera, wherever this napari has it."""
    return viewer.scene.camera if hasattr(viewer, "scene") else viewer.camera


class ParticleSelection:
    """Connects the selected label of one labels layer with the view and the row of the table.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
        Where the layer is shown.
    layer : napari.layers.Labels
        With dense labels, whose features have one row per label and one for the background.
    """

    def __init__(self, viewer: Any, layer: Any) -> None:
        self._viewer = viewer  # lives as long as the layer, whose list of callbacks holds this object
        self._layer = layer
        self._from_canvas = False
        layer.mouse_drag_callbacks.insert(0, self._on_press)
        layer.events.selected_label.connect(self._on_selected)

    def _on_press(self, layer: Any, event: Any) -> Iterator[None]:
        """Select the particle under a click, which is a press without a drag, while panning and zooming."""
        # In the other modes napari selects (pick) or the user paints; the view must stay where it is either way.
        self._from_canvas = True
        try:
            clickable = layer.mode == "pan_zoom" and event.button == 1
            pressed = np.asarray(event.pos, dtype=float)
            moved = False
            yield
            while event.type == "mouse_move":
                moved = moved or bool(np.abs(np.asarray(event.pos) - pressed).max() > _CLICK_SLACK)
                yield
            label = label_at(layer, event) if clickable and not moved else 0
            if label:
                layer.selected_label = label
        finally:
            self._from_canvas = False

    def _on_selected(self, event: Any = None) -> None:
        viewer, layer = self._viewer, self._layer
        if viewer.layers.selection.active != layer:
            return
        label = int(layer.selected_label)
        table = open_table(getattr(viewer, "window", None))
        if table is not None:
            _scroll_to_row(table, label)
        if not self._from_canvas and 0 < label < len(layer.features):
            centre_on(viewer, layer, label)


def centre_on(viewer: Any, layer: Any, label: int, *, share: float | None = None) -> None:
    """Bring a particle to the middle of the view, and close enough to be seen.

    Parameters
    ----------
    viewer, layer, label
        Which particle.
    share : float, optional
        How much of the canvas it shall fill, pixels not being enlarged more than can be looked at. Without, the zoom
        stays, unless the particle could not be seen.
    """
    box = particle_box(layer, label)
    if box is None:
        return
    start, stop = np.asarray(box, dtype=float)
    middle = np.asarray(layer.data_to_world((start + stop - 1) / 2))
    corner, opposite = (np.asarray(layer.data_to_world(point - 0.5)) for point in (start, stop))
    ahead = len(middle) - 2
    if ahead:
        point = np.asarray(viewer.dims.point, dtype=float)
        point[-len(middle) :][:ahead] = middle[:ahead]
        viewer.dims.point = tuple(point)
    camera = camera_of(viewer)
    camera.center = (*camera.center[:-2], *middle[-2:])
    extent = np.maximum(np.abs(opposite - corner)[-2:], 1e-12)
    if share is not None:
        pixel = float((extent / np.maximum(stop - start, 1)[-2:]).min())
        fitting = share * float((np.asarray(canvas_size(viewer)) / extent).min())
        camera.zoom = min(fitting, _LARGEST_PIXEL / pixel)
    elif extent.max() * camera.zoom < _SMALLEST_ON_SCREEN:
        camera.zoom = _SHARE_OF_SCREEN * min(canvas_size(viewer)) / extent.max()


def canvas_size(viewer: Any) -> tuple[float, float]:
    """Return height and width of the picture in screen pixels; something likely where there is no window."""
    canvas = getattr(viewer, "canvas", None)
    size = getattr(canvas, "size", None) or (600, 800)
    return float(size[0]), float(size[1])


def label_at(layer: Any, event: Any) -> int:
    """Return the label under the mouse, 0 for background and beside the labels."""
    value = layer.get_value(
        event.position, view_direction=event.view_direction, dims_displayed=event.dims_displayed, world=True
    )
    if isinstance(value, tuple):  # multiscale: (level, value)
        value = value[-1]
    return int(value) if value is not None else 0


def _scroll_to_row(table: Any, label: int) -> None:
    """Scroll napari's table to the row of `label`, wherever sorting has put it."""
    view = getattr(table, "table", None)
    if view is None:  # another napari, another table
        return
    model = view.model()
    if label >= model.sourceModel().rowCount():
        return
    index = model.mapFromSource(model.sourceModel().index(label, 0))
    if index.isValid():
        view.scrollTo(index)
