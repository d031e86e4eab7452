"""The one layer in which a training shows what it makes of what is in view."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from napari.layers import Image
from napari.utils.colormaps import Colormap

from napari_mpseg.gui.layer_choice import keeping_active
from napari_mpseg.gui.train_preview import Prediction
from napari_mpseg.layers import plane_offset, role_of, space_of, unique_name

ROLE = "training preview"
_COLOURS = ((1.0, 0.1, 0.6, 0.0), (1.0, 0.1, 0.6, 0.45), (1.0, 0.75, 0.1, 0.8))
"""Nothing where nothing is found, so that the image stays as it is; then magenta, then yellow."""


class PreviewLayer:
    """Shows predictions; makes a layer at the first one and writes into it from then on.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
    on_removed : callable
        Called when the user takes the layer away.
    """

    def __init__(self, viewer: Any, on_removed: Callable[[], None]) -> None:
        self._viewer = viewer
        self._on_removed = on_removed
        self._layer: Any = None
        viewer.layers.events.removed.connect(self._removed)

    def show(self, prediction: Prediction) -> None:
        """Show a prediction over its image layer; nothing else in the viewer is changed."""
        image = prediction.region.layer
        if image not in self._viewer.layers:
            return
        data, space = _placed(prediction)
        layer = self._ours(image, data.ndim)
        if layer is None:
            self._add(image, data, space)
            return
        layer.data = data
        layer.translate = space["translate"]

    def _ours(self, image: Any, ndim: int) -> Any:
        """Return the layer to write into: made here, for this image, and not renamed, which is how one keeps it."""
        for layer in self._viewer.layers:
            if role_of(layer) == ROLE and layer.ndim == ndim:
                record = layer.metadata["napari-mpseg"]
                if (record.get("source"), record.get("name")) == (image.name, layer.name):
                    self._layer = layer
                    return layer
        return None

    def _add(self, image: Any, data: np.ndarray, space: dict[str, Any]) -> None:
        layers = self._viewer.layers
        name = unique_name(self._viewer, f"{image.name} {ROLE}")
        self._layer = Image(
            data,
            name=name,
            colormap=Colormap(_COLOURS, name="found"),
            contrast_limits=(0, 1),
            blending="translucent_no_depth",
            metadata={"napari-mpseg": {"role": ROLE, "source": image.name, "name": name}},
            **space,
        )
        with keeping_active(self._viewer):  # the user may be painting
            layers.insert(layers.index(image) + 1, self._layer)  # below what is painted

    def _removed(self, event: Any) -> None:
        if self._layer is not None and event.value == self._layer:
            self._layer = None
            self._on_removed()

    def disconnect_layers(self) -> None:
        """Stop listening to the layer list; the layer stays where it is."""
        self._viewer.layers.events.removed.disconnect(self._removed)


def _placed(prediction: Prediction) -> tuple[np.ndarray, dict[str, Any]]:
    """Return the probability with as many axes as its image, and where it lies."""
    image, plane = prediction.region.layer, prediction.region.plane
    y0, _, x0, _ = prediction.box
    if len(plane) != image.ndim - 2:  # channels in front
        plane = ()
    space = space_of(image, 2 + len(plane))
    space["translate"] = space["translate"] + plane_offset(space, (*plane, y0, x0))
    return prediction.probability[(None,) * len(plane)], space
