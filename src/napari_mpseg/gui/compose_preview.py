"""The two layers in which one composed image and its truth are seen, beside the image it is made from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from napari.layers import Image, Labels

from napari_mpseg.gui.layer_choice import keeping_active
from napari_mpseg.layers import role_of, space_of, unique_name
from napari_mpseg.synthesis.semi.composition import Composition

ROLE = "composed example"
_GAP = 0.04  # between image and example, as a share of the image's width


class ExampleLayers:
    """Shows composed images; makes layers at the first one and writes into them from then on.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
    on_removed : callable
        Called when the user takes one of the layers away.
    """

    def __init__(self, viewer: Any, on_removed: Callable[[], None]) -> None:
        self._viewer, self._on_removed = viewer, on_removed
        self._own: list[Any] = []
        viewer.layers.events.removed.connect(self._removed)

    def show(self, made: Composition, source: Any) -> None:
        """Show a composed image to the right of its source layer."""
        if source not in self._viewer.layers:
            return
        pixels = made.image if made.image.shape[2] == 3 else made.image[..., 0]
        fits = bool(self._own) and self._own[0].rgb == (pixels.ndim == 3)
        if not fits:
            self.take_away()
        space = space_of(source, 2)
        width = (source.data[0] if source.multiscale else source.data).shape[-2 if source.rgb else -1]
        step = np.array([0, width * (1 + _GAP)]) * np.asarray(space["scale"])
        space["translate"] = np.asarray(space["translate"]) + step
        if not fits:
            self._add(pixels, made.instances, space)
            return
        for layer, data in zip(self._own, (pixels, made.instances), strict=True):
            layer.data = data
            layer.scale, layer.translate = space["scale"], space["translate"]

    def _add(self, pixels: Any, instances: Any, space: dict[str, Any]) -> None:
        about = {"napari-mpseg": {"role": ROLE}}
        image = Image(
            pixels,
            name=unique_name(self._viewer, ROLE),
            rgb=pixels.ndim == 3,
            contrast_limits=None if pixels.ndim == 3 else (0, 255),
            metadata=about,
            **space,
        )
        truth = Labels(instances, name=unique_name(self._viewer, f"{ROLE} truth"), metadata=about, **space)
        truth.contour = 1
        truth.editable = False
        with keeping_active(self._viewer):
            for layer in (image, truth):
                self._viewer.layers.append(layer)
                self._own.append(layer)
        self._viewer.reset_view()  # or the example would lie outside of what is in view

    def take_away(self) -> None:
        """Remove the layers."""
        own, self._own = self._own, []
        with keeping_active(self._viewer):
            for layer in own:
                if layer in self._viewer.layers:
                    self._viewer.layers.remove(layer)

    def _removed(self, event: Any) -> None:
        if any(event.value == layer for layer in self._own):
            self.take_away()
            self._on_removed()

    def disconnect_layers(self) -> None:
        """Take the layers away and stop listening to the layer list."""
        self._viewer.layers.events.removed.disconnect(self._removed)
        self.take_away()


def is_example(layer: Any) -> bool:
    """Return whether a layer is one of these."""
    return role_of(layer) == ROLE
