"""Particles cut out of labelled images."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import ImageError, SettingsError
from napari_mpseg.synthesis.semi.alpha import hard_alpha, soft_alpha
from napari_mpseg.synthesis.semi.labelled import Labelled, numbered

MARGIN = 8
"""Pixels around a particle that are kept with it: what a seamless paste needs of its surroundings and its glow."""


@dataclass(frozen=True)
class CutoutSettings:
    """Which particles are cut out, and how.

    Attributes
    ----------
    whole : bool
        Leave out particles that the border of the image may have cut.
    least_pixels : int
        Leave out smaller ones.
    soft : float
        Standard deviation in pixels of a soft edge; 0 cuts along the labels.

    Raises
    ------
    SettingsError
        If a value cannot be.
    """

    whole: bool = True
    least_pixels: int = 3
    soft: float = 0.0

    def __post_init__(self) -> None:
        if self.least_pixels < 1:
            raise SettingsError(f"A smallest particle of {self.least_pixels} px makes no sense: give 1 or more.")
        if not 0 <= self.soft <= 20:
            raise SettingsError(f"A soft edge of {self.soft} px is impossible: give 0 (hard) to 20.")


@dataclass(frozen=True, eq=False)
class Cutout:
    """One particle with a margin of its surroundings.

    Attributes
    ----------
    pixels : ndarray
        ``(Y, X, C)`` uint8 or float32 in grey levels of 0 to 255. Where another particle lay in the margin, the nearest
        background is repeated.
    alpha : ndarray of float32
        ``(Y, X)``: how much of each pixel is particle, 0 to 1. From 0.5 on a pixel belongs to the truth.
    source : str
        Name of the image, and the particle's number in it.
    """

    pixels: NDArray[Any]
    alpha: NDArray[np.float32]
    source: str = ""

    @property
    def mask(self) -> NDArray[np.bool_]:
        """The particle's own pixels, ``(Y, X)``."""
        return np.asarray(self.alpha >= 0.5)

    @property
    def area(self) -> int:
        """Number of its pixels."""
        return int(np.count_nonzero(self.mask))

    @property
    def channels(self) -> int:
        """Number of channels."""
        return int(self.pixels.shape[2])


def cut_out(images: Sequence[Labelled], settings: CutoutSettings | None = None) -> list[Cutout]:
    """Cut particles out of labelled images.

    Parameters
    ----------
    images : sequence of LabelledImage
        Those with instances give one cutout per number, others one per connected piece of the mask.
    settings : CutoutSettings, optional

    Returns
    -------
    list of Cutout
        In the order of the images and of the numbers in them.

    Raises
    ------
    ImageError
        If no particle is left.
    """
    settings = CutoutSettings() if settings is None else settings
    found = [cutout for image in images for cutout in cutouts_of(image, settings)]
    if not found:
        which = "The labelled image holds" if len(images) == 1 else f"The {len(images)} labelled images hold"
        whole = " that the border does not cut" if settings.whole else ""
        raise ImageError(
            f"{which} no particle of {settings.least_pixels} px or more{whole}. Label some particles, or allow smaller "
            "ones or those at the border."
        )
    return found


def cutouts_of(image: Labelled, settings: CutoutSettings) -> Iterator[Cutout]:
    """Give the cutouts of one image, one at a time; see :func:`cut_out`."""
    from scipy import ndimage

    labels = numbered(image)
    height, width = labels.shape
    for number, box in enumerate(ndimage.find_objects(labels), 1):
        if box is None:
            continue
        rows, columns = box
        cut = rows.start == 0 or columns.start == 0 or rows.stop == height or columns.stop == width
        if (cut and settings.whole) or np.count_nonzero(labels[box] == number) < settings.least_pixels:
            continue
        yield _cutout(image, labels, number, box, settings.soft)


def _cutout(image: Labelled, labels: NDArray[np.int32], number: int, box: Any, soft: float) -> Cutout:
    """Take the pixels of one particle with their margin; where the image ends, its last pixels are repeated."""
    margin = MARGIN + int(np.ceil(2 * soft))
    starts = [part.start - margin for part in box]
    stops = [part.stop + margin for part in box]
    inside = tuple(slice(max(a, 0), min(b, n)) for a, b, n in zip(starts, stops, labels.shape, strict=True))
    missing = [(part.start - a, b - part.stop) for a, b, part in zip(starts, stops, inside, strict=True)]
    pixels = np.pad(np.asarray(image.image[inside]), [*missing, (0, 0)], mode="edge")
    around = np.pad(labels[inside], missing)
    mask = around == number
    pixels = _without_neighbours(pixels, mask, (around > 0) & ~mask)
    alpha = soft_alpha(mask, soft) if soft else hard_alpha(mask)
    return Cutout(pixels, alpha, f"{image.name} {number}")


def _without_neighbours(pixels: NDArray[Any], mask: NDArray[np.bool_], others: NDArray[np.bool_]) -> NDArray[Any]:
    """Return the pixels with other particles replaced by the nearest background, or by the particle itself."""
    if not others.any():
        return pixels
    from scipy import ndimage

    free = ~mask & ~others
    wanted = free if free.any() else mask
    rows, columns = ndimage.distance_transform_edt(~wanted, return_distances=False, return_indices=True)
    filled: NDArray[Any] = np.where(others[..., None], pixels[rows, columns], pixels)
    return filled
