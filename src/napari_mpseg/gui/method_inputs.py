"""What a method must be given beside the image, chosen among the viewer's layers: clicked points, painted labels."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
from napari.layers import Labels, Points
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFormLayout, QHBoxLayout, QPushButton, QWidget

from napari_mpseg.errors import SettingsError
from napari_mpseg.gui.layer_choice import LayerChoice
from napari_mpseg.gui.painting import new_labels
from napari_mpseg.gui.visible import plane_shape
from napari_mpseg.layers import role_of, space_of, unique_name
from napari_mpseg.methods.registry import METHODS, MethodInput


class MethodInputs(QWidget):
    """A choice of layer for every input of the chosen method, each with a button that makes a new one.

    Parameters
    ----------
    viewer : napari.Viewer
    image : callable
        Returns the image layer that is to be segmented, or None.
    """

    changed = Signal()

    def __init__(self, viewer: Any, image: Callable[[], Any]) -> None:
        super().__init__()
        self._viewer, self._image = viewer, image
        self.choices: dict[str, LayerChoice] = {}
        self._kinds: dict[str, MethodInput] = {}
        self._form = QFormLayout(self)
        self._form.setContentsMargins(0, 0, 0, 0)

    def show_for(self, method: str) -> bool:
        """Show the inputs of a registered method; return whether it has any."""
        while self._form.rowCount():
            self._form.removeRow(0)
        for choice in self.choices.values():
            choice.disconnect_layers()
        inputs = METHODS[method].inputs if method in METHODS else ()
        self._kinds = {one.name: one for one in inputs}
        self.choices = {}
        for one in inputs:
            if one.kind in _KINDS:
                self._add(one)
            elif method in _FORMS:
                self._add_form(one, method)
        return bool(self._form.rowCount())

    def values(self) -> dict[str, Any]:
        """Return the inputs in pixels of the image, as the method takes them.

        Raises
        ------
        SettingsError
            If one is not chosen, is empty, or does not fit the image.
        """
        image = self._image()
        found = {}
        for name, choice in self.choices.items():
            one = self._kinds[name]
            if choice.layer is None:
                raise SettingsError(f"Choose {one.title.lower()}, or make them with New: {one.summary}.")
            found[name] = _KINDS[one.kind][1](choice.layer, image)
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
        choice.layer_changed.connect(lambda layer: self.changed.emit())
        button = QPushButton("New")
        button.setToolTip(f"Add an empty layer on the image, ready to be used: {one.summary}")
        button.clicked.connect(lambda: self._make(new))
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(choice, 1)
        layout.addWidget(button)
        self._form.addRow(one.title, row)
        self.choices[one.name] = choice

    def _add_form(self, one: MethodInput, method: str) -> None:
        text, where = _FORMS[method]
        button = QPushButton(text)
        button.setToolTip(one.summary)
        button.clicked.connect(lambda: _opener(where)(self._viewer))
        self._form.addRow(one.title, button)

    def _make(self, new: Callable[[Any, Any], Any]) -> None:
        image = self._image()
        if image is not None:
            self._viewer.layers.selection.active = new(self._viewer, image)


def _new_points(viewer: Any, image: Any) -> Any:
    """Add an empty points layer at the place of the image, in which every click adds a point."""
    name = unique_name(viewer, f"{image.name} points")
    layer = viewer.add_points(np.zeros((0, 2)), ndim=2, name=name, **space_of(image, 2))
    layer.mode = "add"
    return layer


def _new_strokes(viewer: Any, image: Any) -> Any:
    layer = new_labels(viewer, image)
    layer.mode = "paint"
    return layer


def _points(layer: Any, image: Any) -> Any:
    """Return the points as y and x in pixels of the image."""
    if not len(layer.data):
        raise SettingsError(f"{layer.name} holds no points. Click on the particles with its tool 'Add points'.")
    world = np.asarray([layer.data_to_world(point)[-2:] for point in layer.data])
    start = np.asarray(image.data_to_world((0,) * image.ndim))[-2:]
    step = np.asarray(image.data_to_world((1,) * image.ndim))[-2:] - start
    # the value of pixel i lies at i in napari's coordinates
    return (world - start) / step


def _labels(layer: Any, image: Any) -> Any:
    """Return a copy of the labels, which a person may go on painting."""
    data = layer.data[0] if layer.multiscale else layer.data
    shape = plane_shape(image)
    if tuple(data.shape) != tuple(shape):
        raise SettingsError(
            f"{layer.name} has the shape {tuple(data.shape)}, the image {tuple(shape)}. Make labels on it with New."
        )
    return data.copy() if isinstance(data, np.ndarray) else data


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
