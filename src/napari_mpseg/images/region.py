"""Reading one window of an image."""

from typing import Any

from numpy.typing import NDArray

from napari_mpseg.errors import Cancelled, ImageError, MpsegError
from napari_mpseg.images.image import Image
from napari_mpseg.images.lazy import unreadable
from napari_mpseg.images.window import compute_part


def read_region(image: Image, y0: int, y1: int, x0: int, x1: int) -> NDArray[Any]:
    """Compute the pixels of rows `y0` to `y1` and columns `x0` to `x1`, ends not included.

    Returns
    -------
    ndarray
        ``(y1 - y0, x1 - x0)`` or ``(y1 - y0, x1 - x0, C)``, dtype of the image.

    Raises
    ------
    ImageError
        If the window does not lie in the image, or its pixels cannot be read: a truncated or moved file, too little
        memory.
    """
    height, width = image.shape
    if not (0 <= y0 <= y1 <= height and 0 <= x0 <= x1 <= width):
        raise ImageError(
            f"The window [{y0}:{y1}, {x0}:{x1}] does not lie in {image.name} of {height} x {width} pixels."
        )
    try:
        return compute_part(image.data, (slice(y0, y1), slice(x0, x1)))
    except (MpsegError, Cancelled):
        raise
    except MemoryError as error:
        raise ImageError(
            f"There is not enough memory to read [{y0}:{y1}, {x0}:{x1}] of {image.source}. "
            "Close other programs, or open a lower resolution level."
        ) from error
    except Exception as error:
        raise ImageError(unreadable(image.source, (slice(y0, y1), slice(x0, x1)), error)) from error
