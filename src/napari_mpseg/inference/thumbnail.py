"""A small picture of an image, put together from its tiles as they pass, so that the image is not read again for it."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from napari_mpseg.images.image import Image
from napari_mpseg.images.region import read_region
from napari_mpseg.inference.grid import Box, TileGrid
from napari_mpseg.inference.schedulers.each import for_each
from napari_mpseg.progress import CancelToken, ProgressCallback, silent

Array = np.ndarray[Any, Any]


@dataclass
class Thumbnail:
    """The mean of each ``step`` x ``step`` pixels of an 8-bit colour image.

    Parameters
    ----------
    image : Image
        ``(Y, X, C)`` uint8 with three channels or more; the first three are shown.
    step : int
        Pixels of a side that become one.
    """

    image: Image
    step: int
    _sums: Array = field(init=False, repr=False)
    _taken: set[Box] = field(init=False, default_factory=set, repr=False)

    def __post_init__(self) -> None:
        height, width = self.image.shape
        self._sums = np.zeros((-(-height // self.step), -(-width // self.step), 3), np.uint32)

    @staticmethod
    def suits(image: Image) -> bool:
        """Return whether such a picture can be made of an image."""
        return image.dtype == np.uint8 and image.n_channels in (3, 4)

    def add(self, core: Box, sums: Array) -> None:
        """Take the :func:`block_sums` of one tile; every pixel of the image must be taken once."""
        top, left = core[0] // self.step, core[2] // self.step
        self._sums[top : top + sums.shape[0], left : left + sums.shape[1]] += sums
        self._taken.add(core)

    def complete(
        self, grid: TileGrid, on_progress: ProgressCallback = silent, cancel: CancelToken | None = None
    ) -> None:
        """Read the tiles that were not taken: an earlier run had finished them."""
        missing = [tile.core for tile in grid if tile.core not in self._taken]
        if missing:
            for_each(
                lambda core: block_sums(read_region(self.image, *core), core, self.step),
                missing,
                stage="Reading for the overlay",
                on_result=self.add,
                on_progress=on_progress,
                cancel=cancel or CancelToken(),
            )

    def mean(self) -> Array:
        """Return the picture ``(ceil(Y / step), ceil(X / step), 3)``: float32, or uint8 where the step is 1."""
        if self.step == 1:
            return self._sums.astype(np.uint8)
        down, right = (
            np.diff(np.append(np.arange(0, size, self.step), size)).astype(np.float32) for size in self.image.shape
        )
        picture = self._sums.astype(np.float32)
        picture /= np.outer(down, right)[..., None]
        return picture


def block_sums(pixels: Array, core: Box, step: int) -> Array:
    """Return the sums over the blocks of ``step`` x ``step`` pixels of the whole image that a tile touches.

    Parameters
    ----------
    pixels : ndarray of uint8
        ``(Y, X, C)`` of the tile's core.
    core : tuple of int
        ``(y0, y1, x0, x1)`` in the image.
    step : int
        Side of a block; blocks are counted from the image's first pixel.

    Returns
    -------
    ndarray of uint32
        ``(rows, columns, 3)``.
    """
    y0, y1, x0, x1 = core
    top, left = y0 % step, x0 % step
    rows, columns = -(-(top + y1 - y0) // step), -(-(left + x1 - x0) // step)
    # the k-th row of every block at a time, then the k-th column: several times faster than adding up along an axis
    small = np.uint16 if step * 255 <= np.iinfo(np.uint16).max else np.uint32
    down = np.zeros((rows, columns * step, 3), small)
    for k in range(step):
        first = (k - top) % step
        part = pixels[first::step, :, :3]
        at = (top + first) // step
        down[at : at + len(part), left : left + x1 - x0] += part
    found = np.zeros((rows, columns, 3), np.uint32)
    for k in range(step):
        found += down[:, k::step]
    return found
