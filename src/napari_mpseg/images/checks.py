"""What no step of this package can work on is refused here, before any work, with the way out."""

import numpy as np

from napari_mpseg.errors import ImageError
from napari_mpseg.images.image import Image


def check_image(image: Image) -> None:
    """Refuse an image that cannot be segmented.

    An image of one pixel, of one value or with values that are not finite is fine. Labels cannot be told from an image
    of integers, so they are not looked for.

    Raises
    ------
    ImageError
        If it is empty, has not two or three dimensions, or its pixels are no real numbers.
    """
    shape = tuple(image.data.shape)
    if len(shape) not in (2, 3):
        raise ImageError(
            f"{image.name} has the shape {shape}; (Y, X) or (Y, X, C) is needed. Choose a plane of the stack."
        )
    if 0 in shape:
        raise ImageError(f"{image.name} is empty: its shape is {shape}. Choose an image with at least one pixel.")
    dtype = np.dtype(image.dtype)
    if dtype.kind == "b":
        raise ImageError(
            f"{image.name} is boolean, so it looks like a mask and not like an image. "
            "Measure it as it is, or turn it into numbers first if it really is an image."
        )
    if dtype.kind == "c":
        raise ImageError(
            f"{image.name} has complex pixels ({dtype}). Take their magnitude first, for example numpy.abs."
        )
    if dtype.kind not in "uif":
        raise ImageError(
            f"The pixels of {image.name} are {dtype}, not numbers. Turn them into integers or floats first."
        )


def gap_notes(pixels: int) -> tuple[str, ...]:
    """Return what is to be said of so many pixels that are no numbers."""
    if not pixels:
        return ()
    counted = "1 pixel is not a number" if pixels == 1 else f"{pixels:,} pixels are not numbers"
    return (f"{counted} (NaN or infinite); taken as background.",)
