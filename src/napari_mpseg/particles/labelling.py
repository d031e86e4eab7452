"""From a mask in memory to labels."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import ImageError, SettingsError


def label_mask(mask: Any, *, connectivity: int = 2, min_size: int = 0) -> NDArray[np.int32]:
    """Give every connected particle of a mask a number.

    Masks larger than memory are labelled, chunk by chunk and with the same result, by
    :func:`~napari_mpseg.particles.lazy_labels.label_chunks`.

    Parameters
    ----------
    mask : array
        ``(Y, X)``; what is not 0 is particle.
    connectivity : {1, 2}
        1: pixels touch with their sides (4 neighbours). 2: corners too (8 neighbours), as in ImageJ.
    min_size : int
        Particles of fewer pixels are left out.

    Returns
    -------
    numpy.ndarray
        int32 ``(Y, X)``; labels 1 ... N without gaps, in raster order of each particle's first pixel.

    Raises
    ------
    ImageError
        If the mask is not two-dimensional.
    SettingsError
        If `connectivity` is neither 1 nor 2, or `min_size` is negative.
    """
    from napari_mpseg.inference.components import find_components

    array = np.asarray(mask)
    check_labelling(array, connectivity, min_size)
    found = find_components(array != 0, connectivity)
    kept = found.areas >= min_size
    return np.asarray(found.labels(np.where(kept, np.cumsum(kept), 0)))


def check_labelling(mask: Any, connectivity: int, min_size: int) -> None:
    """Refuse what no mask can be labelled with; see :func:`label_mask` for the errors."""
    if mask.ndim != 2:
        raise ImageError(f"A mask must have two axes (Y, X); this has {mask.ndim}, shape {tuple(mask.shape)}.")
    if connectivity not in (1, 2):
        raise SettingsError(f"Connectivity {connectivity!r} is neither 1 (sides) nor 2 (sides and corners).")
    if min_size < 0:
        raise SettingsError(f"A smallest size of {min_size} pixels makes no sense: give 0 or more.")
