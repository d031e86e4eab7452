"""From layers to the arrays that are compared: the plane in view, as labels, mask or probability. No Qt here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from napari_mpseg.errors import ImageError
from napari_mpseg.gui.layer_input import frozen
from napari_mpseg.gui.visible import Box, needed_plane

PROBABILITY_SCALE = 255
_MOSTLY = 0.5  # share of true pixels above which a mask is likely to mean the opposite


def full(layer: Any) -> Any:
    """Return the pixels of a layer in full resolution."""
    return layer.data[0] if layer.multiscale else layer.data


def plane_index(viewer: Any, layer: Any) -> tuple[int, ...]:
    """Return which plane of a layer is in view, one index per leading axis; empty for a plain picture.

    Raises
    ------
    ImageError
        If the layer has none there, as where the result of one plane of a stack lies on another one.
    """
    return needed_plane(viewer, layer)


def pixels_in_view(viewer: Any, layer: Any, box: Box | None = None) -> Any:
    """Return the plane in view, ``(Y, X)``, or `box` of it; a copy where it is in memory, so that painting goes on.

    Raises
    ------
    ImageError
        If the layer has no plane there.
    """
    data = full(layer)
    if not isinstance(data, np.ndarray) and not hasattr(data, "dask"):
        import dask.array as da

        data = da.from_zarr(data)
    plane = data[plane_index(viewer, layer)]
    if box is not None:
        y0, y1, x0, x1 = box
        plane = plane[y0:y1, x0:x1]
    return frozen(plane)


def planes_in_words(viewer: Any, layers: Sequence[Any]) -> str:
    """Return ``"Plane 3 of truth: "`` for those layers that have several planes; empty where none has."""
    told: list[str] = []
    for layer in layers:
        plane = plane_index(viewer, layer)
        several = [str(index) for index, size in zip(plane, full(layer).shape, strict=False) if size > 1]
        if several:
            told.append(f"{'plane' if told else 'Plane'} {', '.join(several)} of {layer.name}")
    return f"{' and '.join(told)}: " if told else ""


def may_be_mask(layer: Any) -> bool:
    """Return whether a labels or image layer holds whole numbers or truth values, one per pixel."""
    return not getattr(layer, "rgb", False) and layer.ndim >= 2 and np.dtype(full(layer).dtype).kind in "bui"


def may_be_probability(layer: Any) -> bool:
    """Return whether an image layer holds bytes or floating point numbers, one per pixel."""
    dtype = np.dtype(full(layer).dtype)
    return not layer.rgb and layer.ndim >= 2 and (dtype == np.uint8 or dtype.kind == "f")


def confidence_of(layer: Any) -> dict[int, float] | None:
    """Return the column ``confidence`` of a layer's table by label; None without one."""
    features = getattr(layer, "features", None)
    if features is None or not {"index", "confidence"} <= set(features.columns):
        return None
    known = features[["index", "confidence"]].dropna()
    return {int(label): float(value) for label, value in known.itertuples(index=False)}


def with_particle_value(plane: Any, value: int | None) -> Any:
    """Return labels or a mask as they are, or, with a value, the mask of all pixels that have it."""
    return plane if value is None else plane == value


def inverted_note(share: float, value: int | None = None) -> str:
    """Return what to say of a truth that is particle nearly everywhere, which is likely to mean the opposite.

    Parameters
    ----------
    share : float
        Of all pixels that are particle in the truth.
    value : int, optional
        Which value was taken as particle; all but 0 without.

    Returns
    -------
    str
        Empty where nothing is odd.
    """
    if share <= _MOSTLY:
        return ""
    if value is None:
        return (
            f"{share:.0%} of the true pixels are particle. If 0 means particle in the truth, as in MP-Net's labels, "
            "tick “only value” and give 0."
        )
    return (
        f"{share:.0%} of the true pixels are particle, as only the value {value} was taken as particle. If all but 0 "
        "is particle in the truth, take the tick of “only value” away."
    )


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
