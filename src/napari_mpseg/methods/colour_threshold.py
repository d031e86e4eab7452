"""``mp-act``: everything whose colour lies in ranges that a person set by hand, as with ImageJ's *Color Threshold*."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_mpseg.errors import ImageError, SettingsError
from napari_mpseg.images.checks import check_image
from napari_mpseg.images.image import Image
from napari_mpseg.inference.predictor import Prepared
from napari_mpseg.methods.colour_ranges import EXAMPLE, ColourThreshold, colour_threshold
from napari_mpseg.methods.grey import GreyScale
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback, silent

_BLOCK = 2048


@dataclass(frozen=True)
class ColourPredictor:
    """Probability 1 where all channels are finite numbers and the colour lies in the ranges, else 0.

    Attributes
    ----------
    scale : GreyScale
        How the channels become bytes; one scale for all three, so that colours keep their hue.
    threshold : ColourThreshold
        The ranges.
    """

    scale: GreyScale
    threshold: ColourThreshold
    halo: int = 0
    stride: int = 1
    exact: bool = True
    preferred_tile: int = 1024

    def predict(self, window: Any, margins: tuple[int, int, int, int] = (0, 0, 0, 0)) -> np.ndarray[Any, Any]:
        """Return 0 or 1 per pixel; see ``TilePredictor``."""
        top, bottom, left, right = margins
        pixels = np.asarray(window)[top : window.shape[0] - bottom, left : window.shape[1] - right]
        found = self.threshold.holds(colours(pixels, self.scale))
        if pixels.dtype.kind == "f":
            found &= np.isfinite(pixels).all(2)
        mask: np.ndarray[Any, Any] = found.astype(np.float32)
        return mask


class ColourThresholdMethod:
    """Ranges of colour as a method.

    Parameters
    ----------
    threshold : ColourThreshold
        The ranges.
    """

    name = "mp-act"
    default_threshold = 0.5

    def __init__(self, threshold: ColourThreshold) -> None:
        self._threshold = threshold

    def prepare(
        self, image: Image, *, on_progress: ProgressCallback = silent, cancel: CancelToken | None = None
    ) -> Prepared:
        """Take the image's range of values unless it is 8-bit; see ``Method.prepare``.

        Raises
        ------
        ImageError
            If the image has no three channels, red, green and blue.
        """
        check_image(image)
        check_colour(image)
        scale = colour_scale(image, on_progress, cancel or CancelToken())
        return Prepared(image, ColourPredictor(scale, self._threshold), scale.notes)

    def describe(self) -> dict[str, Any]:
        """Return the ranges, as they are given and as they are typed."""
        return {"ranges": self._threshold.plain(), "text": self._threshold.text()}


def mp_act(ranges: Any = None, device: str = "auto") -> ColourThresholdMethod:
    """Return the analyst's colour threshold.

    Parameters
    ----------
    ranges : ColourThreshold, str, list or mapping
        The colours that are particle; see :func:`~napari_mpseg.methods.colour_ranges.colour_threshold` for the forms.
    device : str
        Not used.

    Raises
    ------
    SettingsError
        If no ranges are given, or they cannot be read.
    """
    if ranges is None:
        raise SettingsError(
            "mp-act needs ranges of colour. Set them by eye with Layers > Segment > Colour threshold by hand, which "
            f'saves a method file, or type them: ranges="{EXAMPLE}".'
        )
    return ColourThresholdMethod(colour_threshold(ranges))


def check_colour(image: Image) -> None:
    """Refuse images that have no red, green and blue.

    Raises
    ------
    ImageError
        For a grey image, which has no colours to choose among, and for any other number of channels than three.
    """
    if image.n_channels == 1:
        raise ImageError(
            f"{image.name} is grey and has no colours to choose. Open the colour image, or take a threshold on grey "
            "levels such as fixed-level."
        )
    if image.n_channels != 3:
        raise ImageError(
            f"{image.name} has {image.n_channels} channels, and ranges of colour need red, green and blue. "
            "Choose three of them, such as channels 0,1,2."
        )


def colours(pixels: np.ndarray[Any, Any], scale: GreyScale) -> np.ndarray[Any, Any]:
    """Return pixels ``(Y, X, 3)`` of any dtype as bytes, all channels on the same scale."""
    if pixels.dtype == np.uint8:
        return pixels
    return np.stack([scale.apply(pixels[..., channel]) for channel in range(3)], axis=-1)


def colour_scale(image: Image, on_progress: ProgressCallback, cancel: CancelToken) -> GreyScale:
    """Return how an image's channels become bytes: as they are, or from the least to the largest value of all.

    An image that is not 8-bit is read once, block by block. NaN and infinities take no part in the range.
    """
    if image.dtype == np.uint8:
        return GreyScale()
    from napari_mpseg.images.region import read_region

    low, high, gaps = np.inf, -np.inf, 0
    height, width = image.shape
    corners = [(y, x) for y in range(0, height, _BLOCK) for x in range(0, width, _BLOCK)]
    for done, (y, x) in enumerate(corners, 1):
        cancel.check()
        pixels = read_region(image, y, min(y + _BLOCK, height), x, min(x + _BLOCK, width))
        known = np.isfinite(pixels)
        finite, gaps = pixels[known], gaps + int(np.count_nonzero(~known.all(axis=2)))
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
        on_progress(Progress("Reading the value range", done, len(corners), "blocks"))
    low, high = (low, high) if low <= high else (0.0, 0.0)
    return GreyScale(low, high, gaps=gaps)
