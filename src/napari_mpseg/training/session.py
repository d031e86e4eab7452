"""From labelled images and a preset to a run that is ready to start, and from its end to a model."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from napari_mpseg.errors import SettingsError
from napari_mpseg.heads.registry import HEADS
from napari_mpseg.images.normalisation import Normalisation
from napari_mpseg.networks.geometry import receptive_radius
from napari_mpseg.networks.modelfile import Model, ModelCard, weights_digest
from napari_mpseg.networks.registry import NETWORKS
from napari_mpseg.networks.transplant import transplanted
from napari_mpseg.progress import CancelToken, ProgressCallback, silent
from napari_mpseg.provenance import library_versions
from napari_mpseg.settings import to_dict
from napari_mpseg.training.augment.augmentation import check_augmentation, fill_with
from napari_mpseg.training.data.colours import with_channels
from napari_mpseg.training.data.fingerprints import fingerprints, is_older, older_fingerprints
from napari_mpseg.training.data.instances import instance_digests, told_apart
from napari_mpseg.training.data.pairs import LabelledImage
from napari_mpseg.training.data.seen import LEARNT, VALIDATED, inherited, seen_by_card
from napari_mpseg.training.data.shrinking import shrunk_pair
from napari_mpseg.training.data.statistics import mean_and_deviation
from napari_mpseg.training.patches.sampling import SAMPLERS
from napari_mpseg.training.run.checkpoints import read_checkpoint, restore_checkpoint, save_checkpoint
from napari_mpseg.training.run.loop import EpochRecord, EventCallback, Training
from napari_mpseg.training.settings import TrainSettings


@dataclass
class Session:
    """A run that is ready to start.

    Attributes
    ----------
    training : Training
    card : ModelCard
        Of the model that comes out, less the scores.
    data : mapping
        Names and digests of what it learns from.
    checkpoint : Path or None
        Folder where the run is saved after every epoch, and from which it was gone on with if it was there.
    resumed : int
        Epochs that were done already.
    notes : sequence of str
        What the user should know before it starts.
    validation : sequence of LabelledImage
        What is validated on, as it was given.
    """

    training: Training
    card: ModelCard
    data: Mapping[str, Any]
    checkpoint: Path | None = None
    resumed: int = 0
    notes: Sequence[str] = ()
    validation: Sequence[LabelledImage] = ()

    @property
    def history(self) -> Sequence[EpochRecord]:
        """The epochs that have ended."""
        return tuple(self.training.history)

    @property
    def step(self) -> int:
        """Steps done."""
        return self.training.step

    @property
    def epochs(self) -> int:
        """Epochs in all, unless it stops early."""
        return self.training.settings.epochs

    @property
    def only_before(self) -> bool:
        """Whether it has not come further than an earlier stage: the labelled images are not learnt from yet."""
        return False

    def run(
        self,
        *,
        on_progress: ProgressCallback = silent,
        on_event: EventCallback = lambda event: None,
        control: CancelToken | None = None,
    ) -> Model:
        """Train, and return the model with what is kept; also after a cancel. See :meth:`Training.run`."""

        def save(training: Training) -> None:
            if self.checkpoint is not None:
                save_checkpoint(training, self.checkpoint, self.data)

        self.training.run(on_progress=on_progress, on_event=on_event, control=control, after_epoch=save)
        return Model(self.training.network, self._finished_card())

    def model(self) -> Model:
        """Return what has been learnt so far as a model of its own; callable from any thread while it goes on."""
        return Model(self.training.snapshot(), self._finished_card())

    def _finished_card(self) -> ModelCard:
        training = self.training
        reached: dict[str, Any] = {"steps_done": training.step, "epochs_done": len(training.history)}
        scores = dict(self.card.scores)
        if training.history:
            reached["last_loss"] = training.history[-1].loss
            number = training.best or len(training.history)
            seen = training.history[number - 1].validation
            reached["kept_epoch"] = number
            if seen is not None:
                scores["validation"] = {"epoch": number, "loss": seen.loss, "iou": seen.iou}
                if seen.object_f1 is not None:
                    scores["validation"]["object_f1"] = seen.object_f1
        return replace(self.card, training={**self.card.training, **reached}, scores=scores)


def prepare_session(
    images: Sequence[LabelledImage],
    settings: TrainSettings,
    *,
    start: Model | None = None,
    validation: Sequence[LabelledImage] = (),
    synthetic: Sequence[LabelledImage] = (),
    name: str = "trained",
    pixel_size_um: float | None = None,
    normalisation: Normalisation | None = None,
    card: Mapping[str, Any] | None = None,
    device: torch.device | None = None,
    checkpoint: Path | None = None,
    notes: Sequence[str] = (),
    told: Mapping[str, Any] | None = None,
) -> Session:
    """Build network and sampler, and go on from the checkpoint where there is one.

    Parameters
    ----------
    images : sequence of LabelledImage
        What is learnt from; all of the same number of channels.
    settings : TrainSettings
        With `start`, its network takes the place of the one they name.
    start : Model, optional
        Whose weights to start from; it is not changed.
    validation, synthetic : sequence of LabelledImage
        What is validated on, and made images that samplers may mix in.
    name, pixel_size_um, normalisation, card : optional
        For the card; `card` gives further fields of it. Without `normalisation`, that of `start`, or ``"auto"``.
    checkpoint : Path, optional
        Folder to save the run in after every epoch.
    notes : sequence of str
        For the user.
    told : mapping, optional
        What else tells this run from others, as plain JSON values; it lies in the checkpoint.

    Raises
    ------
    SettingsError
        If there is nothing to learn from, channels do not fit, or the checkpoint is of another run.
    """
    if not images:
        raise SettingsError("There is nothing to learn from. Give at least one image with painted labels.")
    given, unsure = _Given(tuple(images), tuple(validation), tuple(synthetic)).told_apart(settings.head)
    told = {**(told or {}), **given.of_head(settings.head)}
    channels = images[0].image.shape[2] if start is None else start.card.in_channels
    shrink = settings.shrink if start is None else start.card.shrink
    seen = given.as_seen(channels, shrink)
    torch.manual_seed(settings.seed)
    rng = np.random.default_rng(settings.seed)
    network, options = _network(settings, channels, seen.images, start)
    if start is not None:
        settings = replace(settings, network=start.card.network, network_options=options, shrink=shrink)
    if settings.patches.size % int(getattr(network, "stride", 1)):
        raise SettingsError(
            f"Patches of {settings.patches.size} px do not fit the network {settings.network!r}: "
            f"give a multiple of {network.stride}."
        )
    settings = _with_fill(settings, seen.images)
    check_augmentation(settings.augmentation, channels)
    sampler = SAMPLERS[settings.patches.name](seen.images, seen.synthetic, settings, rng)
    training = Training(network, sampler, settings, validation=seen.validation, device=device)
    data = {**given.told(start), **(told or {})}
    made = ModelCard(
        name=name,
        network=settings.network,
        options=options,
        in_channels=channels,
        normalisation=normalisation or (start.card.normalisation if start is not None else Normalisation("auto")),
        threshold=settings.threshold,
        pixel_size_um=pixel_size_um,
        shrink=shrink,
        receptive_radius=receptive_radius(network, channels),
        head=settings.head,
        training={**to_dict(settings), **learnt_from(data, start)},
        versions=library_versions(),
    )
    made = replace(made, **dict(card or {}))
    if checkpoint is not None and is_older((read_checkpoint(checkpoint) or {}).get("data")):
        data = {**seen.told(start, older_fingerprints), **(told or {})}
    resumed = restore_checkpoint(training, checkpoint, data) if checkpoint is not None else False
    done = len(training.history) if resumed else 0
    return Session(training, made, data, checkpoint, done, (*notes, *unsure), given.validation)


@dataclass(frozen=True)
class _Given:
    """The labelled images of a run."""

    images: Sequence[LabelledImage]
    validation: Sequence[LabelledImage]
    synthetic: Sequence[LabelledImage]

    def told_apart(self, head: str) -> tuple["_Given", list[str]]:
        """Return the images with the instances that a head learns from, and what is to be said of them."""
        parts, notes = [], []
        for part in (self.images, self.validation, self.synthetic):
            found, unsure = told_apart(part, head)
            parts.append(found)
            notes += unsure
        return _Given(*parts), notes[:1]

    def of_head(self, head: str) -> dict[str, Any]:
        """Return what tells this run from others that learn from other instances."""
        if HEADS[head].channels == 1:
            return {}
        return {"instances": instance_digests(self.images), "validation_instances": instance_digests(self.validation)}

    def as_seen(self, channels: int, shrink: int) -> "_Given":
        """Return the images as the network sees them."""
        seen = _Given(
            *(
                [shrunk_pair(with_channels(pair, channels), shrink) for pair in part]
                for part in (self.images, self.validation, self.synthetic)
            )
        )
        if shrink > 1 and not any(pair.mask.any() for pair in seen.images):
            raise SettingsError(
                f"No painted particle is left when the image is seen {shrink} times smaller (shrink = {shrink}). "
                "Paint larger particles, or train with a smaller shrink."
            )
        return seen

    def told(
        self, start: Model | None, prints: Callable[[Sequence[LabelledImage]], Any] = fingerprints
    ) -> dict[str, Any]:
        """Return what tells this run from others on other images, as plain JSON values."""
        return {
            "images": prints(self.images),
            "validation": prints(self.validation),
            "start": weights_digest(start.network) if start is not None else "",
        }


def _network(
    settings: TrainSettings, channels: int, images: Sequence[LabelledImage], start: Model | None
) -> tuple[Any, dict[str, Any]]:
    """Return a fresh network, or one with the weights of `start`, and the options it was built with."""
    outputs = HEADS[settings.head].channels
    if start is not None:
        options = dict(start.card.options)
        network: Any = NETWORKS[start.card.network].build(channels, outputs=outputs, pretrained=False, **options)
        network.load_state_dict(transplanted(network, start.network.state_dict()))
        return network, options
    options = {**settings.network_options, **({"standardise": True} if settings.standardise else {})}
    network = NETWORKS[settings.network].build(channels, outputs=outputs, **options)
    if settings.standardise:
        network.expect(*mean_and_deviation(images))
    return network, options


def learnt_from(data: Mapping[str, Any], start: Model | None) -> dict[str, Any]:
    """Return what the card tells of the images: those of this run, and those that the start had seen before.

    Parameters
    ----------
    data : mapping
        With the fingerprints of ``images`` and ``validation``.
    start : Model or None
    """
    images, validated = data["images"], data["validation"]
    if start is not None:
        before, name = seen_by_card(to_dict(start.card)), start.card.name
        images, validated = (
            inherited(images, before, LEARNT, name),
            inherited(validated, before, VALIDATED, name),
        )
    return {
        "data": images,
        "validated_on": validated,
        "started_from": start.card.name if start is not None else "",
        "started_from_sha256": start.card.weights_sha256 if start is not None else "",
    }


def _with_fill(settings: TrainSettings, images: Sequence[LabelledImage]) -> TrainSettings:
    """Let borders that augmentation leaves empty be filled with the data set's mean pixel (Lee and Jhang 2021)."""
    if fill_with(settings.augmentation, (0.0,)) == settings.augmentation:
        return settings  # nothing to fill, and so no need to read all images
    mean, _ = mean_and_deviation(images)
    return replace(settings, augmentation=fill_with(settings.augmentation, [255 * value for value in mean]))
