"""A live picture of the middle of a synthetic image, made in a thread whenever a setting changes."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtGui import QImage, QPixmap
from qtpy.QtWidgets import QCheckBox, QLabel, QVBoxLayout, QWidget

from napari_mpseg.gui.status_line import note
from napari_mpseg.gui.synth_work import PREVIEW, Preview, outlined, preview
from napari_mpseg.gui.worker import Job

_PAUSE = 250  # milliseconds of rest before a change is rendered
_SIDE = 320  # px on the screen


class SynthPreview(QWidget):
    """Shows what some settings make.

    Parameters
    ----------
    shows_truth : bool
        Whether the truth is outlined at first.

    Signals
    -------
    failed(str)
        The settings cannot be made, and why.
    """

    failed = Signal(str)

    def __init__(self, shows_truth: bool) -> None:
        super().__init__()
        self._wanted: Any = None
        self._job: Job | None = None
        self.seen: Preview | None = None
        self.picture = QLabel()
        self.picture.setFixedSize(_SIDE, _SIDE)
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.picture.setToolTip(f"The middle of the image, {PREVIEW} x {PREVIEW} px: the pixels that it will have")
        self.truth = QCheckBox("Outline the truth")
        self.truth.setToolTip("Draw a line around every particle; sediment, plants and other clutter have none")
        self.truth.setChecked(shows_truth)
        self.truth.toggled.connect(self._draw)
        self.words = note()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        for item in (self.picture, self.truth, self.words):
            layout.addWidget(item)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE)
        self._timer.timeout.connect(self._start)

    def show_for(self, settings: Any) -> None:
        """Show what these settings make, as soon as there is time; None shows nothing more."""
        self._wanted = settings
        if settings is not None:
            self._timer.start()

    def _start(self) -> None:
        if self._job is not None or self._wanted is None:
            return  # it goes on with what is wanted then
        settings, self._wanted = self._wanted, None
        job = Job(preview, settings, title="Preview", activity=False)
        job.succeeded.connect(self._show)
        job.failed.connect(self.failed)
        job.ended.connect(self._end)
        self._job = job
        job.start()

    def _end(self) -> None:
        self._job = None
        if self._wanted is not None and not self._timer.isActive():
            self._start()

    def _show(self, seen: Preview) -> None:
        self.seen = seen
        here = len(np.unique(seen.labels[seen.labels > 0]))
        self.words.setText(f"{here:,} particles here, {seen.n_particles:,} in the whole image")
        self._draw()

    def _draw(self) -> None:
        if self.seen is None:
            return
        pixels = outlined(self.seen) if self.truth.isChecked() else self.seen.pixels
        self.picture.setPixmap(_pixmap(pixels))

    def release(self) -> None:
        """Stop for good."""
        self._timer.stop()
        self._wanted = None
        job, self._job = self._job, None
        if job is not None:
            job.abandon()


def _pixmap(pixels: np.ndarray) -> QPixmap:
    rgb = np.ascontiguousarray(pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, 2))
    height, width = rgb.shape[:2]
    image = QImage(rgb.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
    return QPixmap.fromImage(image).scaled(
        _SIDE, _SIDE, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    )
