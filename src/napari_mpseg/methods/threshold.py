"""Global grey-level thresholds: one level for the whole image."""

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from napari_mpseg.errors import SettingsError
from napari_mpseg.images.checks import check_image
from napari_mpseg.images.image import Image
from napari_mpseg.inference.predictor import Prepared
from napari_mpseg.methods.grey import GreyScale, grey_histogram, grey_scale
from napari_mpseg.methods.grey_channels import CHANNELS, ChannelName, with_channel
from napari_mpseg.methods.options import Shown
from napari_mpseg.methods.thresholds.choice import (
    Choice,
    Particles,
    byte_limits,
    check_particles,
    choose_level,
    given_limits,
    own_limits,
)
from napari_mpseg.methods.thresholds.registry import THRESHOLD_RULES
from napari_mpseg.progress import CancelToken, ProgressCallback, silent


@dataclass(frozen=True)
class LevelPredictor:
    """Probability 1 where the grey value is a finite number between two limits, both included, else 0.

    Attributes
    ----------
    scale : GreyScale
        How a pixel becomes grey.
    lowest, highest : float
        The limits.
    as_bytes : bool
        Whether they are 8-bit grey values, instead of the image's own.
    """

    scale: GreyScale
    lowest: float
    highest: float
    as_bytes: bool = True
    halo: int = 0
    stride: int = 1
    exact: bool = True
    preferred_tile: int = 1024

    def predict(self, window: Any, margins: tuple[int, int, int, int] = (0, 0, 0, 0)) -> np.ndarray[Any, Any]:
        """Return 0 or 1 per pixel; see ``TilePredictor``."""
        top, bottom, left, right = margins
        pixels = np.asarray(window)[top : window.shape[0] - bottom, left : window.shape[1] - right]
        if self.as_bytes:
            grey, gaps = self.scale.apply_known(pixels)
        else:
            grey = self.scale.values(pixels)
            gaps = ~np.isfinite(grey)
        found = (grey >= self.lowest) & (grey <= self.highest)
        return (found if gaps is None else found & ~gaps).astype(np.float32)


@dataclass(frozen=True)
class LevelSettings:
    """What a global threshold looks at, and what of it is particle.

    Attributes
    ----------
    channel : str
        Name in :data:`~napari_mpseg.methods.grey_channels.CHANNELS`.
    particles : str
        ``"bright"``: brighter than the level. ``"dark"``: darker, or as bright.
    inverted : bool
        Whether the image is inverted first.
    as_bytes : bool
        Whether wider images are made 8-bit before they are compared with the level. ImageJ does that where a person
        does it first; its automatic thresholds set their limits in the image's own values.

    Raises
    ------
    SettingsError, UnknownNameError
        If the particles' look or the channel is unknown.
    """

    channel: str = "grey"
    particles: str = "bright"
    inverted: bool = False
    as_bytes: bool = False

    def __post_init__(self) -> None:
        CHANNELS[self.channel]
        check_particles(self.particles)


