"""Drawing a line or an outline, or choosing a particle, with the mouse on a labels layer that is not painted on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from napari_mpseg.gui.particle_table import label_at

_COLOUR = "#E69F00"  # orange of Okabe and Ito: seen on bright and dark


class MouseTool:
    """Takes the mouse of one labels layer until it is stopped.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
        For the line that is shown while drawing.
    layer : napari.layers.Labels
        Whose mouse is taken. While drawing it does not pan; scrolling still zooms.
    """

    def __init__(self, viewer: Any, layer: Any) -> None:
        self._viewer, self._layer = viewer, layer
        self._take: Callable[[Any], None] | None = None
        self._draws = False
        self._state: tuple[str, str] = ("pan_zoom", "standard")
        self._line: Any = None

    @property
    def active(self) -> bool:
        """Whether the mouse is taken."""
        return self._take is not None

    def draw(self, take: Callable[[np.ndarray], None]) -> None:
        """Let the user draw with the button held; `take` gets ``(N, 2)`` pixel coordinates of the plane."""
        self._start(take, draws=True)

    def choose(self, take: Callable[[int], None]) -> None:
        """Let the user click a particle; `take` gets its label."""
        self._start(take, draws=False)

    def stop(self) -> None:
        """Give the mouse back."""
        if self._take is None:
            return
        self._take = None
        self._hide()
        layer = self._layer
        if self._on_press in layer.mouse_drag_callbacks:
            layer.mouse_drag_callbacks.remove(self._on_press)
        mode, cursor = self._state
        layer.mouse_pan = mode == "pan_zoom"
        layer.mode = mode
        layer.cursor = cursor

    def _start(self, take: Callable[[Any], None], *, draws: bool) -> None:
        self.stop()
        layer = self._layer
        self._state = (str(layer.mode), str(layer.cursor))
        self._take, self._draws = take, draws
        layer.mode = "pan_zoom"  # else the brush would paint
        layer.mouse_pan = not draws
        layer.cursor = "cross" if draws else "pointing"
        layer.mouse_drag_callbacks.append(self._on_press)

    def _on_press(self, layer: Any, event: Any) -> Iterator[None]:
        if event.button != 1:
            return
        points = [event.position]
        moved = False
        yield
        while event.type == "mouse_move":
            moved = True
            points.append(event.position)
            if self._draws:
                self._show(points)
            yield
        self._hide()
        take = self._take
        if take is None:
            return
        if self._draws:
            points.append(event.position)  # of the release: a quick hand is ahead of the last move
            if moved or not np.allclose(points[0], points[-1]):
                take(np.array([layer.world_to_data(point)[-2:] for point in points], float))
        else:
            label = label_at(layer, event)
            if label:
                take(label)

    def _show(self, points: list[Any]) -> None:
        """Show the line so far; a viewer without a canvas, or of another napari, shows none."""
        scene = _scene(self._viewer)
        if scene is None or len(points) < 2:
            return
        from vispy.scene.visuals import Line  # type: ignore[import-untyped, unused-ignore]

        places = np.array([point[-2:][::-1] for point in points], np.float32)
        if self._line is None:
            self._line = Line(places, color=_COLOUR, width=3, parent=scene, method="gl")
            self._line.order = 1_000_000
        else:
            self._line.set_data(places)

    def _hide(self) -> None:
        if self._line is not None:
            self._line.parent = None
            self._line = None


def _scene(viewer: Any) -> Any:
    try:
        return viewer.window._qt_window._qt_viewer.canvas.view.scene
    except AttributeError:
        return None
