"""From the user's layers to what a training thread may read, and what is wrong with them. No Qt here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
from napari.layers import Image

from napari_mpseg.gui.layer_input import has_channel_axis, snapshot_stack
from napari_mpseg.gui.visible import plane_shape
from napari_mpseg.layers import role_of

QUICK_PIXELS = 2**23
"""Painted layers up to this size are looked through after every stroke."""
_READ_PIXELS = 2**28


class Snapshots:
    """Copies of image layers, one for each layer, shared by all who read them in other threads.

    Parameters
    ----------
    pixels : bool
        Whether pixels are wanted. Without them there is nothing to copy, and all that is known is what a layer is like.
    """

    def __init__(self, pixels: bool = True) -> None:
        self._pixels = pixels
        self._taken: list[tuple[Any, Any]] = []

    def stack(self, layer: Any) -> Any:
        """Return the :class:`~napari_mpseg.images.stack.Stack` of a layer as it was when it was first asked for."""
        for known, stack in self._taken:  # napari hands widgets proxies: only == tells a layer
            if known == layer:
                return stack
        source = layer if self._pixels else _without_pixels(layer)
        stack = snapshot_stack(source, channels_first=has_channel_axis(layer))
        self._taken.append((layer, stack))
        return stack

    def forget(self) -> None:
        """Look at the layers anew from now on."""
        self._taken.clear()


def _without_pixels(layer: Any) -> Any:
    """Return a layer of the same shape and place that holds nothing and takes no memory."""
    import dask.array as da

    data = layer.data[0] if layer.multiscale else layer.data
    return SimpleNamespace(
        data=da.zeros(data.shape, dtype=data.dtype, chunks=-1),
        rgb=layer.rgb,
        multiscale=False,
        name=layer.name,
        scale=layer.scale,
        units=layer.units,
    )


def can_be_learnt_from(layer: Any) -> bool:
    """Whether an image layer is a picture, not something that this package made from one."""
    return isinstance(layer, Image) and not role_of(layer)


def labels_ndim(image: Any) -> int:
    """Return how many axes labels painted on an image layer have."""
    return 2 if has_channel_axis(image) else int(image.ndim)


def pair_problem(image: Any, labels: Any) -> str:
    """Say why a labels layer cannot have been painted on an image layer; an empty text if it can.

    Looks at shapes and places only.
    """
    from napari_mpseg.training.painted.placement import placement_problem

    if labels.multiscale:
        return f"{labels.name} is multiscale and cannot be painted on. Press 'New labels to paint'."
    if plane_shape(labels) != plane_shape(image):
        sizes = [" x ".join(map(str, plane_shape(layer))) for layer in (image, labels)]
        return f"{image.name} has {sizes[0]} pixels, {labels.name} has {sizes[1]}. Choose labels painted on this image."
    if labels.ndim != labels_ndim(image) or _planes(labels) != _planes(image, labels.ndim - 2):
        return (
            f"{image.name} has {_said(_planes(image, labels_ndim(image) - 2))}, {labels.name} has "
            f"{_said(_planes(labels))}. Press 'New labels to paint' for labels of all planes."
        )
    return placement_problem(image, labels, plane_shape(image))


def _planes(layer: Any, axes: int | None = None) -> tuple[int, ...]:
    shape = (layer.data[0] if layer.multiscale else layer.data).shape
    return tuple(int(size) for size in shape[: layer.ndim - 2 if axes is None else axes])


def _said(planes: tuple[int, ...]) -> str:
    return f"{' x '.join(map(str, planes))} planes" if planes else "a single plane"


def snapshot_pairs(rows: Sequence[tuple[Any, Any]], snapshots: Snapshots) -> list[tuple[Any, Any]]:
    """Copy what was painted, in the GUI thread, and take the images along.

    Parameters
    ----------
    rows : sequence of (image layer, labels layer)
        That fit together.
    snapshots : Snapshots

    Returns
    -------
    list of (Image, LayerSnapshot)
        One for every plane; of a stack, for every plane that is painted on. Painted labels in memory, and lazy ones of
        up to 256 million pixels, are copies; larger lazy ones are read later.
    """
    from napari_mpseg.training.painted.placement import snapshot_layer

    found = []
    for image, labels in rows:
        stack, painted = snapshots.stack(image), snapshot_layer(labels)
        if not isinstance(painted.data, np.ndarray) and painted.data.size <= _READ_PIXELS:
            painted = replace(painted, data=np.asarray(painted.data))
        indices = list(np.ndindex(*painted.data.shape[:-2]))
        if len(indices) > 1:
            indices = [index for index in indices if np.any(painted.data[index])] or indices[:1]
        for index in indices:
            plane = replace(painted, data=painted.data[index], scale=painted.scale[-2:], units=_last(painted.units))
            found.append((stack.image(of_stack(index, painted.data.shape)), plane))
    return found


def of_stack(index: Sequence[int], shape: Sequence[int]) -> tuple[int, ...] | None:
    """Return the index of a plane in a stack, which has no axes of length one; None for a single plane."""
    return tuple(int(number) for number, size in zip(index, shape, strict=False) if size > 1) or None


def _last(units: Any) -> Any:
    return units if units is None or isinstance(units, str) or not hasattr(units, "__len__") else tuple(units)[-2:]


def look_through(pairs: Sequence[tuple[Any, Any]], kind: str, background_label: int) -> list[str]:
    """Return what may be meant but looks wrong with painted labels; nothing of the images is read.

    Raises
    ------
    SettingsError
        With what makes training impossible: nothing painted, no background, one class only.
    """
    from napari_mpseg.images.normalisation import Normalisation
    from napari_mpseg.training.painted.annotations import check_painted, painted_images

    images = painted_images(pairs, kind, background_label=background_label, normalisation=Normalisation("dtype"))
    return check_painted(images)


def painted_pixels(labels: Any) -> int | None:
    """Return the size of a painted layer, None if it cannot be read quickly."""
    data = labels.data
    return int(data.size) if isinstance(data, np.ndarray) else None
