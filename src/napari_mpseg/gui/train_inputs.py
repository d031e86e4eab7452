"""From the user's layers to what a training thread may read, and what is wrong with them. No Qt here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
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


def start_problem(start: Any, detector: bool) -> str:
    """Say why a recipe cannot begin with what is chosen to start from; an empty text if it can.

    Parameters
    ----------
    start : str or Model
        ``"default"``, ``"scratch"``, a model's folder, or a model in memory.
    detector : bool
        Whether the recipe trains a Mask R-CNN.
    """
    if start == "scratch" or _is_detector(start) == detector:
        return ""
    afresh = "" if isinstance(start, str) else "press 'Start afresh' and "
    if detector:
        return (
            "A Mask R-CNN cannot start from a network that gives each pixel a probability. To train one, "
            f"{afresh}choose 'Start from: Nothing (from scratch)', or a trained Mask R-CNN."
        )
    return (
        "The network of this preset cannot start from a Mask R-CNN. Choose a preset of Mask R-CNN, or "
        f"{afresh}choose something else to start from."
    )


def _is_detector(start: Any) -> bool:
    if isinstance(start, str):
        return (Path(start) / "detector.json").is_file()
    from napari_mpseg.detection.modelfile import DetectorModel

    return isinstance(start, DetectorModel)


def painting_problem(kind: str, instances: bool) -> str:
    """Say why what was painted in a way cannot be learnt from; an empty text if it can.

    Parameters
    ----------
    kind : str
        How it was painted.
    instances : bool
        Whether each particle must have a label of its own.
    """
    from napari_mpseg.training.painted.annotations import ANNOTATIONS

    if not (instances and ANNOTATIONS[kind].partial):
        return ""
    return (
        "Scribbles do not say where one particle ends and the next begins. Paint every particle whole, each with a "
        "label of its own, and choose 'Painted as: Dense mask'. Or choose 'Tell touching particles apart: No', which a "
        "Mask R-CNN has not."
    )


def look_through(
    pairs: Sequence[tuple[Any, Any]], kind: str, background_label: int, instances: bool = False
) -> list[str]:
    """Return what may be meant but looks wrong with painted labels; nothing of the images is read.

    Parameters
    ----------
    pairs : sequence of (Image, LayerSnapshot)
    kind : str
        How it was painted.
    background_label : int
    instances : bool
        Whether each particle must have a label of its own.

    Raises
    ------
    SettingsError
        With what makes training impossible: nothing painted, no background, one class only.
    """
    from napari_mpseg.images.normalisation import Normalisation
    from napari_mpseg.training.data.instances import of_one_label, one_label_notes
    from napari_mpseg.training.painted.annotations import check_painted, painted_images

    images = painted_images(pairs, kind, background_label=background_label, normalisation=Normalisation("dtype"))
    notes = check_painted(images)
    return [*notes, *one_label_notes(of_one_label(images))] if instances else notes


def painted_pixels(labels: Any) -> int | None:
    """Return the size of a painted layer, None if it cannot be read quickly."""
    data = labels.data
    return int(data.size) if isinstance(data, np.ndarray) else None
