"""Thresholds with a level of its own for every pixel, taken from its neighbourhood."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np

from napari_mpseg.errors import SettingsError
from napari_mpseg.images.checks import check_image
from napari_mpseg.images.image import Image
from napari_mpseg.inference.predictor import Prepared
from napari_mpseg.methods.grey import GreyScale, grey_scale
from napari_mpseg.methods.grey_channels import CHANNELS, ChannelName, with_channel
from napari_mpseg.methods.options import Shown
from napari_mpseg.methods.settings_method import SettingsMethod
from napari_mpseg.methods.thresholds.choice import Particles, check_particles
from napari_mpseg.progress import CancelToken, ProgressCallback, silent
from napari_mpseg.registry import Registry

Array = np.ndarray[Any, Any]
LocalRuleName = Literal["sauvola", "niblack", "mean", "gaussian", "median"]
LARGEST_WINDOW = 1001


@dataclass(frozen=True)
class LocalRule:
    """One way to find the level of a pixel.

    Attributes
    ----------
    level : callable
        Takes uint8 ``(Y, X)`` with particles darker than the background, where the image is no number (bool
        ``(Y, X)``, or None for nowhere), the window's side and `k`; returns the levels, float64 ``(Y, X)``. What is no
        number takes no part in any level, and has none itself. Beyond the edges the image counts as mirrored.
    k, offset : float
        Its own `k` and `offset`, found on Nile-red patches.
    reach : callable
        Takes the window's side; how far from a pixel, in pixels, others can change its level.
    """

    level: Callable[[Array, Array | None, int, float], Array]
    k: float
    offset: float
    reach: Callable[[int], int] = lambda window: window // 2 + 1  # half, and one for sums that begin before it


LOCAL_RULES: Registry[LocalRule] = Registry("rule for a local threshold")


@dataclass(frozen=True)
class LocalSettings:
    """A local threshold.

    Attributes
    ----------
    rule : str
        Name in :data:`LOCAL_RULES`.
    window : int
        Side of the neighbourhood in pixels, odd.
    k : float
        How much the spread of the neighbourhood's grey values counts.
    offset : float
        Grey levels of 255 that a pixel must lie beyond its level.
    channel : str
        Name in :data:`~napari_mpseg.methods.grey_channels.CHANNELS`.
    particles : str
        ``"bright"`` or ``"dark"``.

    Raises
    ------
    SettingsError, UnknownNameError
        If one of them is impossible.
    """

    rule: str
    window: int
    k: float
    offset: float
    channel: str = "grey"
    particles: str = "bright"

    def __post_init__(self) -> None:
        LOCAL_RULES[self.rule], CHANNELS[self.channel]
        check_particles(self.particles)
        if not 3 <= self.window <= LARGEST_WINDOW or self.window % 2 == 0:
            raise SettingsError(
                f"A window of {self.window} pixels is impossible: give an odd number from 3 to {LARGEST_WINDOW}, "
                "about twice the largest particle's width."
            )
        if not 0 <= self.k <= 100:
            raise SettingsError(f"k = {self.k:g} is impossible: give 0 to 100, or -1 for the rule's own.")
        if not 0 <= self.offset <= 255:
            raise SettingsError(
                f"An offset of {self.offset:g} is impossible: give 0 to 255 grey levels, or -1 for the rule's own."
            )


@dataclass(frozen=True)
class LocalPredictor:
    """Probability 1 where a pixel lies beyond the level of its neighbourhood, else 0."""

    scale: GreyScale
    settings: LocalSettings
    stride: int = 1
    exact: bool = True
    preferred_tile: int = 1024

    @property
    def halo(self) -> int:
        """How far from a pixel others can change its level."""
        return LOCAL_RULES[self.settings.rule].reach(self.settings.window)

    def predict(self, window: Any, margins: tuple[int, int, int, int] = (0, 0, 0, 0)) -> Array:
        """Return 0 or 1 per pixel; see ``TilePredictor``."""
        settings = self.settings
        grey, gaps = self.scale.apply_known(np.asarray(window))
        # the rules were made for dark writing on light paper
        dark = grey if settings.particles == "dark" else 255 - grey
        level = LOCAL_RULES[settings.rule].level(dark, gaps, settings.window, settings.k) - settings.offset
        top, bottom, left, right = margins
        inner = (slice(top, dark.shape[0] - bottom), slice(left, dark.shape[1] - right))
        found = dark[inner] < level[inner]
        return (found if gaps is None else found & ~gaps[inner]).astype(np.float32)


class LocalThresholdMethod(SettingsMethod[LocalSettings]):
    """A local threshold as a method.

    Parameters
    ----------
    settings : LocalSettings
    """

    name = "local-threshold"

    def prepare(
        self, image: Image, *, on_progress: ProgressCallback = silent, cancel: CancelToken | None = None
    ) -> Prepared:
        """Read the image's range unless it is uint8; see ``Method.prepare``.

        Raises
        ------
        ImageError
            If the image has not the channels.
        """
        check_image(image)
        seen = with_channel(image, self.settings.channel)
        scale = grey_scale(seen, on_progress, cancel or CancelToken(), channel=self.settings.channel)
        return Prepared(seen, LocalPredictor(scale, self.settings), scale.notes)


def local_threshold(
    rule: LocalRuleName = "sauvola",
    window: Annotated[int, Shown("Neighbourhood", "px", 3, LARGEST_WINDOW, 2)] = 51,
    k: Annotated[float, Shown("Factor k", "", 0, 100, 0.05, "the rule's own")] = -1.0,
    offset: Annotated[float, Shown("Offset", "of 255", 0, 255, 1, "the rule's own")] = -1.0,
    channel: ChannelName = "grey",
    particles: Particles = "bright",
    device: str = "auto",
) -> LocalThresholdMethod:
    """Return a local threshold.

    Parameters
    ----------
    rule : str
        Where the level lies: Sauvola, closer to the mean of the neighbourhood the more its grey values spread, so that
        plain background stays empty; Niblack, k standard deviations beyond the mean; or the mean, the Gaussian mean or
        the median alone.
    window : int
        Side of the neighbourhood in pixels, an odd number; about twice the largest particle's width.
    k : float
        For Sauvola how far from the mean the level lies on plain background, as a share of the brightness; for Niblack
        how many standard deviations. More finds less. -1 takes the rule's own (Sauvola 0.35, Niblack 0.2).
    offset : float
        Grey levels of 255 that a pixel must lie beyond the level. More finds less. -1 takes the rule's own (Sauvola 0,
        Niblack and Gaussian 60, mean and median 70).
    channel : str
        What of a colour image is looked at: the mean of its channels; the same with the weights 0.299, 0.587 and 0.114
        of red, green and blue; one channel; or red less others, below 0 cut off.
    particles : str
        Bright: brighter than their surroundings. Dark: darker.
    device : str
        Not used.

    Raises
    ------
    SettingsError, UnknownNameError
        If a setting is impossible.

    References
    ----------
    Sauvola and Pietikainen 2000, doi:10.1016/S0031-3203(99)00055-2. Niblack 1986, An Introduction to Digital Image
    Processing, Prentice-Hall.
    """
    own = LOCAL_RULES[rule]
    k, offset = (own.k if k == -1 else k), (own.offset if offset == -1 else offset)
    return LocalThresholdMethod(LocalSettings(rule, window, k, offset, channel, particles))


def _sauvola(dark: Array, gaps: Array | None, window: int, k: float) -> Array:
    from skimage.filters import threshold_sauvola

    if gaps is not None:
        mean, spread = _mean_and_spread(dark, gaps, window)
        return mean * (1 + k * ((spread / 127.5) - 1))
    level: Array = threshold_sauvola(dark, window, k)
    return level


def _niblack(dark: Array, gaps: Array | None, window: int, k: float) -> Array:
    from skimage.filters import threshold_niblack

    if gaps is not None:
        mean, spread = _mean_and_spread(dark, gaps, window)
        return mean - k * spread
    level: Array = threshold_niblack(dark, window, k)
    return level


def _mean(dark: Array, gaps: Array | None, window: int, k: float) -> Array:
    """Return the mean as ``threshold_local`` does, from sums of whole numbers.

    A running mean of real numbers would round differently in every tile, and on plain ground the comparison with the
    pixel hangs on that.
    """
    if gaps is None:
        return _sums(dark, window) / window**2
    return _sums(np.where(gaps, 0, dark), window) / np.maximum(_sums(~gaps, window), 1)


def _gaussian(dark: Array, gaps: Array | None, window: int, k: float) -> Array:
    from skimage.filters import threshold_local

    if gaps is not None:
        # the weight of what is missing is 0, and not nearly 0, where nothing is: tiles without gaps give the same there
        there = 1 - threshold_local(gaps.astype(np.float64), window, "gaussian")
        known: Array = threshold_local(np.where(gaps, np.uint8(0), dark), window, "gaussian")
        return known / np.where(gaps, 1, there)
    level: Array = threshold_local(dark, window, "gaussian")
    return level


def _gaussian_reach(window: int) -> int:
    """Return where scikit-image cuts the Gaussian: at four standard deviations of a sixth of the window, rounded."""
    return int(4 * (window - 1) / 6 + 0.5)


def _median(dark: Array, gaps: Array | None, window: int, k: float) -> Array:
    """Return the median as ``threshold_local`` does, from a histogram that moves along: much quicker for bytes."""
    from skimage.filters.rank import median

    half = window // 2
    padded = np.pad(dark, half, mode="symmetric")
    there = None if gaps is None else np.pad(~gaps, half, mode="symmetric").astype(np.uint8)
    inner = (slice(half, half + dark.shape[0]), slice(half, half + dark.shape[1]))
    level: Array = median(padded, np.ones((window, window), np.uint8), mask=there)[inner].astype(np.float64)
    return level


def _mean_and_spread(dark: Array, gaps: Array, window: int) -> tuple[Array, Array]:
    """Return mean and standard deviation of what is known, as scikit-image takes them of everything."""
    known = np.where(gaps, 0, dark).astype(np.int64)
    count = np.maximum(_sums(~gaps, window, "reflect"), 1)
    mean, square = (_sums(values, window, "reflect") / count for values in (known, known**2))
    return mean, np.sqrt(np.clip(square - mean * mean, 0, None))


def _sums(values: Array, window: int, beyond: Literal["symmetric", "reflect"] = "symmetric") -> Array:
    """Return the sums over the windows around all pixels, int64; the edges are mirrored with or without themselves."""
    padded = np.pad(values, window // 2, mode=beyond)
    sums = np.pad(padded.cumsum(0, dtype=np.int64).cumsum(1), ((1, 0), (1, 0)))
    total: Array = sums[window:, window:] - sums[:-window, window:] - sums[window:, :-window] + sums[:-window, :-window]
    return total


LOCAL_RULES.add("sauvola", LocalRule(_sauvola, 0.35, 0))
LOCAL_RULES.add("niblack", LocalRule(_niblack, 0.2, 60))
LOCAL_RULES.add("mean", LocalRule(_mean, 0, 70))
LOCAL_RULES.add("gaussian", LocalRule(_gaussian, 0, 60, _gaussian_reach))
LOCAL_RULES.add("median", LocalRule(_median, 0, 70))
