"""What a method must be given beside the image, chosen among the viewer's layers: clicked points, painted labels."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from napari.layers import Labels, Points
from qtpy.QtWidgets import QFormLayout, QHBoxLayout, QPushButton, QWidget

from napari_mpseg.errors import MpsegError, SettingsError
from napari_mpseg.gui.form_rows import FormRows
from napari_mpseg.gui.layer_choice import LayerChoice
from napari_mpseg.gui.painting import new_labels
from napari_mpseg.gui.train_inputs import labels_ndim
from napari_mpseg.gui.visible import plane_at, plane_shape
from napari_mpseg.layers import role_of, space_of, unique_name
from napari_mpseg.methods.registry import MethodInput, resolve_method

_RING, _RING_COLOUR = 8, "#56B4E9"  # pixels; sky blue


class MethodInputs:
    """A row with a choice of layer for every input of the chosen method, each with a button that makes a new one.

    Parameters
    ----------
    form : QFormLayout
        Where the rows are added.
    viewer : napari.Viewer
    image : callable
        Returns the image layer that is to be segmented, or None.
    """

    def __init__(self, form: QFormLayout, viewer: Any, image: Callable[[], Any]) -> None:
        self._rows, self._viewer, self._image = FormRows(form), viewer, image
        self.choices: dict[str, LayerChoice] = {}
        self._kinds: dict[str, MethodInput] = {}

    def show_for(self, method: str) -> None:
        """Show the inputs of a registered method or a method file."""
        self.release()
        self._rows.clear()
        inputs = inputs_of(method)
        self._kinds = {one.name: one for one in inputs}
        self.choices = {}
        for one in inputs:
            if one.kind in _KINDS:
                self._add(one)
            elif method in _FORMS:
                self._add_form(one, method)

    def values(self, plane: tuple[int, ...] = ()) -> dict[str, Any]:
        """Return the inputs of one plane, in pixels of the image, as the method takes them.

        Parameters
        ----------
        plane : tuple of int
            Which plane of the image is to be segmented; empty for an image without planes.

        Raises
        ------
        SettingsError
            If one is not chosen, is empty, or does not fit the image.
        """
        where = _Where(self._viewer, self._image(), plane)
        found = {}
        for name, choice in self.choices.items():
            one = self._kinds[name]
            if choice.layer is None:
                raise SettingsError(f"Choose {one.title.lower()}, or make them with New: {one.summary}.")
            found[name] = _KINDS[one.kind][1](choice.layer, where)
        return found

    def release(self) -> None:
        """Let go of the viewer's layers."""
        for choice in self.choices.values():
            choice.disconnect_layers()

    def _add(self, one: MethodInput) -> None:
        kind, _, new = _KINDS[one.kind]
        choice = LayerChoice(
            self._viewer.layers,
            lambda layer: isinstance(layer, kind),
            preferred=lambda layer: not role_of(layer),
            none="none yet",
        )
        choice.setToolTip(one.summary)
        button = QPushButton("New")
        button.setToolTip(f"Add an empty layer on the image, ready to be used: {one.summary}")
        button.clicked.connect(lambda: self._make(new))
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(choice, 1)
        layout.addWidget(button)
        row.setToolTip(one.summary)
        self._rows.add(one.title, row)
        self.choices[one.name] = choice

    def _add_form(self, one: MethodInput, method: str) -> None:
        text, where = _FORMS[method]
        button = QPushButton(text)
        button.setToolTip(one.summary)
        button.clicked.connect(lambda: _opener(where)(self._viewer))
        self._rows.add(one.title, button)

    def _make(self, new: Callable[[Any, Any], Any]) -> None:
        image = self._image()
        if image is not None:
            self._viewer.layers.selection.active = new(self._viewer, image)


def inputs_of(method: str) -> tuple[MethodInput, ...]:
    """Return what a method, by its name or path, must be given beside the image; nothing where it cannot be read."""
    try:
        return tuple(getattr(resolve_method(method), "inputs", ()))
    except MpsegError:
        return ()


