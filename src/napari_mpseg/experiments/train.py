"""The front door of training for scripts: trains, and chooses the operating point where the preset asks for it."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from napari_mpseg.experiments.operating_point import check_operating_point, finisher
from napari_mpseg.progress import CancelToken, ProgressCallback, silent
from napari_mpseg.training import train as plain
from napari_mpseg.training.presets import find_preset

if TYPE_CHECKING:
    from napari_mpseg.networks.modelfile import Model
    from napari_mpseg.training.preset import Preset
    from napari_mpseg.training.run.loop import EventCallback


def train(
    pairs: Sequence[Any],
    preset: "Preset | str | os.PathLike[str]" = "painted",
    *,
    painted: str = "dense",
    background_label: int = 1,
    start: "Model | str | os.PathLike[str] | None" = None,
    name: str = "trained",
    device: str = "auto",
    checkpoint: str | os.PathLike[str] | None = None,
    on_progress: ProgressCallback = silent,
    on_event: "EventCallback" = lambda event: None,
    control: CancelToken | None = None,
) -> "Model":
    """Train a network on painted labels, and choose its threshold where the preset has an ``operating_point``.

    Parameters
    ----------
    pairs : sequence
        Of ``(image, painted)``: anything :func:`~napari_mpseg.images.open.open_image` takes, and labels of the same
        size ``(Y, X)`` (array, file or napari layer); or of LabelledImage.
    preset : str, path or Preset
        A registered preset, a preset saved as JSON, or one of your own.
    painted, background_label, start, name, device, checkpoint, on_progress, on_event, control
        As in :func:`napari_mpseg.training.train.train`.

    Returns
    -------
    Model
        To be saved with ``model.save("my-model")`` and used as ``segment(image, "my-model")``. Its card's threshold was
        chosen on what was kept aside for validation if the preset asks for that.

    Raises
    ------
    SettingsError
        If images and labels do not fit, too little is painted, there is no such preset, or no threshold can be chosen.
    UnknownNameError
        If the preset's aim is not known.
    """
    chosen = find_preset(preset)
    check_operating_point(chosen.settings)
    return plain.train(
        pairs,
        chosen,
        painted=painted,
        background_label=background_label,
        start=start,
        name=name,
        device=device,
        checkpoint=checkpoint,
        on_progress=on_progress,
        on_event=on_event,
        control=control,
        finish=finisher(device, on_progress, control),
    )
