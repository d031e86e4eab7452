"""The layer that shows which pixels the ranges of colour find in view."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from napari.layers import Image
from napari.utils.colormaps import Colormap

from napari_mpseg.gui.colour_threshold_view import View
from napari_mpseg.gui.layer_choice import keeping_active
from napari_mpseg.layers import plane_offset, space_of, unique_name

ROLE = "colour preview"
_COLOURS = ((0.337, 0.706, 0.914, 0.0), (0.337, 0.706, 0.914, 1.0))
"""Nothing, and sky blue of Okabe and Ito: far from the colours of Nile red."""


class Overlay:
    """Shows masks of what is in view, over the image; the layer is its own and is taken away at the end.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
    on_removed : callable
        Called when the user takes the layer away.
    """

    def __init__(self, viewer: Any, on_removed: Callable[[], None]) -> None:
        self._viewer, self._on_removed = viewer, on_removed
        self._layer: Any = None
        self._source: Any = None
        self._place: Any = None
        viewer.layers.events.removed.connect(self._removed)

    def show(self, view: View, mask: np.ndarray) -> None:
        """Show a mask ``(Y, X)`` of a view."""
        if view.layer not in self._viewer.layers:
            return
        plane = view.plane if len(view.plane) == view.layer.ndim - 2 and _planes(view) else ()
        data = mask.view(np.uint8)[(None,) * len(plane)]
        place = (view.box, plane)
        if self._layer is not None and self._source == view.layer and self._layer.ndim == data.ndim:
            self._layer.data = data
            if place != self._place:
                for name, value in self._space(view, plane).items():
                    if name in ("scale", "translate", "rotate", "shear", "affine"):
                        setattr(self._layer, name, value)
        else:
            self.take_away()
            self._add(view, data, self._space(view, plane))
        self._place = place

    def take_away(self) -> None:
        """Remove the layer, if there is one."""
        layer, self._layer = self._layer, None
        if layer is not None and layer in self._viewer.layers:
            with keeping_active(self._viewer):
                self._viewer.layers.remove(layer)

    def _space(self, view: View, plane: tuple[int, ...]) -> dict[str, Any]:
        y0, _, x0, _ = view.box
        space = space_of(view.layer, 2 + len(plane))
        space["translate"] = space["translate"] + plane_offset(space, (*plane, y0, x0))
        return space

    def _add(self, view: View, data: np.ndarray, space: dict[str, Any]) -> None:
        layers = self._viewer.layers
        self._source = view.layer
        self._layer = Image(
            data,
            name=unique_name(self._viewer, f"{view.layer.name} {ROLE}"),
            colormap=Colormap(_COLOURS, name="in the ranges"),
            contrast_limits=(0, 1),
            interpolation2d="nearest",
            opacity=0.75,
            blending="translucent_no_depth",
            metadata={"napari-mpseg": {"role": ROLE, "source": view.layer.name}},
            **space,
        )
        with keeping_active(self._viewer):
            layers.insert(layers.index(view.layer) + 1, self._layer)  # below what is painted

    def _removed(self, event: Any) -> None:
        if self._layer is not None and event.value == self._layer:
            self._layer = None
            self._on_removed()

    def release(self) -> None:
        """Let go of the viewer, and take the layer away."""
        self._viewer.layers.events.removed.disconnect(self._removed)
        self.take_away()


def _planes(view: View) -> bool:
    """Whether the leading axes of the layer are planes, not the channels of one image."""
    return bool(view.layer.rgb)
