"""Pausing and stopping a training run from another thread."""

import threading

from napari_mpseg.progress import CancelToken


class TrainingControl(CancelToken):
    """A cancel token that can also hold the work between two steps."""

    def __init__(self) -> None:
        super().__init__()
        self._running = threading.Event()
        self._running.set()

    @property
    def paused(self) -> bool:
        """Whether the work is held, or about to be."""
        return not self._running.is_set()

    def pause(self) -> None:
        """Hold the work after the current step."""
        self._running.clear()

    def resume(self) -> None:
        """Let the work go on."""
        self._running.set()

    def cancel(self) -> None:
        """Ask the work to stop, paused or not."""
        super().cancel()
        self._running.set()

    def wait(self) -> None:
        """Return at once, or when a pause has ended."""
        self._running.wait()
