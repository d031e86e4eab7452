"""Settings of a training run: one frozen dataclass per concern, all of them plain JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from napari_mpseg.errors import SettingsError
from napari_mpseg.heads.registry import HEADS

KEEP_RULES = ("average", "last", "best-loss", "best-iou")
PRECISIONS = ("auto", "fp32", "bf16")
UNITS = ("steps", "epochs")


@dataclass(frozen=True)
class OptimiserSettings:
    """How weights are changed.

    Attributes
    ----------
    name : str
        In the registry of optimisers: ``"sgd"``, ``"adam"``, ``"adamw"``.
    learning_rate : float
        The largest of the schedule.
    momentum : float
        Of SGD.
    betas : tuple of float
        Of Adam and AdamW.
    epsilon : float
        Of Adam and AdamW.
    weight_decay : float
    clip_norm : float
        Longer gradients are shortened to this length; 0 leaves them.
    clip_value : float
        Larger entries of gradients are cut to this value; 0 leaves them.
    """

    name: str = "adamw"
    learning_rate: float = 1e-3
    momentum: float = 0.9
    betas: tuple[float, float] = (0.9, 0.999)
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    clip_norm: float = 0.0
    clip_value: float = 0.0

    def __post_init__(self) -> None:
        if self.learning_rate <= 0:
            raise SettingsError(f"learning_rate = {self.learning_rate} is impossible: give a positive number.")
        for name in ("weight_decay", "clip_norm", "clip_value"):
            if getattr(self, name) < 0:
                raise SettingsError(f"{name} = {getattr(self, name)} is impossible: give 0 or more.")


@dataclass(frozen=True)
class ScheduleSettings:
    """How the learning rate changes.

    Attributes
    ----------
    name : str
        In the registry of schedules: ``"constant"``, ``"one-cycle"``, ``"stairs"`` (times `factor` every `every`
        `unit`), ``"drop"`` (times `factor` once, after `every` `unit`).
    factor : float
    every : int
    unit : str
        ``"steps"`` or ``"epochs"``.
    """

    name: str = "constant"
    factor: float = 1.0
    every: int = 1
    unit: str = "steps"

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise SettingsError(f"unit = {self.unit!r} is unknown: give one of {', '.join(UNITS)}.")
        if self.every < 1:
            raise SettingsError(f"every = {self.every} is impossible: give at least 1.")


@dataclass(frozen=True)
class PatchSettings:
    """Which parts of the images the network sees.

    Attributes
    ----------
    name : str
        In the registry of samplers: ``"around-particles"`` (random crops, most of them around a particle) or
        ``"sliding"`` (every patch of a sliding window that holds a particle, and a share of others).
    size : int
        Side in pixels, a multiple of the network's stride.
    step : int
        Of the sliding window, in pixels.
    least_foreground : int
        Pixels of particle that a sliding patch must hold to be kept.
    background_share : float
        Patches without particle, as a share of those with one (floor), at random places.
    most : int
        At most so many patches of the sliding window, with particle or without, drawn at random; 0 takes all (Baek et
        al. 2021 took 20,000 from each of their datasets).
    per_epoch : int
        Random crops per epoch.
    particle_share : float
        Share of random crops that are laid around a particle; the rest lie anywhere.
    synthetic_share : float
        Share of random crops from synthetic images, where there are any.
    """

    name: str = "around-particles"
    size: int = 96
    step: int = 30
    least_foreground: int = 1
    background_share: float = 0.05
    most: int = 0
    per_epoch: int = 160
    particle_share: float = 0.75
    synthetic_share: float = 0.0

    def __post_init__(self) -> None:
        for name in ("size", "step", "per_epoch"):
            _at_least_one(self, name)
        for name in ("particle_share", "synthetic_share"):
            _share(self, name)
        if min(self.background_share, self.least_foreground, self.most) < 0:
            raise SettingsError("background_share, least_foreground and most must be 0 or more.")


@dataclass(frozen=True)
class Augmentation:
    """One random change of a training patch.

    Attributes
    ----------
    name : str
        In the registry of augmentations.
    options : mapping
        Its arguments.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TrainSettings:
    """How a network is trained.

    Attributes
    ----------
    network : str
        Name in the registry of networks.
    network_options : mapping
        Arguments of its factory: dropout, encoder, weights.
    loss : str
        Name in the registry of losses.
    loss_options : mapping
        Its arguments.
    optimiser : OptimiserSettings
    schedule : ScheduleSettings
    batch : int
        Patches per step.
    epochs : int
        Rounds over the patches. After each the network is validated and the run can be resumed from there.
    patches : PatchSettings
    augmentation : tuple of Augmentation
        Applied one after the other.
    head : str
        What the network answers for each pixel: a name in :data:`napari_mpseg.heads.registry.HEADS`; ``"mask"`` is the
        particle's probability alone, others tell touching particles apart and learn from instances.
    shrink : int
        Pixels of a side that are averaged into one before the network sees them: for particles much larger than its
        field, and many times faster.
    standardise : bool
        Bring the inputs to mean 0 and standard deviation 1 of the training images.
    keep : str
        Which weights are kept: ``"average"`` (exponential moving average), ``"last"``, or those of the epoch of lowest
        validation loss (``"best-loss"``) or highest validation IoU (``"best-iou"``).
    average : float
        Decay of the moving average.
    validation : float
        Share of the labelled images, or of what was painted, that is kept aside for validation; 0 for none.
    validation_windows : int
        At most so many windows of 256 px, spread evenly, are validated after an epoch; 0 for all.
    patience : int
        Stop after so many epochs without a better validation loss; 0 never stops early.
    precision : str
        ``"auto"`` takes bfloat16 where the device computes it fast, ``"fp32"``, ``"bf16"``.
    threshold : float
        Operating point that is written into the model card.
    operating_point : str
        Choose the operating point on the validation images instead, by this aim: ``"best-f1"``,
        ``"recall-at-least:0.95"``, ``"count-bias-zero"`` and others of
        :data:`~napari_mpseg.evaluation.operating_points.AIMS`. Empty takes `threshold`.
    seed : int
        The same seed on the same machine gives the same weights.
    """

    network: str = "half-multiresunet"
    network_options: Mapping[str, Any] = field(default_factory=dict)
    loss: str = "bce+dice-batch"
    loss_options: Mapping[str, Any] = field(default_factory=dict)
    optimiser: OptimiserSettings = field(default_factory=OptimiserSettings)
    schedule: ScheduleSettings = field(default_factory=ScheduleSettings)
    batch: int = 8
    epochs: int = 20
    patches: PatchSettings = field(default_factory=PatchSettings)
    augmentation: tuple[Augmentation, ...] = ()
    head: str = "mask"
    shrink: int = 1
    standardise: bool = False
    keep: str = "last"
    average: float = 0.995
    validation: float = 0.0
    validation_windows: int = 0
    patience: int = 0
    precision: str = "auto"
    threshold: float = 0.5
    operating_point: str = ""
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("batch", "epochs", "shrink"):
            _at_least_one(self, name)
        for name in ("average", "threshold"):
            _share(self, name)
        if not 0 <= self.validation < 1:
            raise SettingsError(f"validation = {self.validation} is impossible: give a share from 0 to below 1.")
        if self.keep not in KEEP_RULES:
            raise SettingsError(f"keep = {self.keep!r} is unknown: give one of {', '.join(KEEP_RULES)}.")
        HEADS[self.head]  # refuses what is none
        if self.precision not in PRECISIONS:
            raise SettingsError(f"precision = {self.precision!r} is unknown: give one of {', '.join(PRECISIONS)}.")
        if (self.keep.startswith("best") or self.patience) and not self.validation:
            raise SettingsError("Keeping the best epoch, or stopping early, needs a validation share above 0.")
        if self.operating_point and not self.validation:
            raise SettingsError(
                f"operating_point = {self.operating_point!r} chooses the threshold on validation images: give a "
                "validation share above 0."
            )


def _at_least_one(settings: Any, name: str) -> None:
    if getattr(settings, name) < 1:
        raise SettingsError(f"{name} = {getattr(settings, name)} is impossible: give at least 1.")


def _share(settings: Any, name: str) -> None:
    if not 0 <= getattr(settings, name) <= 1:
        raise SettingsError(f"{name} = {getattr(settings, name)} is impossible: give a share from 0 to 1.")
