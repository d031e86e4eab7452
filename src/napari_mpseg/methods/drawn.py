"""Masks that are known before the tiles are asked for: drawn from stored pixels, or computed where they are read.

A predictor sees pixels and not where they lie. Methods that find particles by their place give the engine an image that
is the mask already, and this predictor, which passes it on.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from napari_mpseg.images.image import Image
from napari_mpseg.images.lazy import as_dask

Array = np.ndarray[Any, Any]
Box = tuple[int, int, int, int]
_BLOCK = 1024


@dataclass(frozen=True)
class DrawnPredictor:
    """Probability 1 where the mask it is shown is not 0."""

    halo: int = 0
    stride: int = 1
    exact: bool = True
    preferred_tile: int = 1024

    def predict(self, window: Any, margins: tuple[int, int, int, int] = (0, 0, 0, 0)) -> Array:
        """Return 0 or 1 per pixel; see ``TilePredictor``."""
        top, bottom, left, right = margins
        inner = np.asarray(window)[top : window.shape[0] - bottom, left : window.shape[1] - right]
        mask: Array = (inner != 0).astype(np.float32)
        return mask


class MaskSource:
    """An array whose values are computed at indexing; what ``dask.array.from_array`` asks for.

    Parameters
    ----------
    shape : tuple of int
        Height and width.
    draw : callable
        Takes ``(y0, y1, x0, x1)`` and returns that part, bool or uint8.
    """

    ndim = 2
    dtype = np.dtype(np.uint8)

    def __init__(self, shape: tuple[int, int], draw: Callable[[Box], Array]) -> None:
        self.shape = shape
        self._draw = draw

    def __getitem__(self, key: Any) -> Array:
        (y0, y1, _), (x0, x1, _) = (part.indices(size) for part, size in zip(key, self.shape, strict=True))
        return self._draw((y0, y1, x0, x1)).astype(np.uint8)


def drawn_image(image: Image, draw: Callable[[Box], Array]) -> Image:
    """Return an image of the same size that is a mask, drawn where it is read."""
    return replace(image, data=as_dask(MaskSource(image.shape, draw), "YX"), channels=())


class PixelSet:
    """The pixels of all particles found, kept by blocks, so that a tile is drawn from those nearby only.

    Eight bytes are kept per pixel.

    Parameters
    ----------
    pieces : iterable of ndarray
        int ``(N, 2)`` rows and columns each; pieces may overlap, but must lie in the image.
    """

    def __init__(self, pieces: Iterable[Array]) -> None:
        pixels = np.concatenate([np.zeros((0, 2), np.int32), *pieces]).astype(np.int32)
        of_block = pixels // _BLOCK
        order = np.lexsort((of_block[:, 1], of_block[:, 0]))
        pixels, of_block = pixels[order], of_block[order]
        starts = np.flatnonzero(np.any(of_block[1:] != of_block[:-1], axis=1)) + 1
        parts = np.split(pixels, starts) if len(pixels) else []
        self._blocks = {(int(part[0, 0]) // _BLOCK, int(part[0, 1]) // _BLOCK): part for part in parts}

    def draw(self, box: Box) -> Array:
        """Return the mask of a box, uint8 ``(Y, X)``."""
        y0, y1, x0, x1 = box
        mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
        for row in range(y0 // _BLOCK, (max(y1, y0 + 1) - 1) // _BLOCK + 1):
            for column in range(x0 // _BLOCK, (max(x1, x0 + 1) - 1) // _BLOCK + 1):
                pixels = self._blocks.get((row, column))
                if pixels is not None:
                    y, x = pixels[:, 0] - y0, pixels[:, 1] - x0
                    inside = (y >= 0) & (y < y1 - y0) & (x >= 0) & (x < x1 - x0)
                    mask[y[inside], x[inside]] = 1
        return mask
