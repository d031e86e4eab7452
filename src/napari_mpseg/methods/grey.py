"""8-bit grey values as ImageJ makes them, and their histogram over an image of any size."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_mpseg.images.image import Image
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback

_BLOCK = 2048


@dataclass(frozen=True)
class GreyScale:
    """How a pixel becomes an 8-bit grey value.

    Attributes
    ----------
    low, high : float
        For anything but uint8: the values that become 0 and 255 (the image's range, as ImageJ's ``8-bit`` takes the
        displayed one). Ignored for uint8.
    """

    low: float = 0.0
    high: float = 255.0

    def apply(self, pixels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Return uint8 ``(Y, X)`` of ``(Y, X)`` or ``(Y, X, C)`` pixels.

        Channels are averaged without weights and rounded half up: floor(mean + 0.5).
        """
        if pixels.dtype == np.uint8:
            if pixels.ndim == 2:
                return pixels
            total = pixels.sum(2, dtype=np.uint32)
            count = pixels.shape[2]
            grey: np.ndarray[Any, Any] = ((2 * total + count) // (2 * count)).astype(np.uint8)
            return grey
        values = pixels.astype(np.float64)
        if values.ndim == 3:
            values = values.mean(2)
        # infinities end at 0 and 255 and NaN at 0, before any arithmetic with them
        values = np.nan_to_num(values, nan=self.low, posinf=self.high, neginf=self.low)
        span = self.high - self.low
        values = (values - self.low) * (255.0 / span if span > 0 else 0.0)
        scaled: np.ndarray[Any, Any] = np.clip(np.floor(values + 0.5), 0, 255).astype(np.uint8)
        return scaled


def grey_histogram(
    image: Image, on_progress: ProgressCallback, cancel: CancelToken
) -> tuple[GreyScale, np.ndarray[Any, Any]]:
    """Return the grey scale of an image and the 256-bin histogram of its 8-bit grey values, in streaming passes.

    uint8 images are read once, others twice (their range first). NaN and infinities take no part in the range.
    """
    scale = GreyScale()
    if image.dtype != np.uint8:
        low, high = np.inf, -np.inf
        for pixels in _blocks(image, "Reading the value range", on_progress, cancel):
            finite = pixels[np.isfinite(pixels)]
            if finite.size:
                low, high = min(low, float(finite.min())), max(high, float(finite.max()))
        scale = GreyScale(low, high) if low <= high else GreyScale(0.0, 0.0)
    histogram = np.zeros(256, np.int64)
    for pixels in _blocks(image, "Reading the histogram", on_progress, cancel):
        histogram += np.bincount(scale.apply(pixels).ravel(), minlength=256)
    return scale, histogram


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
