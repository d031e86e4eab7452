"""Boxes whose widget was closed: what is drawn, moved or removed is still kept with their labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakSet

from napari.utils.notifications import show_info
from qtpy.QtCore import QTimer

from napari_mpseg.errors import MpsegError
from napari_mpseg.gui.count_layers import boxes_now
from napari_mpseg.gui.count_outlines import Shown
from napari_mpseg.gui.count_review import CountReview
from napari_mpseg.gui.count_shapes import BoxShapes

_LEFT: WeakSet[LeftBoxes] = WeakSet()


class LeftBoxes:
    """Follows a layer of boxes without a widget, for as long as there is the layer.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
    labels : napari.layers.Labels
        Whose boxes they are.
    shown : Shown
        The layer, and what is on it.
    later : callable
        Calls a function once napari has finished what it is at.
    say : callable
        Takes a text and its kind.
    """

    def __init__(
        self,
        viewer: Any,
        labels: Any,
        shown: Shown,
        *,
        later: Callable[[Callable[[], None]], None] = lambda work: work(),
        say: Callable[[str, str], None] = lambda text, kind: None,
    ) -> None:
        self._viewer, self.labels, self.shown, self._say = viewer, labels, shown, say
        self._busy = False

        def follow(event: Any) -> None:  # a function, which the event keeps: so this lives as long as the layer
            if not self._busy:
                later(self._take_over)

        self._follow = follow
        shown.layer.events.data.connect(follow)
        _LEFT.add(self)

    @property
    def there(self) -> bool:
        """Whether both layers are still in the viewer."""
        return self.labels in self._viewer.layers and self.shown.layer in self._viewer.layers

    def stop(self) -> Shown:
        """Follow no longer, and return what is shown."""
        self.shown.layer.events.data.disconnect(self._follow)
        _LEFT.discard(self)
        return self.shown

    def _take_over(self) -> None:
        boxes = boxes_now(self.labels) if self.there and self in _LEFT and not self._busy else None
        if boxes is None:
            return
        self._busy = True
        try:
            review = CountReview(self._viewer, self.labels, boxes)
            shapes = BoxShapes(self._viewer, review, shown=self.shown, say=self._say)
            shapes.catch_up()
            self.shown = shapes.shown
            shapes.close()
            review.close()
        except MpsegError as error:
            self._say(str(error), "error")
        finally:
            self._busy = False


def left_boxes_of(viewer: Any, labels: Any) -> LeftBoxes | None:
    """Return the boxes of some labels that are in the viewer without a widget, or None."""
    for left in list(_LEFT):
        if left.labels is labels and left.there and left.shown.layer in viewer.layers:
            return left
    return None


def later(work: Callable[[], None]) -> None:
    """Call a function once napari has finished what it is at."""
    QTimer.singleShot(0, work)


def notify(text: str, kind: str) -> None:
    """Tell of what was refused where there is no status line any more."""
    if kind != "done":
        show_info(text)
