"""An optional log for TensorBoard."""

import os
from typing import Any

from napari_mpseg.errors import SettingsError
from napari_mpseg.training.run.events import TrainingEvent


class TensorBoardLog:
    """Writes loss, learning rate and validation of a run; hand it to ``on_event``.

    Parameters
    ----------
    folder : path-like
        Where TensorBoard will look.

    Raises
    ------
    SettingsError
        If TensorBoard is not installed.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter  # type: ignore[attr-defined, unused-ignore]
        except ImportError as error:
            raise SettingsError(
                "TensorBoard is not installed: pip install 'napari-mpseg[tensorboard]', or train without its log."
            ) from error
        self._writer: Any = SummaryWriter(os.fspath(folder))  # type: ignore[no-untyped-call, unused-ignore]

    def __call__(self, event: TrainingEvent) -> None:
        """Log an event."""
        if not event.ended:
            self._writer.add_scalar("loss/step", event.loss, event.step)
            self._writer.add_scalar("learning rate", event.learning_rate, event.step)
            return
        self._writer.add_scalar("loss/epoch", event.loss, event.epoch)
        if event.validation is not None:
            self._writer.add_scalar("loss/validation", event.validation.loss, event.epoch)
            self._writer.add_scalar("IoU/validation", event.validation.iou, event.epoch)
        self._writer.flush()

    def close(self) -> None:
        """Finish the log."""
        self._writer.close()
