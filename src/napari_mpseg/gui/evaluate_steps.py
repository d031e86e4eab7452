"""Stepping through errors: one missed or false particle after the other, brought to the middle of the view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_mpseg.gui.memory import Memory
from napari_mpseg.gui.particle_table import camera_of, canvas_size
from napari_mpseg.gui.status_line import note

NEXT_KEY, PREVIOUS_KEY = "Shift-X", "Shift-Z"
_ALL = "all"
_KINDS = {_ALL: "Missed and false", "missed": "Missed only", "false": "False only"}
_ORDERS = {"large": "Largest first", "small": "Smallest first"}
_SHARE = 0.12  # of the canvas that a particle fills
_LARGEST_PIXEL = 24  # screen pixels of one image pixel


class ErrorSteps(QWidget):
    """Buttons, keys and a line of text.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
    memory : Memory
    """

    def __init__(self, viewer: Any, memory: Memory, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer, self._memory = viewer, memory
        self._all: list[Any] = []
        self._errors: list[Any] = []
        self._layer: Any = None
        self._at = -1
        self._bound: list[tuple[str, Any]] = []
        self.kind, self.order = (
            _choice(_KINDS, memory.get("kind", _ALL)),
            _choice(_ORDERS, memory.get("order", "large")),
        )
        self.kind.setToolTip("Which errors to step through")
        self.order.setToolTip("In which order")
        self.previous_button, self.next_button = QPushButton("◀ Previous"), QPushButton("Next ▶")
        self.previous_button.setToolTip(f"The error before ({PREVIOUS_KEY.replace('-', '+')})")
        self.next_button.setToolTip(f"The next error ({NEXT_KEY.replace('-', '+')})")
        self.said = note()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for pair in ((self.kind, self.order), (self.previous_button, self.next_button)):
            row = QHBoxLayout()
            for item in pair:
                row.addWidget(item, 1)
            column.addLayout(row)
        column.addWidget(self.said)
        self.kind.currentIndexChanged.connect(self._on_choice)
        self.order.currentIndexChanged.connect(self._on_choice)
        self.previous_button.clicked.connect(lambda: self.step(-1))
        self.next_button.clicked.connect(lambda: self.step(1))

    def take(self, errors: Sequence[Any], layer: Any) -> None:
        """Step through other errors.

        Parameters
        ----------
        errors : sequence
            With ``kind`` (``"missed"`` or ``"false"``), ``area``, ``y`` and ``x`` in pixels.
        layer : layer
            In whose pixels they are; its leading axes have the length one.
        """
        self._all, self._layer = list(errors), layer
        self.bind()
        self._sort()

    def forget(self) -> None:
        """Have nothing to step through."""
        self._all, self._layer = [], None
        self._sort()
        self.release()

    @property
    def current(self) -> Any:
        """The error that is looked at, or None."""
        return self._errors[self._at] if 0 <= self._at < len(self._errors) else None

    def step(self, by: int) -> None:
        """Go to the next error (1) or the one before (-1), round and round."""
        if not self._errors:
            return
        self._at = (self._at + by) % len(self._errors) if self._at >= 0 else (0 if by > 0 else len(self._errors) - 1)
        self._tell()
        self._look()

    def _on_choice(self) -> None:
        self._memory.set(kind=self.kind.currentData(), order=self.order.currentData())
        self._sort()

    def _sort(self) -> None:
        chosen = self.kind.currentData()
        sign = -1 if self.order.currentData() == "large" else 1
        self._errors = sorted(
            (one for one in self._all if chosen in (_ALL, one.kind)), key=lambda one: (sign * one.area, one.y, one.x)
        )
        self._at = -1
        self._tell()

    def _tell(self) -> None:
        for button in (self.previous_button, self.next_button):
            button.setEnabled(bool(self._errors))
        error = self.current
        if error is not None:
            y, x = round(error.y), round(error.x)
            self.said.setText(
                f"<b>{error.kind.capitalize()}</b>, {error.area:,} px, at y {y}, x {x} "
                f"({self._at + 1:,} of {len(self._errors):,})"
            )
        elif self._errors:
            missed = sum(one.kind == "missed" for one in self._errors)
            self.said.setText(f"{missed:,} missed, {len(self._errors) - missed:,} false. Press Next to see each.")
        else:
            self.said.setText(
                "None: every particle was found, and none is false." if not self._all else "None of these."
            )

    def _look(self) -> None:
        """Bring the error to the middle of the view."""
        layer, error = self._layer, self.current
        if layer is None or layer not in self._viewer.layers or error is None:
            return
        viewer = self._viewer
        middle = np.asarray(layer.data_to_world((0,) * (layer.ndim - 2) + (error.y, error.x)))
        pixel = np.abs(
            np.asarray(layer.data_to_world((0,) * (layer.ndim - 2) + (1, 1)))
            - np.asarray(layer.data_to_world((0,) * layer.ndim))
        )[-2:]
        if layer.ndim > 2:
            point = np.asarray(viewer.dims.point, float)
            point[-layer.ndim :][: layer.ndim - 2] = middle[:-2]
            viewer.dims.point = tuple(point)
        camera = camera_of(viewer)
        camera.center = (*camera.center[:-2], *middle[-2:])
        across = max(1.0, 2 * float(np.sqrt(error.area / np.pi)))
        size = np.maximum(pixel, 1e-12)
        fitting = _SHARE * float((np.asarray(canvas_size(viewer)) / (across * size)).min())
        camera.zoom = min(fitting, _LARGEST_PIXEL / float(size.min()))

    # -- keys ----------------------------------------------------------------------------------------------------

    def bind(self) -> None:
        """Take the keys; what was bound to them comes back with :meth:`release`."""
        if self._bound:
            return
        for key, by in ((NEXT_KEY, 1), (PREVIOUS_KEY, -1)):
            before = self._viewer.bind_key(key, lambda viewer, by=by: self.step(by), overwrite=True)
            self._bound.append((key, before))

    def release(self) -> None:
        """Give the keys back."""
        for key, before in reversed(self._bound):
            self._viewer.bind_key(key, before, overwrite=True)
        self._bound.clear()


def _choice(entries: dict[str, str], chosen: str) -> QComboBox:
    box = QComboBox()
    for value, text in entries.items():
        box.addItem(text, value)
    box.setCurrentIndex(max(0, box.findData(chosen)))
    return box
