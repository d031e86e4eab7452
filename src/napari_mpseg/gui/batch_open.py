"""A finished image of a batch in the viewer: the image, its probability, and its labels with their table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from napari_mpseg.gui.particle_table import make_table_quick, show_table
from napari_mpseg.gui.readers import LayerData, read
from napari_mpseg.gui.worker import Job
from napari_mpseg.layers import role_of, unique_name
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback

_NOT_SHOWN = (
    "itself is not shown: it is not there any more, or it is too large to be shown without smaller levels in its file. "
    "Below the particles lies their probability."
)


def read_done(store: Path, *, on_progress: ProgressCallback, cancel: CancelToken) -> list[LayerData]:
    """Read a result as dropping its store into the viewer does; arrays too large for memory stay on disk.

    Parameters
    ----------
    store : Path
        The result store.
    on_progress, cancel
        As everywhere.

    Raises
    ------
    MpsegError
        If it is not there any more, or damaged.
    """
    on_progress(Progress("Reading the result", 0, 0))
    found = read([str(store)])
    cancel.check()
    return found


class ResultsInView:
    """Shows one finished image after another, each once.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
    say : callable
        Gets what went wrong, and its kind for a status line.
    """

    def __init__(self, viewer: Any, say: Callable[[str, str], None]) -> None:
        self._viewer, self._say = viewer, say
        self._shown: dict[Path, list[Any]] = {}
        self._job: Job | None = None

    @property
    def busy(self) -> bool:
        """Whether a result is being read."""
        return self._job is not None

    def open(self, image: Path, store: Path) -> None:
        """Show the result of an image, once it is read; one after the other."""
        if self._job is not None or self._bring_up(image):
            return
        job = self._job = Job(read_done, store, title=f"Opening {image.name}")
        job.succeeded.connect(lambda found: self.add(image, found))
        job.failed.connect(lambda text: self._say(text, "error"))
        job.ended.connect(self._end)
        job.start()

    def abandon(self) -> None:
        """Stop because the widget goes away."""
        job, self._job = self._job, None
        if job is not None:
            job.abandon()

    def _end(self) -> None:
        self._job = None

    def _bring_up(self, image: Path) -> bool:
        """Show an image that was opened before, in place of the others; False if its labels are not there any more."""
        layers = self._shown.get(image, [])
        labels = [layer for layer in layers if role_of(layer) == "particles" and layer in self._viewer.layers]
        if not labels:
            return False
        self._hide_others(image)
        for layer in layers:
            layer.visible = role_of(layer) != "probability"
        show_table(self._viewer, labels[0])
        return True

    def add(self, image: Path, found: list[LayerData]) -> None:
        """Add the layers of an image and its result."""
        self._hide_others(image)
        make_table_quick(self._viewer)
        layers = [layer for layer in self._viewer.layers if _source(layer) == str(image) and not role_of(layer)]
        for layer in layers:  # the image was open already
            layer.visible = True
        for data, meta, kind in found:
            layers += self._added(data, meta, kind)
        self._shown[image] = layers
        if all(role_of(layer) for layer in layers):
            self._say(f"{image.name} {_NOT_SHOWN}", "warning")
            for layer in layers:
                layer.visible = True
        if hasattr(self._viewer, "reset_view"):
            self._viewer.reset_view()
        for layer in layers:
            if role_of(layer) == "particles":
                show_table(self._viewer, layer)

    def _added(self, data: Any, meta: dict[str, Any], kind: str) -> list[Any]:
        name = meta["name"]
        names = [unique_name(self._viewer, one) for one in name] if isinstance(name, list) else None
        made = getattr(self._viewer, f"add_{kind}")(
            data, **{**meta, "name": names or unique_name(self._viewer, str(name))}
        )
        return list(made) if isinstance(made, (list, tuple)) else [made]

    def _hide_others(self, image: Path) -> None:
        """Hide what was opened before: all images lie at the same place."""
        for other, layers in self._shown.items():
            for layer in layers if other != image else ():
                if layer in self._viewer.layers:
                    layer.visible = False


def _source(layer: Any) -> str:
    record = layer.metadata.get("napari-mpseg") if isinstance(layer.metadata, dict) else None
    return str(record.get("source", "")) if isinstance(record, dict) else ""
