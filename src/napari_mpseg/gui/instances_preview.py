"""*Live preview of what is in view* while particles are told apart: a tick box and the layer that shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from napari.layers import Image
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from napari_mpseg.errors import MpsegError
from napari_mpseg.gui.instances_colours import coloured
from napari_mpseg.gui.instances_work import Cut, preview
from napari_mpseg.gui.layer_choice import keeping_active
from napari_mpseg.gui.status_line import note
from napari_mpseg.gui.visible import Box, centred, visible_box
from napari_mpseg.gui.worker import Job
from napari_mpseg.layers import plane_offset, space_of, unique_name
from napari_mpseg.progress import CancelToken, ProgressCallback

ROLE = "separation preview"
_LOOK = 300  # milliseconds between two looks at the view
_MOST_PIXELS = 2**21


class SeparationPreview(QWidget):
    """Shows, in a layer of its own, what the form would make of what is in view; takes it away at the end.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
    ask : callable
        Takes what is in view of a layer (a function from layer to box), and returns the layer, the index of its plane,
        a key that is another one whenever there is something new to show, and a function that gives the :class:`Cut`
        and the keyword arguments of :func:`preview`. Returns None where there is nothing to preview.
    """

    def __init__(self, viewer: Any, ask: Callable[[Callable[[Any], Box | None]], Any]) -> None:
        super().__init__()
        self._viewer, self._ask = viewer, ask
        self._job: Job | None = None
        self._layer: Any = None
        self._done: Any = None
        self._place: tuple[Any, tuple[int, ...], Box] | None = None
        self.box = QCheckBox("Live preview of what is in view")
        self.box.setToolTip(
            "Show on a layer of its own what Run would make of the visible part, up to two million pixels around the "
            "middle. What would be dropped is dark grey. The preview goes when you untick this, run, or close."
        )
        self.count = note()
        self.count.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.box)
        layout.addWidget(self.count)
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK)
        self._timer.timeout.connect(self.look)
        self.box.toggled.connect(self._switch)
        viewer.layers.events.removed.connect(self._removed)

    def look(self) -> None:
        """Begin a preview if there is something new to see."""
        if self._job is not None or not self.box.isChecked():
            return
        asked = self._ask(self._in_view)
        if asked is None:
            self._take_away()
            return
        layer, plane, key, give = asked
        if key == self._done:
            return
        self._done = key
        try:
            cut, more = give()
        except MpsegError as error:
            self._say_why_not(str(error))
            return
        self._place = (layer, plane, cut.box)
        self._start(cut, more)

    def stop(self) -> None:
        """Untick the box, and take the layer away."""
        self.box.setChecked(False)

    def _start(self, cut: Cut, more: dict[str, Any]) -> None:
        job = Job(_made, cut, title="Preview", activity=False, **more)
        job.succeeded.connect(self._show)
        job.failed.connect(self._say_why_not)
        job.ended.connect(self._ended)
        self._job = job
        job.start()

    def _in_view(self, layer: Any) -> Box | None:
        box = visible_box(self._viewer, layer)
        return None if box is None else centred(box, _MOST_PIXELS)

    def _show(self, found: tuple[np.ndarray, int] | str) -> None:
        if not self.box.isChecked() or self._place is None:
            return
        if isinstance(found, str):
            self._say_why_not(found)
            return
        picture, number = found
        source, plane, (y0, _, x0, _) = self._place
        if source not in self._viewer.layers:
            return
        self._say(f"{number:,} particle{'' if number == 1 else 's'} in view; dark grey is dropped.")
        picture = picture[(None,) * len(plane)]
        space = space_of(source, 2 + len(plane))
        space["translate"] = space["translate"] + plane_offset(space, (*plane, y0, x0))
        if self._layer is not None and self._layer.ndim == 2 + len(plane):
            self._layer.data = picture
            for name in ("scale", "translate", "rotate", "shear", "affine"):
                setattr(self._layer, name, space[name])
            return
        self._take_away()
        self._add(source, picture, space)

    def _add(self, source: Any, picture: np.ndarray, space: dict[str, Any]) -> None:
        self._layer = Image(
            picture,
            rgb=True,
            name=unique_name(self._viewer, f"{source.name} preview"),
            metadata={"napari-mpseg": {"role": ROLE, "source": source.name}},
            **space,
        )
        with keeping_active(self._viewer):  # the user may be painting seeds
            self._viewer.layers.append(self._layer)

    def _switch(self, on: bool) -> None:
        self._done = None
        if on:
            self._timer.start()
            self.look()
            return
        self._timer.stop()
        self._abandon()
        self._take_away()
        self.count.hide()

    def _take_away(self) -> None:
        layer, self._layer = self._layer, None
        if layer is not None and layer in self._viewer.layers:
            with keeping_active(self._viewer):
                self._viewer.layers.remove(layer)

    def _removed(self, event: Any) -> None:
        if self._layer is not None and event.value == self._layer:
            self._layer = None
            self.box.setChecked(False)

    def _say(self, text: str) -> None:
        if self.box.isChecked():
            self.count.setText(text)
            self.count.show()

    def _say_why_not(self, reason: str) -> None:
        self._take_away()  # it would show what the form no longer says
        self._say(reason)

    def _ended(self) -> None:
        self._job = None

    def _abandon(self) -> None:
        job, self._job = self._job, None
        if job is not None:
            job.abandon()

    def release(self) -> None:
        """Let go of the viewer, and take the layer away."""
        self._timer.stop()
        self._abandon()
        self._viewer.layers.events.removed.disconnect(self._removed)
        self._take_away()


def _made(cut: Cut, *, on_progress: ProgressCallback, cancel: CancelToken, **more: Any) -> tuple[np.ndarray, int] | str:
    """Return the picture and how many particles are on it, or why there is none: no reason for napari's alarm."""
    try:
        labels, before = preview(cut, on_progress=on_progress, cancel=cancel, **more)
    except MpsegError as error:
        return str(error)
    return coloured(labels, before), len(np.unique(labels[labels > 0]))
