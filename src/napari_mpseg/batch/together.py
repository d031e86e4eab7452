"""Progress over all images of a batch, in pixels."""

import threading

from napari_mpseg.progress import Progress, ProgressCallback

# where in the work on one image a stage begins and ends, roughly
_SPANS = {
    "Segmenting": (0.0, 0.75),
    "Numbering": (0.75, 0.78),
    "Measuring": (0.8, 0.95),
    "Drawing": (0.95, 1.0),
}


class Together:
    """Turns what single images tell into one progress.

    Parameters
    ----------
    images : int
        How many there are.
    total : int
        Pixels of all of them that are to be done now.
    on_progress : callable
        Gets events that count pixels.
    """

    def __init__(self, images: int, total: int, on_progress: ProgressCallback) -> None:
        self._stage = f"Batch of {images} image{'' if images == 1 else 's'}"
        self._total, self._done = total, 0
        self._told = on_progress
        self._lock = threading.Lock()
        self._tell(0)

    def image(self, pixels: int) -> ProgressCallback:
        """Return what takes the events of one image of so many pixels."""
        furthest = 0.0

        def take(event: Progress) -> None:
            nonlocal furthest
            begin, end = _SPANS.get(event.stage, (0.0, 0.0))
            with self._lock:
                furthest = max(furthest, begin + (end - begin) * event.fraction)
                self._tell(int(pixels * furthest))

        return take

    def end(self, pixels: int) -> None:
        """Note that an image of so many pixels has ended."""
        with self._lock:
            self._done += pixels
            self._tell(0)

    def _tell(self, more: int) -> None:
        if self._total:
            self._told(Progress(self._stage, min(self._total, self._done + more), self._total, "px"))
