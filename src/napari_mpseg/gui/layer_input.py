"""From the user's layer to images that a thread can read while the user goes on working. No Qt here."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np


def has_channel_axis(layer: Any) -> bool:
    """Whether the first axis of an image layer is named as channels (``"c"``, ``"channel"``)."""
    labels = tuple(str(label).lower() for label in layer.axis_labels)
    return layer.ndim == 3 and not layer.rgb and labels[0] in ("c", "ch", "channel", "channels")


def snapshot_stack(layer: Any, *, channels_first: bool = False) -> Any:
    """Return what a layer holds as a :class:`~napari_mpseg.images.stack.Stack`, safe from later changes.

    Arrays in memory are copied, since the user may paint or filter them while a thread reads; lazy ones (dask,
    zarr) are taken as they are.

    Parameters
    ----------
    layer : napari.layers.Image
        The layer; a multiscale one is read at full resolution.
    channels_first : bool
        The first axis is channels of one image rather than planes.

    Raises
    ------
    ImageError
        If it is no image layer.
    """
    from napari_mpseg.images.arrays import to_dask
    from napari_mpseg.images.layers import layer_calibration
    from napari_mpseg.images.open import open_stack
    from napari_mpseg.images.stack import make_stack

    if not hasattr(layer, "rgb"):
        return open_stack(layer)  # says why not
    data = frozen(layer.data[0] if layer.multiscale else layer.data)
    if channels_first:
        return make_stack(
            [to_dask(data, "CYX")],
            "CYX",
            calibration=layer_calibration(layer),
            name=layer.name,
            source=f"layer {layer.name}",
        )
    return open_stack(
        SimpleNamespace(
            data=data, rgb=layer.rgb, multiscale=False, name=layer.name, scale=layer.scale, units=layer.units
        )
    )


def frozen(array: Any) -> Any:
    """Return a copy of an array in memory; a lazy array itself."""
    return array.copy() if isinstance(array, np.ndarray) else array
