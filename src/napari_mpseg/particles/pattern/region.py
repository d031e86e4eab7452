"""The region in which particles could have lain: the image, a circle, polygons or a mask."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import ImageError, SettingsError

Points = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Region:
    """Part of an image, by its rows' runs of pixels: pixel (i, j) covers i - 0.5 to i + 0.5 and j - 0.5 to j + 0.5.

    Make one with :meth:`rectangle`, :meth:`circle`, :meth:`polygons` or :meth:`of_mask`.

    Attributes
    ----------
    shape : tuple of int
        Height and width of the image in pixels.
    row, start, stop : numpy.ndarray
        int64 ``(R,)``: a run of the region covers columns ``start`` to ``stop - 1`` of ``row``.
    name : str
        What it is, in words: ``"whole image"``.
    outline_px : tuple of float or None
        Length of the outline along y and along x in pixels, where it is known exactly.
    """

    shape: tuple[int, int]
    row: NDArray[np.int64]
    start: NDArray[np.int64]
    stop: NDArray[np.int64]
    name: str
    outline_px: tuple[float, float] | None = None

    @classmethod
    def rectangle(cls, shape: Sequence[int]) -> "Region":
        """Return the whole image of `shape` (height, width).

        Raises
        ------
        SettingsError
            If these are not two sizes of 1 or more.
        """
        if len(shape) != 2 or any(int(side) != side or side < 1 for side in shape):
            raise SettingsError(f"The shape {tuple(shape)!r} is not a height and a width in pixels, such as 960 1280.")
        height, width = (int(side) for side in shape)
        rows = np.arange(height, dtype=np.int64)
        ends = np.full(height, width, np.int64)
        return cls((height, width), rows, np.zeros_like(rows), ends, "whole image", (2.0 * height, 2.0 * width))

    @classmethod
    def circle(cls, shape: Sequence[int]) -> "Region":
        """Return the largest circle in an image of `shape`, as a round filter fills it; pixels by their centres."""
        height, width = cls.rectangle(shape).shape
        radius = min(height, width) / 2
        away = np.arange(height) - (height - 1) / 2
        half = np.sqrt(np.maximum(radius**2 - away**2, 0))
        middle = (width - 1) / 2
        start = np.ceil(middle - half).astype(np.int64)
        stop = np.floor(middle + half).astype(np.int64) + 1
        rows = np.flatnonzero((np.abs(away) <= radius) & (stop > start))
        return cls((height, width), rows, start[rows], stop[rows], "largest circle in the image")

    @classmethod
    def of_mask(cls, mask: Any, name: str = "mask") -> "Region":
        """Return what is not 0 in a ``(Y, X)`` mask of any dtype.

        Raises
        ------
        ImageError
            If it is not two-dimensional, or all 0.
        """
        array = np.asarray(mask)
        if array.ndim != 2:
            raise ImageError(f"A region must be a mask of two axes (Y, X); this has the shape {array.shape}.")
        inside = np.zeros((array.shape[0], array.shape[1] + 2), np.int8)
        inside[:, 1:-1] = array != 0
        step = np.diff(inside, axis=1)
        row, start = np.nonzero(step == 1)
        stop = np.nonzero(step == -1)[1]
        if not len(row):
            raise ImageError("The region is empty: no pixel of its mask differs from 0. Choose another region.")
        return cls((array.shape[0], array.shape[1]), row.astype(np.int64), start, stop, name)

    @classmethod
    def polygons(cls, polygons: Sequence[Any], shape: Sequence[int], name: str = "polygons") -> "Region":
        """Return the pixels of an image of `shape` whose centres lie in one of the polygons.

        Parameters
        ----------
        polygons : sequence of array
            Each ``(K, 2)``: corners (y, x) in pixel indices.
        shape : tuple of int
            Height and width of the image.
        name : str
            What the region is, in words.

        Raises
        ------
        ImageError
            If no pixel lies in them.
        """
        from skimage.draw import polygon2mask

        height, width = cls.rectangle(shape).shape
        mask = np.zeros((height, width), bool)
        for corners in polygons:
            mask |= polygon2mask((height, width), np.asarray(corners, float))
        return cls.of_mask(mask, name)

    @cached_property
    def ends(self) -> NDArray[np.int64]:
        """Number of pixels up to and with each run, int64 ``(R,)``."""
        return np.cumsum(self.stop - self.start)

    @property
    def area_px(self) -> int:
        """Number of pixels."""
        return int(self.ends[-1])

    def area(self, pixel_size: tuple[float, float]) -> float:
        """Return the area in the unit of `pixel_size` squared."""
        return self.area_px * pixel_size[0] * pixel_size[1]

    def outline(self, pixel_size: tuple[float, float]) -> float:
        """Return the length of the outline in the unit of `pixel_size`; by Crofton's formula where it is not known."""
        if self.outline_px is not None:
            return self.outline_px[0] * pixel_size[0] + self.outline_px[1] * pixel_size[1]
        from skimage.measure import perimeter_crofton

        pixels = float(perimeter_crofton(np.pad(self.mask(), 1), directions=4))
        return pixels * float(np.sqrt(pixel_size[0] * pixel_size[1]))

    def mask(self) -> NDArray[np.bool_]:
        """Return the region as a boolean ``(Y, X)`` array."""
        edges = np.zeros((self.shape[0], self.shape[1] + 1), np.int8)
        edges[self.row, self.start] += 1
        edges[self.row, self.stop] -= 1
        return np.asarray(np.cumsum(edges[:, :-1], axis=1, dtype=np.int8) > 0)

    def holds(self, points: Points) -> NDArray[np.bool_]:
        """Return which points ``(N, 2)``, (y, x) in pixel indices, lie in a pixel of the region; bool ``(N,)``."""
        place = np.floor(points + 0.5)
        inside = np.all((place >= 0) & (place < self.shape), axis=1)
        found = np.zeros(len(points), bool)
        y, x = place[inside].astype(np.int64).T
        # runs lie in raster order, so the last one that begins at or before the pixel is the only one that can hold it
        width = self.shape[1] + 1
        run = np.searchsorted(self.row * width + self.start, y * width + x, side="right") - 1
        known = run >= 0
        run = np.maximum(run, 0)
        found[inside] = known & (self.row[run] == y) & (x < self.stop[run])
        return found

    def sample(self, rng: np.random.Generator, count: int) -> Points:
        """Return `count` points (y, x) in pixel indices, uniform over the region, float64 ``(count, 2)``."""
        along = rng.random(count) * self.area_px
        run = np.minimum(np.searchsorted(self.ends, along, side="right"), len(self.ends) - 1)
        points = np.empty((count, 2))
        points[:, 0] = self.row[run] + rng.random(count) - 0.5
        points[:, 1] = self.stop[run] - 0.5 - (self.ends[run] - along)
        return points
