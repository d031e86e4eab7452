"""Which region of a labels layer is corrected, and the layers in which that is done. No Qt here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_mpseg.gui.review_pixels import Plane
from napari_mpseg.gui.visible import needed_plane, plane_shape, visible_box
from napari_mpseg.layers import plane_offset, space_of, unique_name
from napari_mpseg.particles.review.audit import KEY
from napari_mpseg.particles.review.edits import Box, EditError
from napari_mpseg.results.corrections.correct import check_box
from napari_mpseg.results.corrections.place import LabelsPlace, place_of

FRAME = "#E69F00"  # Okabe and Ito's orange
_RIM = 0.02  # of the height and the width in view
ROLE = "region"
"""What :func:`~napari_mpseg.layers.role_of` says of the layers of a region."""


@dataclass(frozen=True)
class Region:
    """A rectangle of a labels layer that is to be corrected.

    Attributes
    ----------
    layer : napari.layers.Labels
        The labels.
    place : LabelsPlace or None
        Where they lie on disk, if what is shown is what lies there; None for labels in memory.
    plane : tuple of int
        Which plane, on the layer's leading axes.
    box : tuple of int
        First row, first column, row after the last, column after the last.
    """

    layer: Any
    place: LabelsPlace | None
    plane: tuple[int, ...]
    box: Box

    @property
    def pixels(self) -> Plane:
        """The plane of labels in memory."""
        return Plane(self.layer, self.plane)


def on_disk(layer: Any) -> LabelsPlace | None:
    """Return where the labels lie that a layer shows, or None if it shows labels in memory or others."""
    return place_of(layer.data[0] if layer.multiscale else layer.data)


def why_not(layer: Any) -> str:
    """Return why labels cannot be corrected, for the user; an empty text if they can."""
    if on_disk(layer) is not None:
        return ""
    if layer.multiscale:
        return (
            "These labels are large and lie in memory. Save them as OME-Zarr, open the file, and correct regions of it."
        )
    return "" if isinstance(layer.data, np.ndarray) and layer.editable else (Plane.why_not(layer) or _NOT_OURS)


_NOT_OURS = "These labels are read from a file of another kind. Save them as OME-Zarr, and open that."


def region_in_view(viewer: Any, layer: Any) -> Region:
    """Return the part of a labels layer that is in view, less a rim where it goes on, in which the frame is seen.

    Raises
    ------
    EditError
        If nothing of it is in view, too much is, or these labels cannot be corrected.
    ImageError
        If the sliders stand where the layer has no plane.
    """
    seen = visible_box(viewer, layer)
    if seen is None:
        raise EditError(f"Nothing of {layer.name} is in view. Move the image, or press Home in napari.")
    height, width = plane_shape(layer)
    (y0, y1), (x0, x1) = _less_rim(*seen[:2], height), _less_rim(*seen[2:], width)
    return _region(viewer, layer, (y0, x0, y1, x1))


def region_of_shapes(viewer: Any, layer: Any, shapes: Any) -> Region:
    """Return the rectangle around the selected shapes of a layer, or around all of them.

    Raises
    ------
    EditError
        If there are no shapes, they lie elsewhere or are too large, or these labels cannot be corrected.
    ImageError
        If the sliders stand where the layer has no plane.
    """
    chosen = sorted(shapes.selected_data) or range(len(shapes.data))
    corners = [np.asarray(shapes.data[index], float) for index in chosen]
    if not corners:
        raise EditError(f"{shapes.name} has no shape. Draw a rectangle around what you want to correct.")
    places = np.array([_in_pixels(shapes, corner, layer) for each in corners for corner in each])
    size = plane_shape(layer)
    # a pixel's centre has whole coordinates, and it reaches half a pixel to each side
    low = np.clip(np.floor(places.min(axis=0) + 0.5), 0, size).astype(int)
    high = np.clip(np.ceil(places.max(axis=0) + 0.5), 0, size).astype(int)
    return _region(viewer, layer, (int(low[0]), int(low[1]), int(high[0]), int(high[1])))


def add_editor(viewer: Any, region: Region, pixels: np.ndarray, unused: int) -> tuple[Any, Any]:
    """Add what is painted on, and a frame around it; both lie where the region lies.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
    region : Region
        Where.
    pixels : numpy.ndarray
        ``(Y, X)``; its labels.
    unused : int
        A number that no particle has: what is painted first is new.

    Returns
    -------
    tuple
        A single-scale Labels layer and a Shapes layer.
    """
    layer, (y0, x0, y1, x1) = region.layer, region.box
    space = space_of(layer)
    frame = viewer.add_shapes(
        [_outline(region)],
        shape_type="rectangle",
        edge_color=FRAME,
        face_color="transparent",
        edge_width=max(1.0, max(y1 - y0, x1 - x0) / 300),
        name=unique_name(viewer, f"{layer.name} region frame"),
        metadata=_metadata(),
        **space,
    )
    frame.editable = False
    moved = plane_offset(space, (*region.plane, y0, x0))
    space["translate"] = np.asarray(space["translate"]) + moved
    editor = viewer.add_labels(
        np.array(pixels)[(None,) * len(region.plane)],
        name=unique_name(viewer, f"{layer.name} region"),
        opacity=layer.opacity,
        metadata=_metadata(),
        **space,
    )
    editor.selected_label = unused
    editor.mode = "paint"
    viewer.layers.selection.active = editor
    return editor, frame


def painted_in(editor: Any, region: Region) -> np.ndarray:
    """Return a copy of the pixels of an editor of :func:`add_editor`, ``(Y, X)``."""
    return np.array(editor.data).reshape(editor.data.shape[len(region.plane) :])


def _metadata() -> dict[str, Any]:
    return {KEY: {"role": ROLE}}


def _less_rim(first: int, end: int, size: int) -> tuple[int, int]:
    rim = round(_RIM * (end - first))
    return first + rim * (first > 0), end - rim * (end < size)


def _region(viewer: Any, layer: Any, box: Box) -> Region:
    reason = why_not(layer)
    if reason:
        raise EditError(reason)
    check_box(plane_shape(layer), box)
    return Region(layer, on_disk(layer), needed_plane(viewer, layer), box)


def _outline(region: Region) -> np.ndarray:
    y0, x0, y1, x1 = region.box
    corners = np.array([(y0, x0), (y0, x1), (y1, x1), (y1, x0)], float) - 0.5
    ahead = np.tile(np.asarray(region.plane, float), (4, 1))
    return np.hstack([ahead, corners]) if region.plane else corners


def _in_pixels(shapes: Any, corner: np.ndarray, layer: Any) -> np.ndarray:
    world = np.asarray(shapes.data_to_world(corner), float)
    ahead = np.zeros(max(0, layer.ndim - len(world)))
    return np.asarray(layer.world_to_data(np.concatenate([ahead, world])[-layer.ndim :]))[-2:]
