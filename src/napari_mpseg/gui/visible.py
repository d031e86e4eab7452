"""Which plane and which pixels of a layer are in view."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from napari_mpseg.errors import ImageError

Box = tuple[int, int, int, int]


def plane_in_view(viewer: Any, layer: Any) -> tuple[int, ...] | None:
    """Return which plane of a layer the sliders show, by its place in the world, as napari does.

    Layers of one viewer may differ in spacing and offset: the number on a slider is no number of a plane.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
    layer : napari.layers.Image or napari.layers.Labels

    Returns
    -------
    tuple of int or None
        One index for each axis of the layer before its last two; empty for a plain picture, which napari shows on
        every plane. None if the layer has no plane at that place.
    """
    return plane_at(layer, viewer.dims.point)


def plane_at(layer: Any, world: Any) -> tuple[int, ...] | None:
    """Return which plane of a layer is at a place in the world.

    Parameters
    ----------
    layer : napari.layers.Image or napari.layers.Labels
    world : sequence of float
        At least as many coordinates as the layer has axes, as in ``viewer.dims.point``.

    Returns
    -------
    tuple of int or None
        As of :func:`plane_in_view`.
    """
    axes = layer.ndim - 2
    if not axes:
        return ()
    place = np.asarray(layer.world_to_data(np.asarray(world, float)[-layer.ndim :]), float)[:axes]
    plane = tuple(int(number) for number in np.round(place))
    return plane if all(0 <= number < size for number, size in zip(plane, planes_shape(layer), strict=True)) else None


def needed_plane(viewer: Any, layer: Any) -> tuple[int, ...]:
    """Return what :func:`plane_in_view` does, for work that cannot go on without.

    Raises
    ------
    ImageError
        If the layer has no plane there.
    """
    plane = plane_in_view(viewer, layer)
    if plane is None:
        raise ImageError(
            f"{layer.name} has no plane where the sliders below the image stand. Move them to where it is shown."
        )
    return plane


def planes_shape(layer: Any) -> tuple[int, ...]:
    """Return the lengths of an image or labels layer's axes before the last two that are shown as a picture."""
    data = layer.data[0] if layer.multiscale else layer.data
    return tuple(int(size) for size in data.shape[: layer.ndim - 2])


def visible_box(viewer: Any, layer: Any) -> Box | None:
    """Return the pixels of a layer's last two axes that are in view.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
    layer : napari.layers.Image
        In full resolution, if it is multiscale.

    Returns
    -------
    tuple of int or None
        ``(y0, y1, x0, x1)``, ends not included; of a turned layer the box around what is in view. None if nothing of
        it is in view. In 3D, and where other axes are shown, the whole plane.
    """
    shape = plane_shape(layer)
    displayed = tuple(viewer.dims.displayed)
    if len(displayed) != 2 or set(displayed) != {viewer.dims.ndim - 2, viewer.dims.ndim - 1}:
        return (0, shape[0], 0, shape[1])
    middle, zoom = np.asarray(viewer.scene.camera.center[-2:], float), float(viewer.scene.camera.zoom)
    half = np.asarray(viewer.canvas.size, float) / 2 / zoom
    corners = []
    for signs in ((-1, -1), (-1, 1), (1, -1), (1, 1)):
        world = np.asarray(viewer.dims.point, float)
        world[list(displayed)] = middle + half * signs
        corners.append(np.asarray(layer.world_to_data(world[-layer.ndim :]))[-2:])
    low, high = np.min(corners, 0), np.max(corners, 0)
    # a pixel's centre has whole coordinates, and it reaches half a pixel to each side
    y0, x0 = (max(0, math.floor(value + 0.5)) for value in low)
    y1, x1 = (min(size, math.ceil(value + 0.5)) for value, size in zip(high, shape, strict=True))
    return (y0, y1, x0, x1) if y0 < y1 and x0 < x1 else None


def plane_shape(layer: Any) -> tuple[int, int]:
    """Return height and width of an image or labels layer in pixels."""
    shape = (layer.data[0] if layer.multiscale else layer.data).shape
    first = layer.ndim - 2
    return int(shape[first]), int(shape[first + 1])


def centred(box: Box, pixels: int) -> Box:
    """Return the middle of a box, of about its proportions, with at most so many pixels."""
    y0, y1, x0, x1 = box
    height, width = y1 - y0, x1 - x0
    if height * width <= pixels:
        return box
    keep_height = min(height, max(1, math.floor(math.sqrt(pixels * height / width))))
    keep_width = min(width, pixels // keep_height)
    keep_height = min(height, pixels // keep_width)
    top, left = y0 + (height - keep_height) // 2, x0 + (width - keep_width) // 2
    return top, top + keep_height, left, left + keep_width
