"""Which images have colours, what ranges of colour find in view, and the image they are used on. No Qt here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from napari.layers import Image

from napari_mpseg.gui.colour_threshold_overlay import ROLE
from napari_mpseg.gui.layer_input import has_channel_axis, snapshot_stack
from napari_mpseg.gui.train_inputs import of_stack
from napari_mpseg.gui.visible import needed_plane, planes_shape
from napari_mpseg.layers import role_of
from napari_mpseg.methods.colour_ranges import ColourThreshold

_EIGHT_NEIGHBOURS = np.ones((3, 3), int)


def has_colours(layer: Any) -> bool:
    """Whether a layer is an image of red, green and blue, not the preview of one."""
    if not isinstance(layer, Image) or role_of(layer) == ROLE:
        return False
    channels = (layer.data[0] if layer.multiscale else layer.data).shape[0] if has_channel_axis(layer) else 0
    return bool(layer.rgb) or channels == 3


def what_is_missing(layers: Iterable[Any]) -> str:
    """Return, as rich text, what to do where no layer has colours."""
    if any(isinstance(layer, Image) and not role_of(layer) for layer in layers):
        return (
            "<b>No colour image yet.</b> The images that are open are grey and have no colours to choose. Open a "
            "colour image, or use a grey-level threshold in <i>Layers &gt; Segment &gt; Segment particles</i>."
        )
    return (
        "<b>No image yet.</b> Open a colour image with <i>File &gt; Open File(s) …</i>, drag it into the window, "
        "or try <i>File &gt; Open Sample &gt; napari-mpseg</i>."
    )


def in_view(view: Any, threshold: ColourThreshold, min_size: int) -> tuple[np.ndarray, str]:
    """Return what is found in view, and what to say of it.

    Parameters
    ----------
    view : View
        The colours in view.
    threshold : ColourThreshold
        The ranges.
    min_size : int
        Particles of fewer pixels are not counted; they stay in the mask.

    Returns
    -------
    ndarray of bool
        ``(Y, X)``
    str
        Share of the pixels and number of particles.
    """
    from scipy import ndimage

    spaces = {one.space for one in (*threshold.ranges, *threshold.excluded)}
    mask = threshold.holds_components({space: view.components(space) for space in spaces})
    labels, number = ndimage.label(mask, _EIGHT_NEIGHBOURS)
    count = int((np.bincount(labels[mask], minlength=number + 1)[1:] >= min_size).sum()) if number else 0
    share = 100 * np.count_nonzero(mask) / mask.size
    height, width = mask.shape
    where = "in view" if view.whole else f"in the middle {height} x {width} px of the view"
    particles = f"{count:,} particle{'' if count == 1 else 's'} of {min_size} px or more"
    return mask, f"{share:.3g} % of the pixels {where}, {particles}."


def image_to_segment(viewer: Any, layer: Any) -> tuple[Any, tuple[int, ...]]:
    """Return a copy of a layer's image that a thread may read, and which plane of the layer it is.

    Returns
    -------
    Image
        ``(Y, X, 3)``
    tuple of int
        Empty unless the layer is a stack of colour images: then the plane in view.

    Raises
    ------
    ImageError
        If the stack has no plane in view.
    """
    if has_channel_axis(layer):
        return snapshot_stack(layer, channels_first=True).image(), ()
    stack, plane = snapshot_stack(layer), needed_plane(viewer, layer)
    return stack.image(of_stack(plane, planes_shape(layer)) if stack.plane_shape else None), plane
