"""Train a Mask R-CNN from labelled particles: what presets name as their trainer."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from napari_mpseg.detection.modelfile import DetectorCard, DetectorModel, load_detector
from napari_mpseg.detection.network import build_detector
from napari_mpseg.detection.run import DetectorTraining
from napari_mpseg.detection.sampling import DetectionSampler
from napari_mpseg.detection.settings import DetectorSettings
from napari_mpseg.detection.splitting import Part, split_images
from napari_mpseg.errors import SettingsError
from napari_mpseg.heads.registry import MASK
from napari_mpseg.images.normalisation import Normalisation
from napari_mpseg.networks.device import choose_device
from napari_mpseg.networks.modelfile import weights_digest
from napari_mpseg.provenance import library_versions
from napari_mpseg.settings import from_dict, to_dict
from napari_mpseg.training.augment.augmentation import check_augmentation
from napari_mpseg.training.data.fingerprints import fingerprints
from napari_mpseg.training.data.instances import instance_digests, of_one_label, one_label_notes, with_instances
from napari_mpseg.training.data.pairs import LabelledImage
from napari_mpseg.training.painted.checks import check_painted
from napari_mpseg.training.preset import Preset
from napari_mpseg.training.run.checkpoints import restore_checkpoint
from napari_mpseg.training.session import Session, learnt_from
from napari_mpseg.training.settings import TrainSettings
from napari_mpseg.training.train import labelled_pairs, mean_pixel_size

_LOSS = "mask-rcnn"


@dataclass(frozen=True)
class DetectorOptions:
    """What a preset says of the training of a detector beside the settings that all networks have.

    Attributes
    ----------
    heads_epochs : int
        Of the epochs, how many at the beginning let the heads learn alone. At most half of all epochs, so that a
        shorter run has both stages.
    halo : int
        Of the card: pixels of context on every side of a square; 0 for a quarter of its side.
    """

    heads_epochs: int = 0
    halo: int = 0

    def __post_init__(self) -> None:
        if min(self.heads_epochs, self.halo) < 0:
            raise SettingsError("heads_epochs and halo must be 0 or more.")


@dataclass
class DetectorSession(Session):
    """A run of a detector that is ready to start; attributes as of a ``Session``, but for what comes out.

    Attributes
    ----------
    card : DetectorCard
    """

    card: Any

    def run(self, **given: Any) -> Any:
        """Train, and return a ``DetectorModel`` with what is kept; also after a cancel. Takes what a Session takes."""
        super().run(**given)
        return DetectorModel(self.training.network, self._finished_card())  # type: ignore[arg-type]

    def model(self) -> Any:
        """Return what has been learnt so far as a ``DetectorModel``; callable from any thread while it goes on."""
        return DetectorModel(self.training.snapshot(), self._finished_card())  # type: ignore[arg-type]


def prepare(
    pairs: Sequence[Any],
    preset: Preset,
    *,
    validation: Sequence[LabelledImage] = (),
    painted: str = "dense",
    background_label: int = 1,
    start: "DetectorModel | str | os.PathLike[str] | None" = None,
    name: str = "trained",
    device: str = "auto",
    checkpoint: str | os.PathLike[str] | None = None,
) -> DetectorSession:
    """Check everything and return the run ready to start; see :func:`napari_mpseg.training.train.prepare_training`.

    Parameters
    ----------
    pairs : sequence
        Images and labels; every label is a particle. Where all particles have one label, those that touch are one.
    preset : Preset
        Its ``settings.network_options`` are :class:`DetectorSettings`, its ``options`` :class:`DetectorOptions`.
    start : DetectorModel or path, optional
        A detector to go on from; it keeps its own architecture.

    Raises
    ------
    SettingsError
        If there is nothing to learn from, particles are painted in part only, or settings do not fit.
    ModelError
        If published weights cannot be fetched.
    """
    if painted != "dense":
        raise SettingsError(
            f"A Mask R-CNN learns from whole particles, and cannot from {painted}: what is not painted would be "
            "background to it. Paint every particle with a label of its own, and train with 'Painted as: Dense mask' "
            "in napari, painted='dense' in a script, --painted dense in a terminal."
        )
    settings, options = preset.settings, from_dict(DetectorOptions, preset.options)
    _check_settings(settings)
    beginning = _started(start if start is not None else preset.start)
    rule = beginning.card.normalisation if beginning is not None else Normalisation("auto")
    given = labelled_pairs(pairs, painted, background_label, rule)
    notes = [*check_painted(given), *one_label_notes(of_one_label(given))]
    _check_known([*given, *validation])
    images, held, settings, split_notes = _divided([with_instances(pair) for pair in given], settings, validation)
    channels = given[0].image.shape[2] if beginning is None else beginning.card.in_channels
    _check_channels([*given, *validation], channels)
    torch.manual_seed(settings.seed)
    built = from_dict(DetectorSettings, settings.network_options) if beginning is None else beginning.card.options
    network = build_detector(built, channels, pretrained=beginning is None)
    if beginning is not None:
        network.load_state_dict(beginning.network.state_dict())
    check_augmentation(settings.augmentation, channels)
    training = DetectorTraining(
        network,
        DetectionSampler(images, settings, np.random.default_rng(settings.seed)),
        settings,
        heads_epochs=min(options.heads_epochs, settings.epochs // 2),
        validation=held,
        device=choose_device(device),
    )
    # of images that were cut in two, all pixels count as learnt from
    aside = validation or [pair for pair in held if not isinstance(pair.image, Part)]
    data = {
        "images": fingerprints([pair for pair in given if not any(pair.image is other.image for other in aside)]),
        "validation": fingerprints(aside),
        "start": weights_digest(beginning.network) if beginning is not None else "",
        "instances": instance_digests(images),
        "validation_instances": instance_digests(held),
        "heads_epochs": training.heads_epochs,
    }
    card = DetectorCard(
        name=name,
        options=built,
        in_channels=channels,
        normalisation=rule,
        threshold=settings.threshold,
        window=settings.patches.size,
        halo=options.halo or settings.patches.size // 4,
        pixel_size_um=mean_pixel_size(pairs),
        description=f"Trained with the preset {preset.name} ({preset.source}).",
        training_data=f"{len(given)} labelled image{'' if len(given) == 1 else 's'}: "
        + ", ".join(pair.name for pair in given),
        training={
            **to_dict(settings),
            "options": to_dict(options),
            **learnt_from(data, beginning),  # type: ignore[arg-type] # only its card is looked at
        },
        versions=library_versions(),
    )
    place = Path(checkpoint) if checkpoint is not None else None
    resumed = place is not None and restore_checkpoint(training, place, data)
    done = len(training.history) if resumed else 0
    return DetectorSession(training, card, data, place, done, (*notes, *split_notes), tuple(held))


def _check_settings(settings: TrainSettings) -> None:
    """Refuse what has no meaning for a detector, lest it be thought to have had an effect."""
    changed = {
        "shrink": settings.shrink != 1,
        "standardise": settings.standardise,
        "operating_point": bool(settings.operating_point),
        "head": settings.head != MASK,
        "loss": settings.loss != _LOSS,
        "loss_options": bool(settings.loss_options),
        "patches.synthetic_share": settings.patches.synthetic_share > 0,
    }
    wrong = [name for name, set_ in changed.items() if set_]
    if wrong:
        raise SettingsError(
            f"A Mask R-CNN has its own way of telling particles apart, its own losses and sees the images as they are: "
            f"{', '.join(wrong)} would do nothing. Leave {'it' if len(wrong) == 1 else 'them'} out."
        )


def _check_known(images: Sequence[LabelledImage]) -> None:
    partly = [pair.name for pair in images if pair.known is not None and not pair.known.all()]
    if partly:
        raise SettingsError(
            f"Only a part of {', '.join(partly)} is labelled, and a Mask R-CNN would take all else for background. Cut "
            "out what is labelled."
        )


def _check_channels(images: Sequence[LabelledImage], channels: int) -> None:
    other = [pair for pair in images if pair.image.shape[2] != channels]
    if other:
        raise SettingsError(
            f"{other[0].name} has {other[0].image.shape[2]} channels, the network takes {channels}. Train images of "
            "one kind together, or choose the same channels of all."
        )


def _divided(
    images: Sequence[LabelledImage], settings: TrainSettings, validation: Sequence[LabelledImage]
) -> tuple[Sequence[LabelledImage], Sequence[LabelledImage], TrainSettings, list[str]]:
    """Return what is learnt from, what is kept aside, and the settings that fit if nothing can be."""
    if validation:
        return images, [with_instances(pair) for pair in validation], settings, []
    train, held = split_images(images, settings.validation, settings.seed)
    if held or not settings.validation:
        return train, held, settings, []
    note = (
        "Too little is labelled to keep some aside for validation, so all of it is learnt from and there is no "
        "validation curve. Label more particles, or more images."
    )
    keep = "last" if settings.keep.startswith("best") else settings.keep
    return train, held, replace(settings, validation=0.0, patience=0, keep=keep), [note]


def _started(start: Any) -> DetectorModel | None:
    if start is None or isinstance(start, DetectorModel):
        return start
    if not isinstance(start, (str, os.PathLike)) or os.fspath(start) == "default":
        raise SettingsError(
            "A Mask R-CNN cannot start from a network that gives each pixel a probability. Start from nothing, which "
            "takes the weights that its settings name ('Start from: Nothing (from scratch)' in napari, start='scratch' "
            "in a script, --start scratch in a terminal), or from a trained Mask R-CNN."
        )
    text = os.fspath(start)
    return None if text in ("", "scratch") else load_detector(text)