class ThresholdMethod:
    """A global threshold as a method.

    Parameters
    ----------
    name : str
        Registered name.
    settings : LevelSettings
        What is compared with the level.
    rule : str, optional
        Name in :data:`~napari_mpseg.methods.thresholds.THRESHOLD_RULES`.
    level : int
        The level, without a rule.
    """

    default_threshold = 0.5

    def __init__(self, name: str, settings: LevelSettings, *, rule: str = "", level: int = 0) -> None:
        self.name = name
        self.settings = settings
        self._rule = THRESHOLD_RULES[rule].name if rule else ""
        self._level = level

    def prepare(
        self, image: Image, *, on_progress: ProgressCallback = silent, cancel: CancelToken | None = None
    ) -> Prepared:
        """Take the image's histogram if a rule needs it; see ``Method.prepare``.

        Raises
        ------
        ImageError
            If the image has not the channels.
        """
        check_image(image)
        seen = with_channel(image, self.settings.channel)
        cancel, settings = cancel or CancelToken(), self.settings
        if not self._rule:
            scale = grey_scale(seen, on_progress, cancel, channel=settings.channel, inverted=settings.inverted)
            given = LevelPredictor(scale, *given_limits(self._level, settings.particles))
            return Prepared(seen, given, scale.notes)
        scale, counts = grey_histogram(seen, on_progress, cancel, channel=settings.channel, inverted=settings.inverted)
        choice = choose_level(self._rule, counts)
        as_bytes = settings.as_bytes or seen.dtype == np.uint8
        limits = (
            byte_limits(choice.level, settings.particles)
            if as_bytes
            else own_limits(choice.level, settings.particles, scale.low, scale.high)
        )
        predictor = LevelPredictor(scale, *limits, as_bytes)
        return Prepared(seen, predictor, (*_notes(self._rule, choice, predictor, settings), *scale.notes))

    def describe(self) -> dict[str, Any]:
        """Return all settings."""
        chosen = {"rule": self._rule} if self._rule else {"level": self._level}
        return {**chosen, "channel": self.settings.channel, "particles": self.settings.particles}


def automatic(
    rule: str = "max-entropy", channel: ChannelName = "grey", particles: Particles = "bright", device: str = "auto"
) -> ThresholdMethod:
    """Return one of ImageJ's automatic thresholds.

    Parameters
    ----------
    rule : str
        Which one.
    channel : str
        What of a colour image is looked at: the mean of its channels, as ImageJ's 8-bit; the same with the weights
        0.299, 0.587 and 0.114 of red, green and blue; one channel; or red less others, below 0 cut off.
    particles : str
        Bright: brighter than the level (ImageJ's dark background). Dark: darker, or as bright. The level is the same.
    device : str
        Not used.
    """
    return ThresholdMethod(rule, LevelSettings(channel, particles), rule=rule)


def fixed_level(
    level: Annotated[int, Shown("Grey level", "of 255", 0, 255)] = 106,
    channel: ChannelName = "grey",
    particles: Particles = "bright",
    device: str = "auto",
) -> ThresholdMethod:
    """Return a fixed threshold on the 8-bit grey image.

    The default, 106, is the level that fits best three of the four groups of expert-labelled Nile-red patches this
    package is tested on.

    Parameters
    ----------
    level : int
        0 to 255. Images of other than 8 bits are made 8-bit first, from their least to their greatest value.
    channel : str
        What of a colour image is looked at: the mean of its channels, as ImageJ's 8-bit; the same with the weights
        0.299, 0.587 and 0.114 of red, green and blue; one channel; or red less others, below 0 cut off.
    particles : str
        Bright: brighter than the level (ImageJ's dark background). Dark: darker, or as bright.
    device : str
        Not used.
    """
    if not 0 <= level <= 255:
        raise SettingsError(f"Grey level {level} is outside 0 to 255.")
    settings = LevelSettings(channel, particles, as_bytes=True)
    return ThresholdMethod("fixed-level", settings, level=level)


def _notes(rule: str, choice: Choice, predictor: LevelPredictor, settings: LevelSettings) -> tuple[str, ...]:
    """Return what was chosen, in words, and what is odd about it."""
    if choice.level is None:
        return choice.remarks
    scale = predictor.scale
    said = f"{rule} chose" if choice.found else "Taken is"
    said += f" grey level {choice.level} of 255"
    said += f" on {scale.in_words()}"
    bright = settings.particles == "bright"
    if predictor.as_bytes:
        said += f"; pixels {'above it' if bright else 'up to it'} are particle."
    else:
        limit = predictor.lowest if bright else predictor.highest
        said += (
            f", whose grey values reach from {scale.low:g} to {scale.high:g}; "
            f"pixels {'from' if bright else 'up to'} {limit:.6g} {'up ' if bright else ''}are particle."
        )
    return (*choice.remarks, said)
