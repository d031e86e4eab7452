"""Round spots, each drawn as a disc."""

import threading
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

import numpy as np

from napari_mpseg.errors import SettingsError
from napari_mpseg.images.checks import check_image
from napari_mpseg.images.image import Image
from napari_mpseg.images.region import read_region
from napari_mpseg.inference.grid import Tile, TileGrid
from napari_mpseg.inference.predictor import Prepared
from napari_mpseg.inference.schedulers.each import for_each
from napari_mpseg.methods.drawn import Box, DrawnPredictor, PixelSet, drawn_image
from napari_mpseg.methods.grey import GreyScale, grey_scale, median_grey
from napari_mpseg.methods.grey_channels import CHANNELS, ChannelName, with_channel
from napari_mpseg.methods.options import Shown
from napari_mpseg.methods.scale_space import disc_pixels, find_spots, reach, scales, without_overlap
from napari_mpseg.methods.settings_method import SettingsMethod
from napari_mpseg.methods.thresholds.choice import Particles, check_particles
from napari_mpseg.progress import CancelToken, ProgressCallback, silent

Array = np.ndarray[Any, Any]
Reference = Literal["range", "strongest"]
_TILE = 1024


@dataclass(frozen=True)
class BlobSettings:
    """Which spots are found.

    Attributes
    ----------
    sigma_min, sigma_max : float
        Smallest and largest standard deviation of the Laplacian of Gaussian, in pixels; a disc has sqrt(2) of it as
        radius.
    scales : int
        How many there are between, ends included.
    threshold : float
        Least contrast, 0 to 1.
    relative_to : str
        Of what: ``"range"`` of the 255 grey levels, ``"strongest"`` of the strongest spot on the image.
    overlap : float
        Largest share of a disc that may lie in a stronger one.
    channel : str
        Name in :data:`~napari_mpseg.methods.grey_channels.CHANNELS`.
    particles : str
        ``"bright"`` or ``"dark"``.

    Raises
    ------
    SettingsError, UnknownNameError
        If one of them is impossible.
    """

    sigma_min: float = 0.9
    sigma_max: float = 5.0
    scales: int = 10
    threshold: float = 0.2
    relative_to: str = "range"
    overlap: float = 0.5
    channel: str = "grey"
    particles: str = "bright"

    def __post_init__(self) -> None:
        CHANNELS[self.channel]
        check_particles(self.particles)
        if not 0.5 <= self.sigma_min <= self.sigma_max <= 200:
            raise SettingsError(
                f"Spots from sigma {self.sigma_min:g} to {self.sigma_max:g} are impossible: "
                "give 0.5 or more, and not more for the smallest than for the largest (at most 200)."
            )
        if not 1 <= self.scales <= 100:
            raise SettingsError(f"{self.scales} scales are impossible: give 1 to 100.")
        for name in ("threshold", "overlap"):
            if not 0 <= getattr(self, name) <= 1:
                raise SettingsError(f"The {name} {getattr(self, name):g} is impossible: give a share from 0 to 1.")
        if self.relative_to not in get_args(Reference):
            raise SettingsError(f"A threshold relative to {self.relative_to!r} is unknown: choose range or strongest.")


class BlobMethod(SettingsMethod[BlobSettings]):
    """Spots as a method.

    Parameters
    ----------
    settings : BlobSettings
    """

    name = "blob-log"

    def prepare(
        self, image: Image, *, on_progress: ProgressCallback = silent, cancel: CancelToken | None = None
    ) -> Prepared:
        """Find all spots, tile by tile; see ``Method.prepare``.

        Raises
        ------
        ImageError
            If the image has not the channels.
        """
        check_image(image)
        cancel = cancel or CancelToken()
        grey = self._grey(image, on_progress, cancel)
        spots = self._found(grey, on_progress, cancel)
        discs = PixelSet(disc_pixels(y, x, radius, image.shape) for y, x, radius, _ in spots)
        count = len(spots)
        note = f"{count} spot{'' if count == 1 else 's'} found; discs that touch become one particle."

        def draw(box: Box) -> Array:
            gaps = grey.read(box)[1] if grey.scale.gaps else None
            return discs.draw(box) if gaps is None else discs.draw(box) * ~gaps

        return Prepared(drawn_image(image, draw), DrawnPredictor(), (note, *grey.scale.notes))

    def find(self, image: Image, *, on_progress: ProgressCallback = silent, cancel: CancelToken) -> Array:
        """Return the spots of an image.

        Returns
        -------
        ndarray of float
            ``(N, 4)``: row, column and radius in pixels, and the contrast, in grey levels, of an ideal disc that would
            answer as strongly.
        """
        return self._found(self._grey(image, on_progress, cancel), on_progress, cancel)

    def _grey(self, image: Image, on_progress: ProgressCallback, cancel: CancelToken) -> "_Grey":
        seen = with_channel(image, self.settings.channel)
        scale = grey_scale(seen, on_progress, cancel, channel=self.settings.channel)
        ground = median_grey(seen, scale, on_progress, cancel) if scale.gaps else 0
        return _Grey(seen, scale, ground, self.settings.particles == "dark")

    def _found(self, grey: "_Grey", on_progress: ProgressCallback, cancel: CancelToken) -> Array:
        settings = self.settings
        spots = _Spots(settings)
        grid = TileGrid(grey.image.shape, _TILE, reach(settings.sigma_max), 1)

        def look(tile: Tile) -> None:
            spots.add(_spots_of_tile(grey, tile, settings, spots.least))

        for_each(look, grid, stage="Finding spots", on_progress=on_progress, cancel=cancel)
        return without_overlap(spots.all(), settings.overlap)


