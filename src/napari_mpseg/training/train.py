"""Train a network from painted labels: the front door of scripts and of the widget."""

import importlib
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_mpseg.errors import SettingsError
from napari_mpseg.heads.registry import HEADS
from napari_mpseg.images.image import Image
from napari_mpseg.images.normalisation import Normalisation
from napari_mpseg.images.open import open_image
from napari_mpseg.networks.modelfile import Model, load_model
from napari_mpseg.progress import CancelToken, ProgressCallback, silent
from napari_mpseg.training.data.instances import told_apart
from napari_mpseg.training.data.pairs import LabelledImage
from napari_mpseg.training.painted.annotations import check_painted, painted_images, split_note, split_painted
from napari_mpseg.training.preset import Preset
from napari_mpseg.training.presets import find_preset
from napari_mpseg.training.run.loop import EventCallback
from napari_mpseg.training.session import Session, prepare_session
from napari_mpseg.training.settings import TrainSettings
from napari_mpseg.training.stages import prepare_stages


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
    on_event: EventCallback = lambda event: None,
    control: CancelToken | None = None,
    finish: Callable[[Session, Model], Model] | None = None,
) -> Model:
    """Train a network on painted labels.

    Parameters
    ----------
    pairs : sequence
        Of ``(image, painted)``: anything :func:`~napari_mpseg.images.open.open_image` takes, and labels of the same
        size ``(Y, X)`` (array, file or napari layer); or of LabelledImage.
    preset : str, path or Preset
        A registered preset, a preset saved as JSON, or one of your own. With an earlier stage
        (``preset.changed(before="synthetic")``) the network learns from made images first.
    painted : str
        ``"dense"``: a dense mask, 0 is background, all else particle. ``"scribbles"``: 0 is unpainted and not learnt
        from, `background_label` is background, all other labels are particles.
    background_label : int
        For scribbles.
    start : Model, str or path, optional
        What to start from instead of what the preset says: ``"default"`` for the bundled network, ``"scratch"``,
        a model or a model folder. A model that tells particles apart keeps its head, unless the preset was
        ``changed(head=...)``.
    name : str
        Of the model.
    device : str
        ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``.
    checkpoint : path-like, optional
        Folder in which the run is saved after every epoch; if it is there already, the run goes on from it.
    on_progress, on_event : callable, optional
        Called with :class:`~napari_mpseg.progress.Progress` after every step, and with
        :class:`~napari_mpseg.training.run.events.TrainingEvent` after every step and epoch.
    control : CancelToken or TrainingControl, optional
        To stop (what was learnt so far is returned; its card says so if that is no more than an earlier stage) or to
        pause.
    finish : callable, optional
        Takes session and model at the end of a run that was not stopped, and returns the model to be returned. A preset
        with an ``operating_point`` needs it: ``napari_mpseg.train`` brings its own, which chooses the threshold.

    Returns
    -------
    Model
        To be saved with ``model.save("my-model")`` and used as ``segment(image, "my-model")``.

    Raises
    ------
    SettingsError
        If images and labels do not fit, too little is painted, or there is no such preset.
    Cancelled
        If it was stopped while images for an earlier stage were made: nothing was learnt.
    """
    session = prepare_training(
        pairs,
        preset,
        painted=painted,
        background_label=background_label,
        start=start,
        name=name,
        device=device,
        checkpoint=checkpoint,
        on_progress=on_progress,
        cancel=control,
    )
    model = session.run(on_progress=on_progress, on_event=on_event, control=control)
    return model if finish is None or (control is not None and control.cancelled) else finish(session, model)


