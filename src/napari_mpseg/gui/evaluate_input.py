"""From layers to the arrays that are compared: the plane in view, as labels, mask or probability. No Qt here."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_mpseg.errors import ImageError
from napari_mpseg.gui.layer_input import frozen
from napari_mpseg.gui.visible import Box

PROBABILITY_SCALE = 255


def full(layer: Any) -> Any:
    """Return the pixels of a layer in full resolution."""
    return layer.data[0] if layer.multiscale else layer.data


def plane_index(viewer: Any, layer: Any) -> tuple[int, ...]:
    """Return which plane of a layer is in view, one index per leading axis; empty for a plain picture."""
    shape = full(layer).shape[: layer.ndim - 2]
    steps = viewer.dims.current_step[-layer.ndim :][: layer.ndim - 2]
    return tuple(min(int(step), int(size) - 1) for step, size in zip(steps, shape, strict=True))


def plane_in_view(viewer: Any, layer: Any, box: Box | None = None) -> Any:
    """Return the plane in view, ``(Y, X)``, or `box` of it; a copy where it is in memory, so that painting goes on."""
    data = full(layer)
    if not isinstance(data, np.ndarray) and not hasattr(data, "dask"):
        import dask.array as da

        data = da.from_zarr(data)
    plane = data[plane_index(viewer, layer)]
    if box is not None:
        y0, y1, x0, x1 = box
        plane = plane[y0:y1, x0:x1]
    return frozen(plane)


def may_be_mask(layer: Any) -> bool:
    """Return whether a labels or image layer holds whole numbers or truth values, one per pixel."""
    return not getattr(layer, "rgb", False) and layer.ndim >= 2 and np.dtype(full(layer).dtype).kind in "bui"


def may_be_probability(layer: Any) -> bool:
    """Return whether an image layer holds bytes or floating point numbers, one per pixel."""
    dtype = np.dtype(full(layer).dtype)
    return not layer.rgb and layer.ndim >= 2 and (dtype == np.uint8 or dtype.kind == "f")


def with_particle_value(plane: Any, value: int | None) -> Any:
    """Return labels or a mask as they are, or, with a value, the mask of all pixels that have it."""
    return plane if value is None else plane == value


def stored_probability(plane: Any, name: str) -> Any:
    """Return a probability as results store it, uint8 with 255 for 1.

    Parameters
    ----------
    plane : array
        ``(Y, X)`` uint8, which is taken as it is, or floating point from 0 to 1, which is read once.
    name : str
        Of the layer, for messages.

    Raises
    ------
    ImageError
        If floating point values are not from 0 to 1.
    """
    if np.dtype(plane.dtype) == np.uint8:
        return plane
    values = np.asarray(plane)
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    if not (low >= -1e-6 and high <= 1 + 1e-6):  # NaN fails too
        raise ImageError(
            f"{name} goes from {low:g} to {high:g}, and a probability from 0 to 1. Choose the probability layer of a "
            "result, or an image with values from 0 to 1."
        )
    return np.floor(np.clip(values, 0, 1) * PROBABILITY_SCALE + 0.5).astype(np.uint8)


def check_same_shape(first: Any, second: Any, names: tuple[str, str]) -> None:
    """Refuse planes of different height or width.

    Raises
    ------
    ImageError
        Tells both.
    """
    if tuple(first.shape) != tuple(second.shape):
        one, other = (f"{array.shape[1]} x {array.shape[0]} px" for array in (first, second))
        raise ImageError(
            f"{names[0]} is {one}, {names[1]} {other}: they are compared pixel by pixel, so they must be of the same "
            "image at the same size. Choose another layer."
        )
