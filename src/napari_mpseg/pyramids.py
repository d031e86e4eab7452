"""Arrays in the form in which a viewer shows them whole and quickly: in memory, or as levels of a pyramid."""

from collections.abc import Sequence
from typing import Any

import numpy as np

LARGEST_EDITABLE = 2**30
"""Bytes up to which labels are given as one numpy array, which can be painted on."""

LARGEST_TEXTURE = 16384
"""Pixels of a side up to which every graphics card of the last decade shows a plane in one piece."""

_PYRAMID_STEP = 4


def displayed(array: Any, *, editable: bool) -> tuple[Any, bool]:
    """Return an array in the form in which napari shows it whole and quickly, and whether that is multiscale.

    Parameters
    ----------
    array : zarr or numpy array
        ``(Y, X)`` or ``(Z, Y, X)``.
    editable : bool
        Prefer one array that can be painted on, up to 1 GiB and the texture limit.

    Returns
    -------
    tuple
        A numpy array and False; or a list of levels, largest first, and True. Single-scale labels above the
        texture limit would be shown with pixels left out, and dask arrays must never be painted on, so larger
        ones are multiscale.
    """
    height, width = array.shape[-2:]
    size = int(np.prod(array.shape)) * np.dtype(array.dtype).itemsize
    if size < LARGEST_EDITABLE and (max(height, width) <= LARGEST_TEXTURE or not editable):
        return np.asarray(array[...]), False
    return _pyramid(array), True


def _pyramid(array: Any) -> Sequence[Any]:
    """Return levels of every 4th, 16th ... pixel, read once in bands so that memory stays bounded."""
    levels = [array]
    while max(levels[-1].shape[-2:]) > LARGEST_TEXTURE // 8:
        levels.append(_every(levels[-1], _PYRAMID_STEP))
    return levels


def _every(array: Any, step: int, rows: int = 4096) -> np.ndarray:
    """Return every `step`-th pixel of the last two axes; `rows` is a multiple of `step`."""
    height = array.shape[-2]
    bands = [np.asarray(array[..., top : top + rows, :])[..., ::step, ::step] for top in range(0, height, rows)]
    return np.ascontiguousarray(np.concatenate(bands, axis=-2))