@dataclass(frozen=True)
class _Where:
    """One plane of an image layer, or all of a plain one."""

    viewer: Any
    image: Any
    plane: tuple[int, ...]

    def world(self) -> Any:
        """Return the place of the plane's first pixel, with the sliders' place on all other axes."""
        point = np.asarray(self.viewer.dims.point, float).copy()
        if self.plane:
            point[-self.image.ndim :] = self.image.data_to_world((*self.plane, 0, 0))
        return point

    def words(self) -> str:
        """Return which plane it is, to be put behind a name."""
        return f" on plane {', '.join(map(str, self.plane))}" if self.plane else ""


def _new_points(viewer: Any, image: Any) -> Any:
    """Add an empty points layer at the place of the image, in which every click adds a point.

    A point is a ring around the particle: a disc would hide a small one. However far one zooms out it can be seen.
    """
    name, ndim = unique_name(viewer, f"{image.name} points"), labels_ndim(image)
    layer = viewer.add_points(
        np.zeros((0, ndim)),
        ndim=ndim,
        name=name,
        size=_RING,
        face_color="transparent",
        border_color=_RING_COLOUR,
        border_width=0.15,
        canvas_size_limits=(9, 10_000),
        **space_of(image, ndim),
    )
    layer.mode = "add"
    return layer


def _new_strokes(viewer: Any, image: Any) -> Any:
    layer = new_labels(viewer, image)
    layer.mode = "paint"
    return layer


def _points(layer: Any, where: _Where) -> Any:
    """Return the points of the plane as y and x in pixels of the image."""
    image, given = where.image, min(layer.ndim, where.image.ndim)
    planes = min(given - 2, len(where.plane))  # a flat layer is shown, and counts, on every plane
    world = where.world()[-image.ndim :]
    found = []
    for point in layer.data:
        world[-given:] = np.asarray(layer.data_to_world(point))[-given:]
        place = np.asarray(image.world_to_data(world), float)
        of_plane = tuple(int(number) for number in np.round(place[-2 - planes : -2]))
        if of_plane == where.plane[len(where.plane) - planes :]:
            found.append(place[-2:])  # the value of pixel i lies at i in napari's coordinates
    if not found:
        raise SettingsError(
            f"{layer.name} holds no points{where.words()}. Click on the particles with its tool 'Add points'."
        )
    return np.asarray(found)


def _labels(layer: Any, where: _Where) -> Any:
    """Return a copy of the plane's labels, which a person may go on painting."""
    data = layer.data[0] if layer.multiscale else layer.data
    shape, plane = plane_shape(where.image), plane_at(layer, where.world())
    if plane_shape(layer) != shape or plane is None:
        has = f"the shape {tuple(data.shape)}" if plane is not None else "no plane where the image's lies"
        raise SettingsError(f"{layer.name} has {has}, the image {shape}. Make labels on it with New.")
    found = data[plane]
    if not isinstance(found, np.ndarray):
        return found
    if plane and not found.any():
        raise SettingsError(f"{layer.name} holds no strokes{where.words()}. Paint there, or move to another plane.")
    return found.copy()


# Widgets of their own in which settings of a method are made.
_FORMS = {"mp-act": ("Set by hand …", "napari_mpseg.gui.colour_threshold_widget:open_colour_threshold")}


def _opener(where: str) -> Callable[[Any], Any]:
    module, name = where.split(":")
    opener: Callable[[Any], Any] = getattr(importlib.import_module(module), name)
    return opener


# What a layer must be, how it is read, how a new one is made.
_KINDS: dict[str, tuple[Any, Callable[[Any, Any], Any], Callable[[Any, Any], Any]]] = {
    "points": (Points, _points, _new_points),
    "labels": (Labels, _labels, _new_strokes),
}
