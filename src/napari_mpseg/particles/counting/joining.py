"""Joining broken strands in a window of the image, exactly as in the whole image."""

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.inference.grid import Tile
from napari_mpseg.particles.counting.settings import CountSizes
from napari_mpseg.particles.instances.cleaning import join_strands


def joined(mask: NDArray[np.bool_], sizes: CountSizes, erode_first: bool = False) -> NDArray[np.bool_]:
    """Dilate and erode a mask, in this order or the other way round.

    What lies outside is background when dilating and particle when eroding. So a window that is cut at the border of
    the image is treated there as the image is; at its other sides it must be wider than what is wanted by
    :attr:`~napari_mpseg.particles.counting.settings.CountSizes.reach`.
    """
    if not erode_first:
        return join_strands(mask, sizes.dilate, sizes.erode)
    return join_strands(join_strands(mask, (1, 1), sizes.erode), sizes.dilate)


def core_of(tile: Tile) -> tuple[slice, slice]:
    """Return where a tile's core lies in its window."""
    top, _, left, _ = tile.margins
    height, width = tile.core_shape
    return slice(top, top + height), slice(left, left + width)
