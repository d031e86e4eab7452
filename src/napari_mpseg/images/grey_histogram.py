"""Exact minimum, maximum and percentiles of an image of any size, in bounded memory.

8- and 16-bit values have one histogram bin each. Wider values are ordered by the bits of their float32 form: a first
pass counts the upper 16 bits, a second one the lower 16 bits of those values that share the bin of the percentile
(radix selection). So percentiles are exact to float32, whatever the spread of the values.
"""

import math
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.images.image import Image
from napari_mpseg.images.region import read_region
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback, silent

_BINS = 1 << 16
_PIXELS_PER_WINDOW = 1 << 21


class GreyHistogram:
    """The distribution of the finite values of an image, all channels together.

    Parameters
    ----------
    image : Image
        Any real dtype.
    cancel : CancelToken, optional
        Asked at every window.
    on_progress : callable, optional
        Called at every window.

    Attributes
    ----------
    minimum, maximum : float
        Of the finite values; 0 where there is none.
    count : int
        Number of finite values.
    not_finite : int
        Number of pixels of which a channel is NaN or infinite.
    """

    def __init__(
        self, image: Image, cancel: CancelToken | None = None, on_progress: ProgressCallback | None = None
    ) -> None:
        self._windows: Callable[[], Iterator[NDArray[np.generic]]] = lambda: _windows(
            image, cancel or CancelToken(), on_progress or silent
        )
        dtype = np.dtype(image.dtype)
        self._narrow = dtype.kind in "iu" and dtype.itemsize <= 2
        self._offset = 32768 if self._narrow and dtype.kind == "i" else 0
        self._bins = np.zeros(_BINS, np.int64)
        self.minimum, self.maximum = math.inf, -math.inf
        self.not_finite = 0
        for values in self._windows():
            self._add(values)
        self.count = int(self._bins.sum())
        if not self.count:
            self.minimum = self.maximum = 0.0

    def _add(self, values: NDArray[np.generic]) -> None:
        if values.dtype.kind == "f":
            finite = np.isfinite(values)
            whole = finite if finite.ndim == 2 else finite.all(axis=2)
            self.not_finite += int(whole.size - np.count_nonzero(whole))
            values = values[finite]
        values = values.ravel()
        if not values.size:
            return
        self.minimum = min(self.minimum, float(values.min()))
        self.maximum = max(self.maximum, float(values.max()))
        upper = values.astype(np.int64) + self._offset if self._narrow else _ordered_bits(values) >> np.uint32(16)
        self._bins += np.bincount(upper, minlength=_BINS)

    def percentiles(self, wanted: Iterable[float]) -> list[float]:
        """Return percentiles (0 to 100): the smallest value that at least that share of values does not exceed.

        This is ``numpy.percentile(..., method="inverted_cdf")``; for values wider than 16 bits a second pass over the
        image is made.
        """
        wanted = list(wanted)
        if not self.count:
            return [0.0] * len(wanted)
        ranks = [max(1, math.ceil(percent / 100 * self.count - 1e-9)) for percent in wanted]
        below = np.cumsum(self._bins)
        bins = [int(np.searchsorted(below, rank)) for rank in ranks]
        if self._narrow:
            return [float(index - self._offset) for index in bins]
        lower = self._lower_bits(set(bins))
        found = []
        for index, rank in zip(bins, ranks, strict=True):
            rest = rank - (int(below[index - 1]) if index else 0)
            bits = (index << 16) | int(np.searchsorted(np.cumsum(lower[index]), rest))
            found.append(min(max(_value_of(bits), self.minimum), self.maximum))
        return found

    def _lower_bits(self, bins: set[int]) -> dict[int, NDArray[np.int64]]:
        counts = {index: np.zeros(_BINS, np.int64) for index in bins}
        for window in self._windows():
            values = window.ravel()
            if values.dtype.kind == "f":
                values = values[np.isfinite(values)]
            bits = _ordered_bits(values)
            upper = bits >> np.uint32(16)
            for index, lower in counts.items():
                lower += np.bincount(bits[upper == index] & np.uint32(0xFFFF), minlength=_BINS)
        return counts


def _ordered_bits(values: NDArray[np.generic]) -> NDArray[np.uint32]:
    """Return float32 values as uint32 in the same order: the sign bit flipped, negative numbers all bits."""
    largest = float(np.finfo(np.float32).max)
    narrow = np.clip(values, -largest, largest) if values.dtype == np.float64 else values
    bits = narrow.astype(np.float32).view(np.uint32)
    return np.where(bits >> np.uint32(31), ~bits, bits | np.uint32(1 << 31)).astype(np.uint32)


def _value_of(bits: int) -> float:
    """Return the float whose ordered bits these are."""
    original = bits & 0x7FFFFFFF if bits >> 31 else ~bits & 0xFFFFFFFF
    return float(np.array(original, np.uint32).view(np.float32))


def _windows(image: Image, cancel: CancelToken, on_progress: ProgressCallback) -> Iterator[NDArray[np.generic]]:
    """Read the image in windows of whole dask blocks, about two million values each."""
    height, width = image.shape
    block_y, block_x = (max((1, *sizes)) for sizes in image.data.chunks[:2])
    step_x = _multiple(block_x, _PIXELS_PER_WINDOW // (block_y * image.n_channels), width)
    step_y = _multiple(block_y, _PIXELS_PER_WINDOW // (step_x * image.n_channels), height)
    places = [(y, x) for y in range(0, height, step_y) for x in range(0, width, step_x)]
    for done, (y, x) in enumerate(places):
        cancel.check()
        yield read_region(image, y, min(y + step_y, height), x, min(x + step_x, width))
        on_progress(Progress("Reading grey values", done + 1, len(places), "windows"))


def _multiple(block: int, wanted: int, size: int) -> int:
    """Return a step near `wanted` made of whole blocks, or a part of a block that is larger than can be held."""
    if block > max(wanted, 1024):
        return max(wanted, 1024)
    return min(max(block, wanted // block * block), max(size, 1))
