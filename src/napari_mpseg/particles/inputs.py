"""What is measured: the image beside the labels, with its channels and calibration."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import ImageError
from napari_mpseg.images.axes import RGB
from napari_mpseg.images.image import Image
from napari_mpseg.particles.confidence import probability_array


@dataclass(frozen=True)
class Inputs:
    """Everything beside the labels, checked.

    Attributes
    ----------
    pixels : array or None
        ``(Y, X)`` or ``(Y, X, C)``.
    channels : tuple of str
        Names of the channels as they go into columns.
    calibration : Calibration or None
        The image's.
    probability : array or None
        ``(Y, X)``, uint8 or floating point.
    """

    pixels: Any = None
    channels: tuple[str, ...] = ()
    calibration: Calibration | None = None
    probability: Any = None

    @property
    def given(self) -> tuple[str, ...]:
        """What properties can be measured on, see :data:`~napari_mpseg.particles.property.Given`."""
        found = []
        if self.pixels is not None:
            found.append("image")
        if self.channels == RGB:
            found.append("rgb")
        if self.probability is not None:
            found.append("probability")
        return tuple(found)


def inputs_of(image: Any, probability: Any, shape: tuple[int, ...]) -> Inputs:
    """Check image and probability against the labels' shape.

    Raises
    ------
    ImageError
        If one of them has another height or width, or values that cannot be measured.
    """
    seen = None if probability is None else probability_array(probability, shape)
    if image is None:
        return Inputs(probability=seen)
    data, names, calibration = (
        (image.data, image.channels, image.calibration) if isinstance(image, Image) else (image, (), None)
    )
    if not (hasattr(data, "shape") and hasattr(data, "dtype")):
        data = np.asarray(data)
    if data.ndim not in (2, 3) or tuple(data.shape[:2]) != shape:
        raise ImageError(
            f"The image has the shape {tuple(data.shape)}, the labels {shape}. "
            "They must have the same height and width: choose the image these labels were made from."
        )
    if data.dtype.kind not in "iuf":
        raise ImageError(f"Intensities of a {data.dtype} image cannot be measured. Give an image of real numbers.")
    count = int(data.shape[2]) if data.ndim == 3 else 1
    if len(names) != count:
        names = tuple(str(number) for number in range(count))
    return Inputs(data, _column_endings(names), calibration, seen)


def _column_endings(names: Sequence[str]) -> tuple[str, ...]:
    endings = [re.sub(r"\W+", "_", name.strip().lower()).strip("_") or str(k) for k, name in enumerate(names)]
    if len(set(endings)) < len(endings):
        endings = [f"{ending}_{k}" for k, ending in enumerate(endings)]
    return tuple(endings)
