"""*Live preview of what is in view* while particles are counted."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_mpseg.errors import MpsegError
from napari_mpseg.gui.count_work import count_cut
from napari_mpseg.gui.instances_preview import SeparationPreview
from napari_mpseg.gui.instances_work import Cut
from napari_mpseg.gui.worker import Job
from napari_mpseg.progress import CancelToken, ProgressCallback


class CountPreview(SeparationPreview):
    """Shows in one colour what would be counted as one, and says how many there are in view."""

    def _start(self, cut: Cut, more: dict[str, Any]) -> None:
        job = Job(_made, cut, title="Preview", activity=False, **more)
        job.succeeded.connect(self._show)
        job.failed.connect(self._say_why_not)
        job.ended.connect(self._ended)
        self._job = job
        job.start()


def _made(cut: Cut, *, on_progress: ProgressCallback, cancel: CancelToken, **more: Any) -> tuple[np.ndarray, int] | str:
    try:
        return count_cut(cut, on_progress=on_progress, cancel=cancel, **more)
    except MpsegError as error:
        return str(error)
