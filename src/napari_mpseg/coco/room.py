"""Arrays of a whole image, refused where they cannot fit: a small file may claim an image of any size."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from napari_mpseg.errors import ImageError


@contextmanager
def enough_memory(name: str, height: int, width: int, n_bytes: int = 0) -> Iterator[None]:
    """Raise an :class:`ImageError` that tells the image's size where memory is too small for it.

    Parameters
    ----------
    name : str
        Of the image.
    height, width : int
        In pixels.
    n_bytes : int
        What is sure to be needed. Systems that promise more memory than there is would only fail while it is filled.
    """
    told = (
        f"There is not enough memory for labels of {name}, {width} x {height} px. If that is its size, 'napari-mpseg "
        "coco to-labels' writes them piece by piece, and the part() of 'painting' gives a part"
    )
    memory = _memory()
    if memory is not None and n_bytes > memory:
        raise ImageError(f"{told}.")
    try:
        yield
    except MemoryError as error:
        raise ImageError(f"{told}.") from error


def _memory() -> int | None:
    """Return the bytes of memory of this computer; None where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
