"""How pixels become network input: the rules a user can choose from, each measured once per image.

One :class:`~napari_mpseg.images.scaling.Scaling` is made for the whole image, never per tile, or results would depend
on the tiling; and for all channels together, because the ratio of red to green is what tells a stained particle.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from napari_mpseg.errors import ImageError, SettingsError
from napari_mpseg.images.checks import check_image
from napari_mpseg.images.image import Image
from napari_mpseg.images.scaling import Scaling
from napari_mpseg.progress import CancelToken, ProgressCallback
from napari_mpseg.registry import Registry

AUTO_HIGH = 99.999
FULL_SCALES = (1.0, 255.0, 1023.0, 4095.0, 16383.0, 65535.0)
"""Largest values of images in 0..1 and of 8-, 10-, 12-, 14- and 16-bit cameras."""

Measurer = Callable[["Normalisation", Image, CancelToken | None, ProgressCallback | None], Scaling]
normalisations: Registry[Measurer] = Registry("normalisation")


@dataclass(frozen=True)
class Normalisation:
    """How grey values are brought to about 0..1.

    Attributes
    ----------
    kind : str
        ``"auto"``: uint8 as ``"dtype"``; all else divided by the full scale of the camera, the smallest of 1 (floats
        only), 255, 1023, 4095, 16383 and 65535 that holds all but the brightest pixel in 100 000 (hot pixels are
        clipped). Unlike a percentile this does not stretch the noise of a filter without particles to full
        brightness. Images with negative values are taken from their minimum to their maximum.
        ``"dtype"``: divided by the largest value of the integer type, 255 or 65535; floats are taken as 0..1 already.
        ``"range"``: from the minimum to the maximum of the image.
        ``"percentile"``: from the percentile `low` to the percentile `high`, clipped.
        ``"fixed"``: ``(value - offset) / scale``, not clipped.
    low, high : float
        Percentiles, 0 to 100.
    offset, scale : float
        In grey values.

    Raises
    ------
    SettingsError
        If a value is impossible.
    UnknownNameError
        If there is no such kind.
    """

    kind: str = "auto"
    low: float = 0.1
    high: float = 99.9
    offset: float = 0.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        normalisations[self.kind]
        if not 0 <= self.low < self.high <= 100:
            raise SettingsError(f"Percentiles from {self.low} to {self.high} are impossible: 0 <= low < high <= 100.")
        if not (math.isfinite(self.offset) and math.isfinite(self.scale) and self.scale != 0):
            raise SettingsError(
                f"An offset of {self.offset} with a scale of {self.scale} is impossible: "
                "both must be finite and the scale not 0."
            )

    def measure(
        self, image: Image, cancel: CancelToken | None = None, on_progress: ProgressCallback | None = None
    ) -> Scaling:
        """Return the scaling of one image, reading it window by window where its values must be known.

        ``"dtype"``, ``"fixed"`` and, for uint8, ``"auto"`` read nothing. The others read the image once;
        percentiles of values wider than 16 bits take a second pass. NaN and infinities are left out and counted.

        Raises
        ------
        ImageError
            If the image is refused by :func:`~napari_mpseg.images.checks.check_image` or cannot be read.
        Cancelled
            If `cancel` was set.
        """
        check_image(image)
        return normalisations[self.kind](self, image, cancel, on_progress)


@normalisations.register("auto")
def _auto(
    rule: Normalisation, image: Image, cancel: CancelToken | None, on_progress: ProgressCallback | None
) -> Scaling:
    if np.dtype(image.dtype) == np.uint8:
        return _by_dtype(rule, image, cancel, on_progress)
    from napari_mpseg.images.grey_histogram import GreyHistogram

    histogram = GreyHistogram(image, cancel, on_progress)
    (brightest,) = histogram.percentiles([AUTO_HIGH])
    high = next((full for full in FULL_SCALES if brightest <= full), histogram.maximum)
    if np.dtype(image.dtype).kind != "f":
        high = max(high, 255.0)
    if histogram.minimum < 0:
        return Scaling(rule.kind, histogram.minimum, histogram.maximum, True, histogram.not_finite)
    return Scaling(rule.kind, 0.0, high, True, histogram.not_finite)


@normalisations.register("dtype")
def _by_dtype(
    rule: Normalisation, image: Image, cancel: CancelToken | None, on_progress: ProgressCallback | None
) -> Scaling:
    dtype = np.dtype(image.dtype)
    return Scaling(rule.kind, 0.0, float(np.iinfo(dtype).max) if dtype.kind in "iu" else 1.0)


@normalisations.register("range")
def _range(
    rule: Normalisation, image: Image, cancel: CancelToken | None, on_progress: ProgressCallback | None
) -> Scaling:
    from napari_mpseg.images.grey_histogram import GreyHistogram

    histogram = GreyHistogram(image, cancel, on_progress)
    return Scaling(rule.kind, histogram.minimum, histogram.maximum, True, histogram.not_finite)


@normalisations.register("percentile")
def _percentile(
    rule: Normalisation, image: Image, cancel: CancelToken | None, on_progress: ProgressCallback | None
) -> Scaling:
    from napari_mpseg.images.grey_histogram import GreyHistogram

    histogram = GreyHistogram(image, cancel, on_progress)
    low, high = histogram.percentiles([rule.low, rule.high])
    return Scaling(rule.kind, low, high, True, histogram.not_finite)


@normalisations.register("fixed")
def _fixed(
    rule: Normalisation, image: Image, cancel: CancelToken | None, on_progress: ProgressCallback | None
) -> Scaling:
    high = rule.offset + rule.scale
    if high == rule.offset:
        raise ImageError(f"A scale of {rule.scale} is too small beside an offset of {rule.offset}. Use a larger scale.")
    return Scaling(rule.kind, rule.offset, high, clip=False)
