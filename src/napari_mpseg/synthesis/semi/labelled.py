"""What semi-synthetic images need of a labelled image, and its particles by number."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Labelled(Protocol):
    """An image with its mask, as training has it."""

    @property
    def name(self) -> str:
        """What to call it."""
        ...

    @property
    def image(self) -> Any:
        """Grey levels of 0 to 255, ``(Y, X, C)``; only has to be sliced and to have a ``shape``."""
        ...

    @property
    def mask(self) -> NDArray[Any]:
        """Where particles are, ``(Y, X)`` bool."""
        ...

    @property
    def known(self) -> NDArray[Any] | None:
        """Where the mask is known, ``(Y, X)`` bool; None: everywhere."""
        ...

    @property
    def instances(self) -> NDArray[Any] | None:
        """Which particle a pixel belongs to, ``(Y, X)`` int; None where only the mask is known."""
        ...


def numbered(image: Labelled, part: tuple[slice, slice] = (slice(None), slice(None))) -> NDArray[np.int32]:
    """Return the particles of an image, or of a part of it, as int32 labels ``(Y, X)``; 0 is background or unknown.

    Without instances, particles are the pieces of the mask (pixels that share a corner belong together) as they are
    in that part.
    """
    mask = np.asarray(image.mask[part], bool)
    if image.known is not None:
        mask = mask & image.known[part]
    if image.instances is not None:
        return np.where(mask, np.asarray(image.instances[part]), 0).astype(np.int32)
    from scipy import ndimage

    return np.asarray(ndimage.label(mask, np.ones((3, 3)))[0], np.int32)


def without_gaps(labels: NDArray[Any]) -> tuple[NDArray[np.int32], int]:
    """Return labels renumbered 1..N in the order of their old numbers, and N."""
    kept = np.unique(labels)
    kept = kept[kept > 0]
    if not len(kept):
        return np.zeros(labels.shape, np.int32), 0
    table = np.zeros(int(kept[-1]) + 1, np.int32)
    table[kept] = np.arange(1, len(kept) + 1)
    return table[labels], len(kept)


def in_channels(pixels: NDArray[Any], channels: int) -> NDArray[np.float32]:
    """Return pixels ``(Y, X, C)`` as float32 in another number of channels: grey is repeated, colours are averaged.

    Raises
    ------
    ImageError
        If neither can be done.
    """
    from napari_mpseg.errors import ImageError

    values = np.asarray(pixels, np.float32)
    found = values.shape[2]
    if found == channels:
        return values
    if found == 1:
        return np.repeat(values, channels, 2)
    if channels == 1:
        return np.asarray(values.mean(2, keepdims=True, dtype=np.float32))
    raise ImageError(
        f"Particles or backgrounds have {found} channels, the image to be composed {channels}: only grey and one kind "
        "of colour image go together. Choose the same channels for all."
    )