class _Spots:
    """The spots found so far, without those that are too weak, from several threads."""

    def __init__(self, settings: BlobSettings) -> None:
        self._share = settings.threshold
        self._by_strongest = settings.relative_to == "strongest"
        self._strongest = 0.0 if self._by_strongest else 255.0
        self._parts: list[Array] = []
        self._lock = threading.Lock()

    @property
    def least(self) -> float:
        """The contrast below which no spot counts, as far as is known."""
        return max(self._share * self._strongest, 1e-6)

    def add(self, spots: Array) -> None:
        with self._lock:
            if self._by_strongest and len(spots) and spots[:, 3].max() > self._strongest:
                self._strongest = float(spots[:, 3].max())
                self._parts = [part[part[:, 3] > self.least] for part in self._parts]
            self._parts.append(spots[spots[:, 3] > self.least])

    def all(self) -> Array:
        return np.concatenate([np.zeros((0, 4)), *self._parts])


@dataclass(frozen=True)
class _Grey:
    """Grey levels of an image, spots bright, read in parts. What is no number looks like the ground."""

    image: Image
    scale: GreyScale
    ground: int
    inverted: bool

    def read(self, box: Box) -> tuple[Array, Array | None]:
        """Return the grey levels, and where the image is no number: None for nowhere."""
        grey, gaps = self.scale.apply_known(read_region(self.image, *box))
        grey = grey if gaps is None else np.where(gaps, np.uint8(self.ground), grey)
        return 255 - grey if self.inverted else grey, gaps


def _spots_of_tile(image: _Grey, tile: Tile, settings: BlobSettings, least: float) -> Array:
    wy0, _, wx0, _ = tile.window
    y0, y1, x0, x1 = tile.core
    grey, gaps = image.read(tile.window)
    inner = (slice(y0 - wy0, y1 - wy0), slice(x0 - wx0, x1 - wx0))
    sigmas = scales(settings.sigma_min, settings.sigma_max, settings.scales)
    spots = find_spots(grey, sigmas, inner, least, (wy0, wx0))
    if gaps is None:
        return spots
    y, x = (np.clip(np.rint(spots[:, axis]).astype(int) - (wy0, wx0)[axis], 0, gaps.shape[axis] - 1) for axis in (0, 1))
    kept: Array = spots[~gaps[y, x]]
    return kept


def blob_log(
    sigma_min: Annotated[float, Shown("Smallest sigma", "px", 0.5, 200, 0.1)] = 0.9,
    sigma_max: Annotated[float, Shown("Largest sigma", "px", 0.5, 200, 0.5)] = 5.0,
    scales: Annotated[int, Shown("Number of sizes", "", 1, 100)] = 10,
    threshold: Annotated[float, Shown("Least contrast", "", 0, 1, 0.01)] = 0.2,
    relative_to: Annotated[Reference, Shown("Contrast of")] = "range",
    overlap: Annotated[float, Shown("Largest overlap", "", 0, 1, 0.05)] = 0.5,
    channel: ChannelName = "grey",
    particles: Particles = "bright",
    device: str = "auto",
) -> BlobMethod:
    """Return the search for round spots by the Laplacian of Gaussian.

    Parameters
    ----------
    sigma_min : float
        Standard deviation of the smallest spots in pixels; a disc's is its radius / 1.41. Smaller spots are found too,
        down to one pixel, and their size is told from the two smallest scales.
    sigma_max : float
        Standard deviation of the largest spots in pixels.
    scales : int
        How many sizes are tried from the smallest to the largest.
    threshold : float
        Least contrast of a spot as a share, 0 to 1. More finds less.
    relative_to : str
        What the threshold is a share of: the whole range of 255 grey levels, or the strongest spot on the image.
    overlap : float
        A disc of which a larger share than this lies in a stronger one is dropped, or takes the place of that one.
    channel : str
        What of a colour image is looked at: the mean of its channels; the same with the weights 0.299, 0.587 and 0.114
        of red, green and blue; one channel; or red less others, below 0 cut off.
    particles : str
        Bright: spots are brighter than their surroundings. Dark: they are darker.
    device : str
        Not used.

    Raises
    ------
    SettingsError, UnknownNameError
        If a setting is impossible.

    References
    ----------
    Lindeberg 1998, doi:10.1023/A:1008045108935.
    """
    return BlobMethod(BlobSettings(sigma_min, sigma_max, scales, threshold, relative_to, overlap, channel, particles))
