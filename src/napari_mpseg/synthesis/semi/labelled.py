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


_LARGEST = 1 << 20  # a number above which tables by number would be wasteful
WHOLE = (slice(None), slice(None))


def tells_apart(image: Labelled) -> bool:
    """Return whether the instances tell particles apart; one number alone is a mask stored as labels."""
    if image.instances is None:
        return False
    found = image.instances[np.asarray(image.instances) > 0]
    return bool(found.size) and int(found.min()) != int(found.max())


def numbered(
    image: Labelled, part: tuple[slice, slice] = WHOLE, *, by_instances: bool | None = None
) -> NDArray[np.int32]:
    """Return the particles of an image, or of a part of it, as int32 labels ``(Y, X)``; 0 is background or unknown.

    Where instances do not tell them apart, particles are the pieces of the mask (pixels that share a corner belong
    together) as they are in that part.

    Parameters
    ----------
    image : LabelledImage
    part : tuple of slice
    by_instances : bool, optional
        What :func:`tells_apart` says of the image, where that is known.
    """
    mask = np.asarray(image.mask[part], bool)
    if image.known is not None:
        mask = mask & image.known[part]
    if image.instances is not None and (tells_apart(image) if by_instances is None else by_instances):
        found = np.where(mask, np.asarray(image.instances[part]), 0)
        return found.astype(np.int32) if found.max(initial=0) <= _LARGEST else without_gaps(found)[0]
    from scipy import ndimage

    return np.asarray(ndimage.label(mask, np.ones((3, 3)))[0], np.int32)


def without_gaps(labels: NDArray[Any]) -> tuple[NDArray[np.int32], int]:
    """Return labels renumbered 1..N in the order of their old numbers, and N."""
    kept, numbers = np.unique(labels, return_inverse=True)
    first = int(np.count_nonzero(kept <= 0))
    renumbered = np.maximum(numbers.reshape(labels.shape) - (first - 1), 0)
    return renumbered.astype(np.int32), len(kept) - first


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
