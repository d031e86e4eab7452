"""*Live preview of what is in view*: a tick box, the image to look at, and the layer that shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from napari_mpseg.gui.layer_choice import LayerChoice
from napari_mpseg.gui.preview_layer import PreviewLayer
from napari_mpseg.gui.status_line import note
from napari_mpseg.gui.train_inputs import Snapshots, can_be_learnt_from, of_stack
from napari_mpseg.gui.train_preview import Prediction, PreviewMaker, Region
from napari_mpseg.gui.visible import plane_in_view, planes_shape, visible_box
from napari_mpseg.gui.worker import Job

_LOOK = 300  # milliseconds between two looks at the view


class LivePreview(QWidget):
    """While a training runs its thread makes the previews; afterwards a thread of its own does.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
    snapshots : Snapshots
        Copies of image layers, shared with the training.
    shown : bool
        Whether the box is ticked.

    Attributes
    ----------
    maker : PreviewMaker
        To be asked by the training between its steps.
    """

    _predicted = Signal(object)
    _failed = Signal(str)

    def __init__(self, viewer: Any, snapshots: Snapshots, shown: bool) -> None:
        super().__init__()
        self._viewer, self._snapshots = viewer, snapshots
        self._model: Any = None
        self._training = False
        self._job: Job | None = None
        self.maker = PreviewMaker(self._predicted.emit, self._failed.emit)
        self.box = QCheckBox("Live preview of what is in view")
        self.box.setToolTip(
            "Show every few seconds what the network makes of the visible part of this image, up to a million pixels "
            "around the middle, while it learns. The rest of the training waits meanwhile."
        )
        self.image = LayerChoice(viewer.layers, can_be_learnt_from, preferred=can_be_learnt_from)
        self.image.setToolTip("The image to preview on; it need not be one that you painted on")
        self.reason = note()
        self.reason.hide()
        self.layer = PreviewLayer(viewer, lambda: self.box.setChecked(False))
        self.image_row = QWidget()
        row = QHBoxLayout(self.image_row)
        row.setContentsMargins(24, 0, 0, 0)  # under the words of the box
        row.addWidget(QLabel("on"))
        row.addWidget(self.image, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.box)
        layout.addWidget(self.image_row)
        layout.addWidget(self.reason)
        self._predicted.connect(self._show)
        self._failed.connect(self._say)
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK)
        self._timer.timeout.connect(self.look)
        self.box.toggled.connect(self._switch)
        self.box.setChecked(shown)
        self._switch(shown)

    def training_begins(self) -> None:
        """Let the training make the previews from now on."""
        self._end_job()
        self._training, self._model, self.maker.hurry = True, None, True
        self.maker.restart()
        self.look()

    def training_ends(self, model: Any) -> None:
        """Preview with what was learnt, in a thread of its own, whenever the view changes."""
        self._training, self._model, self.maker.hurry = False, model, False
        self.maker.restart()
        self.look()

    def look(self) -> None:
        """Look at what is in view; afterwards a thread may read it."""
        self.maker.region = self._region()
        if not self._training and self._model is not None and self._job is None and self._moved():
            model = self._model
            job = Job(_made, self.maker, lambda: model, title="Preview", activity=False)
            job.ended.connect(self._end_job)
            self._job = job
            job.start()

    def _moved(self) -> bool:
        """Whether there is something new to preview: what was learnt no longer changes."""
        return self.maker.due() and not self.maker.is_done(self.maker.region)

    def _region(self) -> Region | None:
        layer = self.image.layer
        if not self.box.isChecked() or layer is None or not (self._training or self._model):
            return None
        box, plane = visible_box(self._viewer, layer), plane_in_view(self._viewer, layer)
        if box is None or plane is None:
            return None
        stack = self._snapshots.stack(layer)
        index = of_stack(plane, planes_shape(layer)) if stack.plane_shape else None
        old = self.maker.region
        if old is not None and old.layer == layer and old.plane == plane and old.stack is stack:
            return Region(layer, old.image, box, plane, stack)
        return Region(layer, stack.image(index), box, plane, stack)

    def _switch(self, on: bool) -> None:
        self.reason.hide()
        self.image_row.setVisible(on)
        if on:
            self.maker.restart()
            self._timer.start()
        else:
            self._timer.stop()
            self.maker.region = None

    def _show(self, prediction: Prediction) -> None:
        if self.box.isChecked():
            self.reason.hide()
            self.layer.show(prediction)

    def _say(self, reason: str) -> None:
        self.reason.setText(reason)
        self.reason.show()

    def _end_job(self) -> None:
        job, self._job = self._job, None
        if job is not None:
            job.abandon()

    def release(self) -> None:
        """Let go of the viewer."""
        self._timer.stop()
        self.maker.region = None
        self._end_job()
        self.image.disconnect_layers()
        self.layer.disconnect_layers()


def _made(maker: PreviewMaker, model_of: Callable[[], Any], *, on_progress: Any, cancel: Any) -> None:
    maker.make(model_of, cancel)
