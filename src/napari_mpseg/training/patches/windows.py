"""Patches of a sliding window: where they lie, cutting them out, and rebuilding the image from them.

This is how Baek et al. 2021 made their training data: windows of 256 px every 30 px, those with at least one particle
pixel, and one more patch without particle for every twenty with one, at random places. Patches are named by their
corners and cut out when they are needed, so nothing is written to disk.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from napari_mpseg.errors import SettingsError
from napari_mpseg.training.data.pairs import LabelledImage
from napari_mpseg.training.patches.pixel_index import PixelIndex

Array = np.ndarray[Any, Any]


class CountTable:
    """How many pixels of a mask lie in any window, by a summed-area table.

    It takes four bytes per pixel while it lives (eight from 2**31 pixels on).

    Parameters
    ----------
    mask : ndarray of bool
        ``(Y, X)``.
    """

    def __init__(self, mask: Array) -> None:
        height, width = mask.shape
        self.shape = (height, width)
        self._sums = np.zeros((height + 1, width + 1), np.int32 if mask.size < 2**31 else np.int64)
        inner = self._sums[1:, 1:]
        np.cumsum(mask, axis=0, dtype=inner.dtype, out=inner)
        np.cumsum(inner, axis=1, out=inner)

    def at(self, corners: Array, size: int) -> Array:
        """Return the count in each window of side `size`; `corners` is ``(N, 2)``, y and x of its first pixel."""
        (y0, x0), (height, width) = corners.T, self.shape
        y1, x1 = np.minimum(y0 + size, height), np.minimum(x0 + size, width)
        sums = self._sums
        counts: Array = sums[y1, x1] - sums[y0, x1] - sums[y1, x0] + sums[y0, x0]
        return counts

    def everywhere(self, size: int) -> Array:
        """Return the counts of the windows at all places, ``(Y - size + 1, X - size + 1)``, at least one each way."""
        rows, columns = (min(size, length) for length in self.shape)
        sums = self._sums
        counts: Array = sums[rows:, columns:] - sums[:-rows, columns:]
        counts -= sums[rows:, :-columns]
        counts += sums[:-rows, :-columns]
        return counts


def window_corners(shape: tuple[int, int], size: int = 256, step: int = 30, *, flush: bool = True) -> Array:
    """Return the corners of a sliding window in reading order.

    Parameters
    ----------
    shape : tuple of int
        Height and width of the image.
    size, step : int
        Pixels.
    flush : bool
        Add a last window flush with the border where the steps do not end there, so that every pixel is covered (and
        the image can be rebuilt); the papers do not say which. False drops what is left over. An image smaller than
        the window has one window at its first pixel in any case.

    Returns
    -------
    ndarray of int
        ``(N, 2)``: y and x of the first pixel of each window.
    """

    def along(length: int) -> Array:
        last = max(length - size, 0)
        starts = np.arange(0, last + 1, step)
        return np.append(starts, last) if flush and starts[-1] != last else starts

    if size < 1 or step < 1:
        raise SettingsError(f"A window of {size} px every {step} px is impossible: give at least 1 for both.")
    ys, xs = along(shape[0]), along(shape[1])
    return np.stack([np.repeat(ys, len(xs)), np.tile(xs, len(ys))], axis=1)


def find_patches(
    images: Sequence[LabelledImage],
    rng: np.random.Generator,
    *,
    size: int = 256,
    step: int = 30,
    least_foreground: int = 1,
    background_share: float = 0.05,
    flush: bool = True,
) -> Array:
    """Choose the patches to learn from.

    Kept are the windows of :func:`window_corners` with at least `least_foreground` particle pixels. With N of them in
    all images together, floor(`background_share` x N) patches without any particle pixel are added, at different
    places drawn from all images, every place as likely as any other (Baek et al. 2021: 0.05). Where the mask is known
    in part, only known pixels count, and every patch holds some.

    Parameters
    ----------
    images : sequence of LabelledImage
        Only masks are looked at.
    rng : numpy.random.Generator
        For the places without particle.
    size, step, flush
        As in :func:`window_corners`.
    least_foreground : int
        0 keeps every window.
    background_share : float
        0 adds none. Fewer are added where there are not so many places without particle.

    Returns
    -------
    ndarray of int
        ``(N, 3)``: number of the image, y and x; first those of the sliding window, then those without particle.

    Raises
    ------
    SettingsError
        If no window holds enough particle pixels.
    """
    kept, free = [], []
    for number, pair in enumerate(images):
        particle, known = _tables(pair)
        corners = window_corners(particle.shape, size, step, flush=flush)
        enough = particle.at(corners, size) >= least_foreground
        if known is not None:
            enough &= known.at(corners, size) > 0
        kept.append(np.insert(corners[enough], 0, number, axis=1))
        free.append(int(np.count_nonzero(_without_particle(particle, known, size))) if background_share else 0)
    chosen = np.concatenate(kept) if kept else np.zeros((0, 3), int)
    if not len(chosen):
        raise SettingsError(
            f"No patch of {size} px holds {least_foreground} particle pixels or more. Label some particles, or lower "
            "least_foreground."
        )
    wanted = math.floor(background_share * len(chosen) + 1e-9)  # 0.29 x 100 is 28.999999999999996 otherwise
    return np.concatenate([chosen, _random_places(images, free, wanted, size, rng)])


def _tables(pair: LabelledImage) -> tuple[CountTable, CountTable | None]:
    if pair.known is None:
        return CountTable(pair.mask), None
    return CountTable(pair.mask & pair.known), CountTable(pair.known)


def _without_particle(particle: CountTable, known: CountTable | None, size: int) -> Array:
    free: Array = particle.everywhere(size) == 0
    return free if known is None else free & (known.everywhere(size) > 0)


def _random_places(
    images: Sequence[LabelledImage], free: Sequence[int], wanted: int, size: int, rng: np.random.Generator
) -> Array:
    """Draw places among all free ones; their maps are made again rather than kept for all images at once."""
    ends = np.cumsum([0, *free])
    numbers = np.sort(rng.choice(int(ends[-1]), min(wanted, int(ends[-1])), replace=False)) if wanted else np.zeros(0)
    found = []
    for image, pair in enumerate(images):
        own = numbers[(numbers >= ends[image]) & (numbers < ends[image + 1])] - ends[image]
        if len(own):
            places = PixelIndex(_without_particle(*_tables(pair), size))
            found += [(image, *places.pixel(int(number))) for number in own]
    return np.array(found, int).reshape(-1, 3)


def cut(values: Any, y: int, x: int, size: int) -> Array:
    """Cut out one patch.

    Parameters
    ----------
    values : array-like
        ``(Y, X)`` or ``(Y, X, C)``; anything that is sliced as ``[y0:y1, x0:x1]``.
    y, x : int
        First pixel.
    size : int
        Side in pixels.

    Returns
    -------
    ndarray
        ``(size, size)`` or ``(size, size, C)``; where the image is smaller, its last row and column are repeated.
    """
    return filled(np.asarray(values[y : y + size, x : x + size]), size)


def filled(values: Array, size: int, *, mode: Any = "edge") -> Array:
    """Bring a patch from an image smaller than it to its full size, with pixels repeated (or 0: ``"constant"``)."""
    missing = [(0, size - length) for length in values.shape[:2]] + [(0, 0)] * (values.ndim - 2)
    return np.pad(values, missing, mode=mode) if any(after for _, after in missing) else values


def iterate_patches(image: Any, mask: Array, corners: Array, size: int = 256) -> Iterator[tuple[Array, Array]]:
    """Give image ``(size, size[, C])`` and mask ``(size, size)`` of each patch, one at a time; see :func:`cut`."""
    for y, x in corners:
        yield cut(image, int(y), int(x), size), cut(mask, int(y), int(x), size)


def stitch(patches: Iterable[Array], corners: Array, shape: tuple[int, int], *, uncovered: float = 0.0) -> Array:
    """Rebuild an image from patches, the mean where they overlap.

    The papers rebuild before they compute any metric, so that a pixel counts once however many patches hold it.

    Parameters
    ----------
    patches : iterable of ndarray
        ``(size, size)`` or ``(size, size, C)``, one for each corner; what lies beyond the image is left out. They are
        taken one at a time, so a generator will do.
    corners : ndarray of int
        ``(N, 2)``: y and x of each patch's first pixel.
    shape : tuple of int
        Height and width of the image.
    uncovered : float
        The value of pixels that no patch holds.

    Returns
    -------
    ndarray of float32
        ``(Y, X)`` or ``(Y, X, C)``.
    """
    times = np.zeros(shape, np.int32)
    total: Array | None = None
    for patch, (y, x) in zip(patches, corners, strict=True):
        if total is None:
            total = np.zeros((*shape, *patch.shape[2:]))
        part = (slice(y, y + patch.shape[0]), slice(x, x + patch.shape[1]))
        height, width = times[part].shape
        total[part] += patch[:height, :width]
        times[part] += 1
    if total is None:
        return np.full(shape, uncovered, np.float32)
    covered = times > 0
    total /= np.maximum(times, 1).reshape(*shape, *[1] * (total.ndim - 2))
    total[~covered] = uncovered
    return total.astype(np.float32)
