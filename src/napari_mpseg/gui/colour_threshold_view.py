"""The colours of what is in view, read in a thread whenever the view changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from qtpy.QtCore import QObject, QTimer, Signal

from napari_mpseg.errors import MpsegError
from napari_mpseg.gui.layer_input import has_channel_axis
from napari_mpseg.gui.train_inputs import Snapshots, of_stack
from napari_mpseg.gui.visible import Box, centred, plane_in_view, planes_shape, visible_box
from napari_mpseg.gui.worker import Job
from napari_mpseg.methods.colour_spaces import Components, components_of
from napari_mpseg.methods.colour_threshold import check_colour, colour_scale, colours
from napari_mpseg.methods.grey import GreyScale
from napari_mpseg.progress import CancelToken, ProgressCallback

_LOOK = 100  # milliseconds between two looks at the view
_MOST_PIXELS = 2**21


@dataclass
class View:
    """The part of an image that is in view, in 8-bit colours.

    Attributes
    ----------
    layer : napari.layers.Image
        Of the image.
    plane : tuple of int
        Which plane, on the layer's leading axes.
    box : tuple of int
        ``(y0, y1, x0, x1)``, ends not included.
    image : Image
        The whole plane, to read more of it.
    scale : GreyScale
        How its values become bytes.
    pixels : ndarray of uint8
        ``(Y, X, 3)`` of the box.
    whole : bool
        Whether the box is all that is in view; else its middle.
    """

    layer: Any
    plane: tuple[int, ...]
    box: Box
    image: Any
    scale: GreyScale
    pixels: np.ndarray
    whole: bool
    _components: dict[str, Components] = field(default_factory=dict)
    _histograms: dict[str, list[np.ndarray]] = field(default_factory=dict)

    def components(self, space: str) -> Components:
        """Return the components of the colours in view; found once."""
        if space not in self._components:
            self._components[space] = components_of(self.pixels, space)
        return self._components[space]

    def histograms(self, space: str) -> list[np.ndarray]:
        """Return the 256 counts of each component in view; found once."""
        if space not in self._histograms:
            self._histograms[space] = [np.bincount(part.ravel(), minlength=256) for part in self.components(space)]
        return self._histograms[space]

    def around(self, y: int, x: int, reach: int = 1) -> np.ndarray | None:
        """Return the 8-bit colours around a pixel of the plane, ``(N, 3)``; None outside the image.

        Raises
        ------
        ImageError
            If they cannot be read.
        """
        from napari_mpseg.images.region import read_region

        height, width = self.image.shape
        if not (0 <= y < height and 0 <= x < width):
            return None
        rows, columns = (max(0, y - reach), min(height, y + reach + 1)), (max(0, x - reach), min(width, x + reach + 1))
        return colours(read_region(self.image, *rows, *columns), self.scale).reshape(-1, 3)


class ViewWatch(QObject):
    """Looks at what is in view of one layer, and reads it when that changes.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel

    Signals
    -------
    seen(View)
        Something new is in view and was read.
    unseen(str)
        Nothing can be shown, and why; an empty text where nothing of the image is in view.
    """

    seen = Signal(object)
    unseen = Signal(str)

    def __init__(self, viewer: Any, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._layer: Any = None
        self._snapshots = Snapshots()
        self._scale: GreyScale | None = None
        self._spaces: tuple[str, ...] = ()
        self._done: Any = None
        self._job: Job | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK)
        self._timer.timeout.connect(self.look)

    def watch(self, layer: Any) -> None:
        """Look at another layer from now on; None for none."""
        if self._layer is not None:
            self._layer.events.data.disconnect(self._changed)
        self._layer = layer
        self._changed()
        if layer is None:
            self._timer.stop()
            return
        layer.events.data.connect(self._changed)
        self._timer.start()
        self.look()

    def prefer(self, space: str) -> None:
        """Say in which colour space the next view is looked at, so that the thread finds its components."""
        self._spaces = (space,)

    def look(self) -> None:
        """Begin to read if there is something new in view."""
        layer = self._layer
        if self._job is not None or layer is None or layer not in self._viewer.layers:
            return
        box = visible_box(self._viewer, layer)
        plane = () if has_channel_axis(layer) else plane_in_view(self._viewer, layer)
        if (box, plane) == self._done:
            return
        self._done = (box, plane)
        if box is None or plane is None:
            self.unseen.emit("")
            return
        middle = centred(box, _MOST_PIXELS)
        try:
            image = self._image(layer, plane)
            check_colour(image)
        except MpsegError as error:
            self.unseen.emit(str(error))
            return
        view = (layer, plane, middle, image, middle == box)
        job = Job(_read, view, self._scale, self._spaces, title="Reading what is in view", activity=False)
        job.succeeded.connect(self._take)
        job.failed.connect(self.unseen)
        job.ended.connect(self._ended)
        self._job = job
        job.start()

    def _image(self, layer: Any, plane: tuple[int, ...]) -> Any:
        stack = self._snapshots.stack(layer)
        return stack.image(of_stack(plane, planes_shape(layer)) if stack.plane_shape else None)

    def _take(self, view: View | str) -> None:
        if isinstance(view, str):
            self.unseen.emit(view)
        elif view.layer == self._layer:
            if not view.plane:
                self._scale = view.scale  # of the whole image: it is the same wherever one looks
            self.seen.emit(view)

    def _changed(self, event: Any = None) -> None:
        """Forget what was read: the layer holds something else now."""
        self._abandon()
        self._snapshots.forget()
        self._scale = self._done = None

    def _ended(self) -> None:
        self._job = None

    def _abandon(self) -> None:
        job, self._job = self._job, None
        if job is not None:
            job.abandon()

    def release(self) -> None:
        """Let go of the layer."""
        self.watch(None)


def _read(
    view: tuple[Any, ...],
    scale: GreyScale | None,
    spaces: tuple[str, ...],
    *,
    on_progress: ProgressCallback,
    cancel: CancelToken,
) -> View | str:
    """Return what is in view, or why it cannot be read: no reason for napari's alarm."""
    from napari_mpseg.images.region import read_region

    layer, plane, box, image, whole = view
    try:
        scale = scale or colour_scale(image, on_progress, cancel)
        pixels = colours(read_region(image, *box), scale)
    except MpsegError as error:
        return str(error)
    found = View(layer, plane, box, image, scale, pixels, whole)
    for space in spaces:
        cancel.check()
        found.histograms(space)
    return found
