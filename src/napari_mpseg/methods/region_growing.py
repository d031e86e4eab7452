"""Region growing from points that a person set."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np

from napari_mpseg.errors import SettingsError
from napari_mpseg.images.checks import check_image
from napari_mpseg.images.image import Image
from napari_mpseg.images.region import read_region
from napari_mpseg.inference.predictor import Prepared
from napari_mpseg.methods.drawn import DrawnPredictor, PixelSet, drawn_image
from napari_mpseg.methods.grey import grey_scale
from napari_mpseg.methods.grey_channels import CHANNELS, ChannelName, with_channel
from napari_mpseg.methods.growing import GROWTH_RULES, NO_GREY, Box, GrowthLimits, grow
from napari_mpseg.methods.options import Shown
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback, silent
from napari_mpseg.settings import to_dict

Array = np.ndarray[Any, Any]
GrowthRuleName = Literal["seed", "mean"]


@dataclass(frozen=True)
class GrowingSettings:
    """How regions grow.

    Attributes
    ----------
    rule : str
        Name in :data:`~napari_mpseg.methods.growing.GROWTH_RULES`.
    tolerance : float
        Grey levels of 255.
    connectivity : int
        2 for 8 neighbours, 1 for 4.
    max_size : int
        Larger regions are left out, in pixels.
    channel : str
        Name in :data:`~napari_mpseg.methods.grey_channels.CHANNELS`.

    Raises
    ------
    SettingsError, UnknownNameError
        If one of them is impossible.
    """

    rule: str = "seed"
    tolerance: float = 40.0
    connectivity: int = 2
    max_size: int = 20_000
    channel: str = "grey"

    def __post_init__(self) -> None:
        GROWTH_RULES[self.rule], CHANNELS[self.channel]
        if not 0 <= self.tolerance <= 255:
            raise SettingsError(f"A tolerance of {self.tolerance:g} is impossible: give 0 to 255 grey levels.")
        if self.connectivity not in (1, 2):
            raise SettingsError(f"Connectivity {self.connectivity} is unknown: 1 is 4 neighbours, 2 is 8 neighbours.")
        if self.max_size < 1:
            raise SettingsError(f"A largest size of {self.max_size} pixels leaves nothing. Give 1 or more.")


class RegionGrowingMethod:
    """Region growing as a method.

    Parameters
    ----------
    seeds : ndarray
        float ``(N, 2)`` rows and columns; a pixel's middle has whole numbers.
    settings : GrowingSettings

    Raises
    ------
    SettingsError
        If the seeds have another shape, are none, or are not numbers.
    """

    name = "region-growing"
    default_threshold = 0.5

    def __init__(self, seeds: Any, settings: GrowingSettings) -> None:
        self.settings = settings
        self.seeds = _checked(seeds)

    def prepare(
        self, image: Image, *, on_progress: ProgressCallback = silent, cancel: CancelToken | None = None
    ) -> Prepared:
        """Grow the region of every point; see ``Method.prepare``.

        Raises
        ------
        SettingsError
            If a point lies outside the image.
        ImageError
            If the image has not the channels.
        """
        check_image(image)
        cancel, settings = cancel or CancelToken(), self.settings
        places = _places(self.seeds, image)
        seen = with_channel(image, settings.channel)
        scale = grey_scale(seen, on_progress, cancel, channel=settings.channel)

        def read(box: Box) -> Array:
            grey, gaps = scale.apply_known(read_region(seen, *box))
            signed = grey.astype(np.int16)
            if gaps is not None:
                signed[gaps] = NO_GREY
            return signed

        limits = GrowthLimits(settings.tolerance, settings.connectivity, settings.max_size)
        pieces, too_large, nowhere = [], [], []
        for done, (y, x) in enumerate(places, 1):
            if scale.gaps and read((y, y + 1, x, x + 1))[0, 0] == NO_GREY:
                nowhere.append((y, x))
            elif (piece := grow(read, image.shape, (y, x), settings.rule, limits, cancel.check)) is None:
                too_large.append((y, x))
            else:
                pieces.append(piece)
            on_progress(Progress("Growing regions", done, len(places), "points"))
        notes = [_too_large_note(too_large, settings.max_size)] if too_large else []
        notes += [_nowhere_note(nowhere)] if nowhere else []
        return Prepared(drawn_image(image, PixelSet(pieces).draw), DrawnPredictor(), (*notes, *scale.notes))

    def describe(self) -> dict[str, Any]:
        """Return all settings and the points."""
        return {**to_dict(self.settings), "seeds": self.seeds.tolist()}


def region_growing(
    seeds: Any = None,
    rule: Annotated[GrowthRuleName, Shown("Compare with")] = "seed",
    tolerance: Annotated[float, Shown("Tolerance", "of 255", 0, 255, 1)] = 40.0,
    connectivity: Annotated[int, Shown("Connectivity", "", 1, 2)] = 2,
    max_size: Annotated[int, Shown("Largest size", "px", 1)] = 20_000,
    channel: ChannelName = "grey",
    device: str = "auto",
) -> RegionGrowingMethod:
    """Return region growing from points.

    Parameters
    ----------
    seeds : ndarray
        float ``(N, 2)``, y and x: one point in every particle.
    rule : str
        What a pixel is compared with: the grey value under the point (seed), or the mean of the region so far, which
        grows ring by ring (mean).
    tolerance : float
        By how many grey levels of 255 a pixel may differ. More makes larger regions, and too much lets them run out
        into the background.
    connectivity : int
        2 grows over corners too (8 neighbours), 1 over edges only (4 neighbours).
    max_size : int
        Regions of more pixels have run out into the background: they are left out, and you are told.
    channel : str
        What of a colour image is looked at: the mean of its channels; the same with the weights 0.299, 0.587 and 0.114
        of red, green and blue; one channel; or red less others, below 0 cut off.
    device : str
        Not used.

    Raises
    ------
    SettingsError, UnknownNameError
        If a setting is impossible, or there are no points.

    References
    ----------
    Adams and Bischof 1994, doi:10.1109/34.295913 (growing by the region's mean).
    """
    return RegionGrowingMethod(seeds, GrowingSettings(rule, tolerance, connectivity, max_size, channel))


def _checked(seeds: Any) -> Array:
    if seeds is None:
        raise SettingsError("region-growing needs points to grow from. Click one into every particle.")
    try:
        points = np.asarray(seeds, np.float64)
    except (TypeError, ValueError):
        raise SettingsError("The points are no numbers. Give (N, 2) numbers, y and x.") from None
    if points.size == 0:
        raise SettingsError("There is no point to grow from. Click one into every particle.")
    if points.ndim != 2 or points.shape[1] != 2:
        raise SettingsError(f"The points have the shape {points.shape}; (N, 2) is needed, y and x.")
    if not np.isfinite(points).all():
        raise SettingsError("A point is not a number. Give (N, 2) numbers, y and x.")
    return points


def _places(seeds: Array, image: Image) -> list[tuple[int, int]]:
    """Return the pixels of the points, each once, in the order they were set."""
    height, width = image.shape
    pixels = np.floor(seeds + 0.5)
    outside = (pixels < 0).any(1) | (pixels[:, 0] >= height) | (pixels[:, 1] >= width)
    if outside.any():
        y, x = seeds[outside][0]
        more = f" (and {outside.sum() - 1} more)" if outside.sum() > 1 else ""
        raise SettingsError(
            f"The point y = {y:g}, x = {x:g}{more} lies outside {image.name} of {height} x {width} pixels. "
            "Remove it, or choose the points that belong to this image."
        )
    return list(dict.fromkeys((int(y), int(x)) for y, x in pixels))


def _listed(places: list[tuple[int, int]]) -> str:
    return ", ".join(f"y = {y}, x = {x}" for y, x in places[:5]) + (", ..." if len(places) > 5 else "")


def _nowhere_note(places: list[tuple[int, int]]) -> str:
    few = len(places) == 1
    return (
        f"{len(places)} point{'' if few else 's'} ({_listed(places)}) {'lies' if few else 'lie'} where the image has "
        f"no number (NaN or infinite) and {'was' if few else 'were'} left out."
    )


def _too_large_note(places: list[tuple[int, int]], max_size: int) -> str:
    few = len(places) == 1
    return (
        f"The region{'' if few else 's'} of {len(places)} point{'' if few else 's'} ({_listed(places)}) grew beyond "
        f"{max_size} pixels and {'was' if few else 'were'} left out. Lower the tolerance, or raise the largest size."
    )