def prepare_training(
    pairs: Sequence[Any],
    preset: "Preset | str | os.PathLike[str]" = "painted",
    *,
    validation: Sequence[LabelledImage] = (),
    painted: str = "dense",
    background_label: int = 1,
    start: "Model | str | os.PathLike[str] | None" = None,
    name: str = "trained",
    device: str = "auto",
    checkpoint: str | os.PathLike[str] | None = None,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> Session:
    """Check everything and return the run ready to start; parameters as :func:`train`.

    Parameters
    ----------
    validation : sequence of LabelledImage
        What to validate on; without, the share of `pairs` that the preset says is kept aside for it.
    on_progress, cancel
        While images for an earlier stage are made; nothing else here takes long.

    Raises
    ------
    Cancelled
    """
    from napari_mpseg.networks.device import choose_device

    chosen = find_preset(preset)
    if chosen.trainer:
        return _prepared_elsewhere(
            chosen,
            pairs,
            validation=validation,
            painted=painted,
            background_label=background_label,
            start=start,
            name=name,
            device=device,
            checkpoint=checkpoint,
        )
    beginning = _started(start if start is not None else chosen.start)
    seen_as = beginning.card.normalisation if beginning is not None else None
    images = labelled_pairs(pairs, painted, background_label, seen_as)
    chosen, of_head = _with_head(chosen, beginning)
    settings = chosen.settings
    images, unsure = told_apart(images, settings.head)
    notes = [*check_painted(images), *of_head, *unsure]
    kept, held = _kept_aside(images, settings, validation)
    if settings.validation and not held:  # too little was painted to keep some of it aside
        notes.append(split_note(images, settings.validation, settings.seed))
        keep = _without_validation(settings.keep)
        settings = replace(settings, validation=0.0, patience=0, keep=keep, operating_point="")
    notes += _overruled(settings, beginning)
    given: dict[str, Any] = {
        "start": beginning,
        "validation": held,
        "synthetic": _synthetic(settings, images),
        "name": name,
        "pixel_size_um": mean_pixel_size(pairs),
        "card": _told(chosen, images),
        "device": choose_device(device),
        "checkpoint": Path(checkpoint) if checkpoint is not None else None,
        "notes": notes,
    }
    if chosen.before is None:
        return prepare_session(kept, settings, **given)
    # made from what is learnt from alone, and so never from what is validated on
    both = (chosen.before, chosen.settings_before())
    return prepare_stages(kept, settings, *both, on_progress=on_progress, cancel=cancel, **given)


def _told(preset: Preset, images: Sequence[LabelledImage]) -> dict[str, Any]:
    """Return what the card says of recipe and images."""
    names = ", ".join(pair.name for pair in images)
    return {
        "tta": preset.tta,
        "training_data": f"{len(images)} painted image{'' if len(images) == 1 else 's'}: {names}",
        "description": f"Trained with the preset {preset.name} ({preset.source}).",
    }


def _prepared_elsewhere(preset: Preset, pairs: Sequence[Any], **given: Any) -> Session:
    """Return the run of a preset that has a trainer of its own."""
    module, function = preset.trainer.split(":")
    session: Session = getattr(importlib.import_module(module), function)(pairs, preset, **given)
    return session


def _kept_aside(
    images: Sequence[LabelledImage], settings: TrainSettings, validation: Sequence[LabelledImage]
) -> tuple[Sequence[LabelledImage], Sequence[LabelledImage]]:
    """Return what is trained on and what is validated on."""
    if validation:
        return images, validation
    return split_painted(images, settings.validation, settings.seed) if settings.validation else (images, [])


def labelled_pairs(
    pairs: Sequence[Any], kind: str, background_label: int, normalisation: Normalisation | None
) -> list[LabelledImage]:
    """Return the pairs as labelled images, those that are not yet read scaled as the start model has learnt it."""
    ready = [pair for pair in pairs if isinstance(pair, LabelledImage)]
    others = [pair for pair in pairs if not isinstance(pair, LabelledImage)]
    for pair in others:
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise SettingsError(f"Each pair must be (image, painted labels), not {type(pair).__name__}.")
    opened = [tuple(pair) for pair in others]
    return ready + list(painted_images(opened, kind, background_label=background_label, normalisation=normalisation))


def _with_head(preset: Preset, start: Model | None) -> tuple[Preset, list[str]]:
    """Return the preset with the head that is trained, and what is to be said of it.

    A model that tells particles apart goes on doing so in its own way, unless another head was asked for by hand.
    """
    head = preset.settings.head
    if start is None or start.card.head == head:
        return preset, []
    name, own = start.card.name, start.card.head
    if HEADS[own].channels > 1 and "head" not in preset.asked:
        kept = f"{name} tells particles apart, and training goes on with its head {own!r} ({HEADS[own].title})"
        note = f"{kept}, not with the preset's {head!r}. For that one set it: --set head={head}, or head={head!r}."
        return replace(preset, settings=replace(preset.settings, head=own)), [note]
    lost = f", and what {name} has learnt of {HEADS[own].title!r} is lost" if HEADS[own].channels > 1 else ""
    if HEADS[head].channels == 1:
        return preset, [f"The head {head!r} was asked for: the model will not tell particles apart{lost}."]
    return preset, [f"The head {head!r} begins anew: {name} has the head {own!r}. Only the mask is taken over{lost}."]


def _overruled(settings: TrainSettings, start: Model | None) -> list[str]:
    """Say which settings the model that is started from has decided already."""
    if start is None:
        return []
    card = start.card
    differs = {
        f"network {card.network}": settings.network != card.network,
        f"shrink {card.shrink}": settings.shrink != card.shrink,
        "its network options": settings.network == card.network
        and dict(settings.network_options) != {k: v for k, v in card.options.items() if k != "standardise"},
    }
    kept = [what for what, different in differs.items() if different]
    if not kept:
        return []
    return [
        f"Training starts from {card.name}, which keeps {', '.join(kept)}, whatever the settings say. "
        "To choose them, start from nothing: 'Start from: Nothing (from scratch)' in napari, start='scratch' in a "
        "script, --start scratch in a terminal."
    ]


def _synthetic(settings: TrainSettings, images: Sequence[LabelledImage]) -> list[LabelledImage]:
    """Return made fluorescence patches where the preset mixes some in, for colour images only."""
    if not settings.patches.synthetic_share or any(pair.image.shape[2] != 3 for pair in images):
        return []
    from napari_mpseg.training.data.synthetic import synthetic_patches

    return synthetic_patches(settings.seed)


def mean_pixel_size(pairs: Sequence[Any]) -> float | None:
    """Return the mean pixel size of the images, in micrometre, if all of them have one."""
    sizes = []
    for pair in pairs:
        if isinstance(pair, LabelledImage):
            return None
        opened = pair[0] if isinstance(pair[0], Image) else open_image(pair[0])
        if opened.calibration.pixel_size_um is None:
            return None
        sizes.append(opened.calibration.pixel_size_um)
    return sum(sizes) / len(sizes) if sizes else None


def _started(start: "Model | str | os.PathLike[str] | None") -> Model | None:
    if start is None or isinstance(start, Model):
        return start
    text = os.fspath(start)
    if text in ("", "scratch"):
        return None
    if text == "default":
        from napari_mpseg.networks.bundled import bundled_model

        return bundled_model()
    return load_model(text)


def _without_validation(keep: str) -> str:
    return "last" if keep.startswith("best") else keep
