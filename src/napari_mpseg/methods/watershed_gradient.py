"""Watershed on the gradient, from markers that are surely background and surely particle."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np

from napari_mpseg.errors import SettingsError
from napari_mpseg.images.checks import check_image
from napari_mpseg.images.image import Image
from napari_mpseg.images.region import read_region
from napari_mpseg.inference.grid import TileGrid
from napari_mpseg.inference.predictor import Prepared
from napari_mpseg.methods.drawn import DrawnPredictor, drawn_image
from napari_mpseg.methods.flooding import GRADIENTS, Box, FloodSettings, flooded_box
from napari_mpseg.methods.grey import GreyScale, grey_scale
from napari_mpseg.methods.grey_channels import CHANNELS, ChannelName, with_channel
from napari_mpseg.methods.options import Shown
from napari_mpseg.methods.settings_method import SettingsMethod
from napari_mpseg.methods.thresholds.choice import Particles, check_particles
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback, silent

Array = np.ndarray[Any, Any]
GradientName = Literal["sobel", "gaussian"]
_BLOCK = 2048
_POWER = 8  # so high that the noise of forty megapixels weighs less than the borders of a few particles


@dataclass(frozen=True)
class WatershedSettings:
    """How the markers are found, and what is flooded.

    Attributes
    ----------
    dark_level, bright_level : int
        Grey levels of 255: up to the one pixels are surely background, above the other surely particle; -1 to find
        them in the image.
    gradient : str
        Name in :data:`~napari_mpseg.methods.flooding.GRADIENTS`.
    sigma : float
        Standard deviation of the Gaussian gradient in pixels.
    channel : str
        Name in :data:`~napari_mpseg.methods.grey_channels.CHANNELS`.
    particles : str
        ``"bright"`` or ``"dark"``.

    Raises
    ------
    SettingsError, UnknownNameError
        If one of them is impossible.
    """

    dark_level: int = -1
    bright_level: int = -1
    gradient: str = "sobel"
    sigma: float = 1.0
    channel: str = "grey"
    particles: str = "bright"

    def __post_init__(self) -> None:
        GRADIENTS[self.gradient], CHANNELS[self.channel]
        check_particles(self.particles)
        for level in (self.dark_level, self.bright_level):
            if not -1 <= level <= 255:
                raise SettingsError(f"Grey level {level} is outside 0 to 255. Give -1 to have it found in the image.")
        if self.dark_level >= self.bright_level >= 0:
            raise SettingsError(
                f"The dark level {self.dark_level} must be lower than the bright level {self.bright_level}."
            )
        if not 0.3 <= self.sigma <= 50:
            raise SettingsError(f"A sigma of {self.sigma:g} pixels is impossible: give 0.3 to 50.")


class WatershedGradientMethod(SettingsMethod[WatershedSettings]):
    """Watershed on the gradient as a method.

    Parameters
    ----------
    settings : WatershedSettings
    """

    name = "watershed-gradient"

    def prepare(
        self, image: Image, *, on_progress: ProgressCallback = silent, cancel: CancelToken | None = None
    ) -> Prepared:
        """Find the levels of the markers in one pass, if they are not given; see ``Method.prepare``.

        Raises
        ------
        SettingsError
            If the one level that was given does not fit the one that was found.
        ImageError
            If the image has not the channels.
        """
        check_image(image)
        cancel, settings = cancel or CancelToken(), self.settings
        seen = with_channel(image, settings.channel)
        scale = grey_scale(seen, on_progress, cancel, channel=settings.channel)
        grey = _Grey(seen, scale, settings.particles == "dark")
        dark, bright = float(settings.dark_level), float(settings.bright_level)
        if min(dark, bright) < 0:
            found = marker_levels(_weighted_histogram(grey, settings, on_progress, cancel))
            dark, bright = (dark if dark >= 0 else found[0]), (bright if bright >= 0 else found[1])
        if dark > bright:
            raise SettingsError(
                f"The dark level {dark:.0f} is not lower than the bright level {bright:.0f}, of which one was found in "
                "the image. Give both."
            )
        flood = FloodSettings(dark, bright, settings.gradient, settings.sigma)

        def draw(box: Box) -> Array:
            return flooded_box(grey.read, image.shape, box, flood)

        note = f"Up to grey level {dark:.0f} of 255 pixels are surely background, above {bright:.0f} surely particle."
        return Prepared(drawn_image(image, draw), DrawnPredictor(), (note, *scale.notes))


def watershed_gradient(
    dark_level: Annotated[int, Shown("Background up to", "of 255", 0, 255, 1, "found in the image")] = -1,
    bright_level: Annotated[int, Shown("Particle above", "of 255", 0, 255, 1, "found in the image")] = -1,
    gradient: GradientName = "sobel",
    sigma: Annotated[float, Shown("Gaussian's sigma", "px", 0.3, 50, 0.1)] = 1.0,
    channel: ChannelName = "grey",
    particles: Particles = "bright",
    device: str = "auto",
) -> WatershedGradientMethod:
    """Return the watershed on the gradient.

    Parameters
    ----------
    dark_level : int
        Up to this grey level of 255 a pixel is surely background. -1 finds it in the image: the mean of the darker side
        of all strong borders.
    bright_level : int
        Above this grey level of 255 a pixel is surely particle. -1 finds it in the image: the mean of the brighter side
        of all strong borders. Lower finds fainter particles.
    gradient : str
        How the change from pixel to pixel is taken: over the next neighbours (sobel), or smoothed (gaussian).
    sigma : float
        Standard deviation of the Gaussian gradient in pixels.
    channel : str
        What of a colour image is looked at: the mean of its channels; the same with the weights 0.299, 0.587 and 0.114
        of red, green and blue; one channel; or red less others, below 0 cut off.
    particles : str
        Bright: brighter than their surroundings. Dark: darker; both levels are then those of the
        negative.
    device : str
        Not used.

    Raises
    ------
    SettingsError, UnknownNameError
        If a setting is impossible.

    References
    ----------
    Meyer 1994, doi:10.1016/0165-1684(94)90060-4 (flooding); Weszka and Rosenfeld 1979, doi:10.1109/TSMC.1979.4310072
    (histograms weighted by the gradient); Otsu 1979, doi:10.1109/TSMC.1979.4310076.
    """
    return WatershedGradientMethod(WatershedSettings(dark_level, bright_level, gradient, sigma, channel, particles))


def marker_levels(histogram: Array) -> tuple[float, float]:
    """Return the levels of what is surely background and surely particle.

    Otsu's level parts the histogram of the borders; the levels are the means of both sides.

    Parameters
    ----------
    histogram : ndarray
        ``(256,)`` weights of the grey levels.

    Returns
    -------
    tuple of float
        Both 255 if there are no borders, or all of one grey level: nothing is particle then.
    """
    if np.count_nonzero(histogram) < 2:
        return 255.0, 255.0
    weights = histogram / histogram.sum()
    grey = np.arange(256)
    below, moment = np.cumsum(weights), np.cumsum(weights * grey)
    above = 1 - below
    sides = (below > 0) & (above > 1e-12)
    with np.errstate(divide="ignore", invalid="ignore"):
        dark, bright = moment / below, (moment[-1] - moment) / above
        apart = np.where(sides, below * above * (bright - dark) ** 2, -1)
    level = int(np.argmax(apart))
    return float(dark[level]), float(bright[level])


class _Grey:
    """Grey levels of an image, particles bright, read in parts. What is no number is 0, surely background."""

    def __init__(self, image: Image, scale: GreyScale, inverted: bool) -> None:
        self.image, self._scale, self._inverted = image, scale, inverted

    def read(self, box: Box) -> Array:
        return self.read_known(box)[0]

    def read_known(self, box: Box) -> tuple[Array, Array | None]:
        """Return the grey levels, and where the image is no number: None for nowhere."""
        grey, gaps = self._scale.apply_known(read_region(self.image, *box))
        grey = 255 - grey if self._inverted else grey
        return (grey, None) if gaps is None else (np.where(gaps, np.uint8(0), grey), gaps)


def _weighted_histogram(
    grey: _Grey, settings: WatershedSettings, on_progress: ProgressCallback, cancel: CancelToken
) -> Array:
    """Return the 256-bin histogram in which a pixel counts the more the steeper its place is.

    The borders of what is no number are none of particles: pixels whose gradient they reach do not count.
    """
    from scipy.ndimage import maximum_filter

    kind = GRADIENTS[settings.gradient]
    histogram = np.zeros(256)
    reach = kind.reach(settings.sigma)
    grid = TileGrid(grey.image.shape, _BLOCK, reach, 1)
    for done, tile in enumerate(grid, 1):
        cancel.check()
        pixels, gaps = grey.read_known(tile.window)
        top, bottom, left, right = tile.margins
        inner = (slice(top, pixels.shape[0] - bottom), slice(left, pixels.shape[1] - right))
        steep = kind.of(pixels, settings.sigma)[inner] / 255
        if gaps is not None:
            steep[maximum_filter(gaps, 2 * reach + 1)[inner]] = 0
        histogram += np.bincount(pixels[inner].ravel(), weights=steep.ravel() ** _POWER, minlength=256)
        on_progress(Progress("Reading the borders", done, len(grid), "blocks"))
    return histogram
