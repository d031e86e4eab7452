"""8-bit grey values as ImageJ makes them, and their histogram over an image of any size."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from napari_mpseg.images.checks import gap_notes
from napari_mpseg.images.image import Image
from napari_mpseg.methods.grey_channels import CHANNELS
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback

Pixels = np.ndarray[Any, Any]

_BLOCK = 2048


@dataclass(frozen=True)
class GreyScale:
    """How a pixel becomes a grey value, and that an 8-bit one.

    Attributes
    ----------
    low, high : float
        For anything but uint8: the image's least and largest grey value. Ignored for uint8.
    channel : str
        Name in :data:`~napari_mpseg.methods.grey_channels.CHANNELS`.
    inverted : bool
        Whether the image is inverted first: 255 less each value of uint8, else `low` plus `high` less the grey value.
    gaps : int
        How many grey values of the image are no number, or infinite.
    """

    low: float = 0.0
    high: float = 255.0
    channel: str = "grey"
    inverted: bool = False
    gaps: int = 0

    def values(self, pixels: Pixels) -> Pixels:
        """Return ``(Y, X)`` grey values, in the image's own range, of ``(Y, X)`` or ``(Y, X, C)`` pixels.

        Returns
        -------
        ndarray
            uint8 of uint8, int64 of other whole numbers, float64 of real numbers.
        """
        if pixels.dtype == np.uint8:
            pixels = 255 - pixels if self.inverted else pixels
            return pixels if pixels.ndim == 2 else CHANNELS[self.channel].of(pixels)
        values = pixels[..., np.newaxis] if pixels.ndim == 2 else pixels
        with np.errstate(invalid="ignore"):  # infinite less infinite
            values = CHANNELS[self.channel if pixels.ndim == 3 else "grey"].of(values)
        return self.low + self.high - values if self.inverted else values

    def apply(self, pixels: Pixels) -> Pixels:
        """Return uint8 ``(Y, X)`` of ``(Y, X)`` or ``(Y, X, C)`` pixels."""
        return self.bytes_of(self.values(pixels), whole=pixels.dtype.kind in "iu" and pixels.dtype.itemsize <= 2)

    def apply_known(self, pixels: Pixels) -> tuple[Pixels, Pixels | None]:
        """Return what :meth:`apply` does, and where the grey value is no number or infinite: None for nowhere.

        Such a pixel is no particle, whether particles are bright or dark.
        """
        if pixels.dtype.kind != "f":
            return self.apply(pixels), None
        values = self.values(pixels)
        gaps = ~np.isfinite(values)
        return self.bytes_of(values, whole=False), gaps if gaps.any() else None

    def bytes_of(self, values: Pixels, whole: bool) -> Pixels:
        """Return grey values as uint8.

        Parameters
        ----------
        values : ndarray
            Of :meth:`values`; uint8 stays as it is.
        whole : bool
            Whether the image has whole numbers of 16 bits or less, for which ImageJ has 256 bins from `low` up to, and
            not including, `high` + 1. For other numbers 0 is `low` and 255 is `high`. Both are rounded half up.
        """
        if values.dtype == np.uint8:
            return values
        # infinities end at 0 and 255 and NaN at 0, before any arithmetic with them
        wide = np.nan_to_num(values.astype(np.float64), nan=self.low, posinf=self.high, neginf=self.low)
        span = self.high - self.low
        factor = 256.0 / (span + 1) if whole else 255.0 / span if span > 0 else 0.0
        scaled: Pixels = np.clip(np.floor((wide - self.low) * factor + 0.5), 0, 255).astype(np.uint8)
        return scaled

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be said of the image's values."""
        return gap_notes(self.gaps)

    def in_words(self) -> str:
        """Return which image it is, as part of a sentence."""
        title = CHANNELS[self.channel].title
        return f"{title}, inverted" if self.inverted else title


def grey_scale(
    image: Image,
    on_progress: ProgressCallback,
    cancel: CancelToken,
    *,
    channel: str = "grey",
    inverted: bool = False,
) -> GreyScale:
    """Return how an image becomes grey; only what is not uint8 is read for that, once.

    NaN and infinities take no part in the range. An image without any finite value has the range 0 to 0.
    """
    scale = GreyScale(channel=channel)
    if image.dtype == np.uint8:
        return replace(scale, inverted=inverted)
    low, high, gaps = np.inf, -np.inf, 0
    for pixels in _blocks(image, "Reading the value range", on_progress, cancel):
        values = scale.values(pixels)
        finite = values[np.isfinite(values)]
        gaps += values.size - finite.size
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    low, high = (low, high) if low <= high else (0.0, 0.0)
    return GreyScale(low, high, channel, inverted, gaps)


def grey_histogram(
    image: Image,
    on_progress: ProgressCallback,
    cancel: CancelToken,
    *,
    channel: str = "grey",
    inverted: bool = False,
) -> tuple[GreyScale, np.ndarray[Any, Any]]:
    """Return how an image becomes grey, and the 256-bin histogram of its 8-bit grey values, in streaming passes.

    uint8 images are read once, others twice (their range first). NaN and infinities are not counted.

    Parameters
    ----------
    image : Image
        In the channels that `channel` needs, see :func:`~napari_mpseg.methods.grey_channels.with_channel`.
    on_progress, cancel
        See :mod:`napari_mpseg.progress`; used once per block.
    channel : str
        Name in :data:`~napari_mpseg.methods.grey_channels.CHANNELS`.
    inverted : bool
        Whether the image is inverted first.

    Returns
    -------
    GreyScale
    ndarray
        int64 ``(256,)``.
    """
    scale = grey_scale(image, on_progress, cancel, channel=channel, inverted=inverted)
    return scale, _counted(image, scale, on_progress, cancel)


def median_grey(image: Image, scale: GreyScale, on_progress: ProgressCallback, cancel: CancelToken) -> int:
    """Return the median of the 8-bit grey values, in one streaming pass: what most of the background looks like.

    0 for an image without any finite value.
    """
    counts = np.cumsum(_counted(image, scale, on_progress, cancel))
    return int(np.searchsorted(counts, counts[-1] / 2)) if counts[-1] else 0


def _counted(
    image: Image, scale: GreyScale, on_progress: ProgressCallback, cancel: CancelToken
) -> np.ndarray[Any, Any]:
    histogram = np.zeros(256, np.int64)
    for pixels in _blocks(image, "Reading the histogram", on_progress, cancel):
        grey, gaps = scale.apply_known(pixels)
        histogram += np.bincount(grey.ravel() if gaps is None else grey[~gaps], minlength=256)
    return histogram


def _blocks(
    image: Image, stage: str, on_progress: ProgressCallback, cancel: CancelToken
) -> Iterator[np.ndarray[Any, Any]]:
    from napari_mpseg.images.region import read_region

    height, width = image.shape
    corners = [(y, x) for y in range(0, height, _BLOCK) for x in range(0, width, _BLOCK)]
    for done, (y, x) in enumerate(corners, 1):
        cancel.check()
        yield read_region(image, y, min(y + _BLOCK, height), x, min(x + _BLOCK, width))
        on_progress(Progress(stage, done, len(corners), "blocks"))
