"""*Show the mask in view*: what lies above the threshold, at once while the slider moves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from napari.layers import Image
from napari.utils.colormaps import Colormap
from qtpy.QtCore import QTimer

from napari_mpseg.errors import MpsegError
from napari_mpseg.gui.evaluate_input import pixels_in_view, stored_probability
from napari_mpseg.gui.layer_choice import keeping_active
from napari_mpseg.gui.visible import centred, plane_in_view, visible_box
from napari_mpseg.layers import plane_offset, space_of, unique_name

ROLE = "threshold preview"
_LOOK = 250  # milliseconds between two looks at the view
_MOST_PIXELS = 2**21
_COLOURS = ((0.0, 0.0, 0.0, 0.0), (0.0, 0.85, 1.0, 0.6))


class ThresholdPreview:
    """One layer over the probability, made at the first look and taken away at the end.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
    parent : QObject
        Owns the timer.
    on_removed : callable
        Called when the user takes the layer away.
    """

    def __init__(self, viewer: Any, parent: Any, on_removed: Callable[[], None]) -> None:
        self._viewer, self._on_removed = viewer, on_removed
        self._source: Any = None
        self._level = 1
        self._seen: Any = None
        self._part: np.ndarray | None = None
        self._layer: Any = None
        self._timer = QTimer(parent)
        self._timer.setInterval(_LOOK)
        self._timer.timeout.connect(self.look)
        viewer.layers.events.removed.connect(self._removed)

    def start(self, source: Any, level: int) -> None:
        """Show the mask of a probability layer from now on, wherever the view goes."""
        self._source, self._level, self._seen = source, level, None
        self._timer.start()
        self.look()

    def stop(self) -> None:
        """Take the layer away."""
        self._timer.stop()
        self._source = self._part = self._seen = None
        layer, self._layer = self._layer, None
        if layer is not None and layer in self._viewer.layers:
            with keeping_active(self._viewer):
                self._viewer.layers.remove(layer)

    def show_level(self, level: int) -> None:
        """Show what is of this stored probability or more."""
        self._level = level
        if self._part is not None and self._layer is not None:
            self._layer.data = self._mask()

    def look(self) -> None:
        """Read what is in view, if that has changed."""
        source = self._source
        if source is None or source not in self._viewer.layers:
            return
        box, plane = visible_box(self._viewer, source), plane_in_view(self._viewer, source)
        if box is None or plane is None:
            return
        box = centred(box, _MOST_PIXELS)
        if (box, plane, id(source.data)) == self._seen:
            return
        try:
            part = pixels_in_view(self._viewer, source, box)
            self._part = np.asarray(stored_probability(part, source.name))
        except MpsegError:
            return  # it is told when something is asked of it
        self._seen = (box, plane, id(source.data))
        self._show((box[0], box[2]), plane)

    def _mask(self) -> np.ndarray:
        assert self._part is not None
        mask = (self._part >= self._level).astype(np.uint8)
        return mask[(None,) * (self._layer.ndim - 2)] if self._layer is not None else mask

    def _show(self, corner: tuple[int, int], plane: tuple[int, ...]) -> None:
        source = self._source
        space = space_of(source, 2 + len(plane))
        space["translate"] = space["translate"] + plane_offset(space, (*plane, *corner))
        if self._layer is not None and self._layer.ndim == 2 + len(plane):
            self._layer.data = self._mask()
            for name in ("scale", "translate", "rotate", "shear", "affine"):
                setattr(self._layer, name, space[name])
            return
        self._layer = None
        self._layer = Image(
            self._mask()[(None,) * len(plane)],
            name=unique_name(self._viewer, f"{source.name} above threshold"),
            colormap=Colormap(_COLOURS, name="above threshold"),
            contrast_limits=(0, 1),
            blending="translucent_no_depth",
            interpolation2d="nearest",
            metadata={"napari-mpseg": {"role": ROLE, "source": source.name}},
            **space,
        )
        with keeping_active(self._viewer):
            self._viewer.layers.append(self._layer)

    def _removed(self, event: Any) -> None:
        if self._layer is not None and event.value == self._layer:
            self._layer = None
            self._on_removed()

    def release(self) -> None:
        """Let go of the viewer, and take the layer away."""
        self._viewer.layers.events.removed.disconnect(self._removed)
        self.stop()
