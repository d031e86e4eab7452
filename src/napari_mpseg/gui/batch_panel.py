"""The foot of *Segment a folder*: start, cancel, time left over all images, what came of it, and where it lies."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from qtpy.QtCore import QUrl, Signal
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QWidget

from napari_mpseg.gui.batch_work import SHARE
from napari_mpseg.gui.run_panel import RunPanel
from napari_mpseg.gui.worker import duration
from napari_mpseg.progress import Progress

_SURE = 2.0  # seconds of work after which the time left is told
_STAYS = "What is done stays, and Go on continues from there."
_ONE = f"Stop within one tile. {_STAYS}"
_SEVERAL = f"Stop once the images at work are done: several at once are not left half done. {_STAYS}"
_SUMMING = "Stop within one image. Tables and report stay as they were."


class BatchPanel(RunPanel):
    """A run panel that counts images, and opens what was written.

    Attributes
    ----------
    report_button, folder_button : QPushButton
        Shown once there is something to open.
    sum_button : QPushButton
        Shown once there is something to sum up.

    Signals
    -------
    sum_requested()
        Tables and report of what is done were asked for.
    """

    sum_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Start", "Segment all images that are not done yet; each gets files of its own", parent)
        self.images = (0, 0)  # ended, and all
        self._stopping = ""
        self._began: tuple[float, int] | None = None
        self._report, self._folder = Path(), Path()
        self.report_button, self.folder_button = QPushButton("Open report"), QPushButton("Open folder")
        self.sum_button = QPushButton("Sum up")
        self.sum_button.setToolTip(
            "Make tables and report again, of what is done so far: after a stop, or after a review of the particles.\n"
            "Nothing is segmented."
        )
        self.sum_button.clicked.connect(self.sum_requested)
        self.busy_changed.connect(self.sum_button.setDisabled)
        self.report_button.setToolTip("Look at the page with all images, samples and blanks in the browser")
        self.folder_button.setToolTip("Look at the files of the results")
        self.report_button.clicked.connect(lambda: open_path(self._report))
        self.folder_button.clicked.connect(lambda: open_path(self._folder))
        row = QHBoxLayout()
        row.addWidget(self.report_button)
        row.addWidget(self.folder_button)
        row.addWidget(self.sum_button)
        self.layout().addLayout(row)
        self.offer(Path(), {})
        self.begin(0, 0)

    def offer(self, folder: Path, paths: Mapping[str, Path], *, done: bool = False) -> None:
        """Offer what is there: a report among the `paths`, the folder, and to sum up if anything is done."""
        self.sum_button.setVisible(done)
        self._folder, self._report = folder, paths.get("report", Path())
        self.report_button.setVisible("report" in paths and self._report.is_file())
        self.folder_button.setVisible(bool(folder.name) and folder.is_dir())

    def begin(self, ended: int, images: int, at_once: int = 1) -> None:
        """Count from now on: so many of the images have ended before, and so many are done at once."""
        self._began, self.images = None, (ended, images)
        self.cancel_button.setToolTip(_ONE if at_once == 1 else _SEVERAL)
        what = "the current tiles" if at_once == 1 else "the images at work"
        self._stopping = f"Stopping after {what}; what is done stays …"

    def begin_to_sum(self) -> None:
        """Say what a cancel does while tables are made."""
        self.cancel_button.setToolTip(_SUMMING)
        self._stopping = "Stopping after the current image …"

    def cancel(self) -> None:
        """Ask the running job to stop."""
        super().cancel()
        if self.job is not None:
            self.progress_text.setText(self._stopping)

    def _progress(self, event: Progress) -> None:
        if self.job is None or not self.cancel_button.isEnabled():
            return
        if event.unit != SHARE:
            super()._progress(event)
            return
        self.bar.setRange(0, event.total)
        self.bar.setValue(event.done)
        self.progress_text.setText(self._text(event))

    def _text(self, event: Progress) -> str:
        now = time.monotonic()
        if self._began is None:
            self._began = (now, event.done)
        ended, images = self.images
        text = f"{ended} of {images} images, {100 * event.done // event.total} %"
        elapsed, advanced = now - self._began[0], event.done - self._began[1]
        if advanced <= 0 or elapsed < _SURE or event.done >= event.total:
            return text
        return f"{text}, about {duration(elapsed / advanced * (event.total - event.done))} left"


def open_path(path: Path) -> None:
    """Open a file or a folder in the program that the system has for it."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.absolute())))
