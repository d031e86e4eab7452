"""What is done to a mask before it is split, and to the parts afterwards."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.particles.compiled import njit
from napari_mpseg.particles.instances.components import label_pieces


def join_strands(
    mask: NDArray[np.bool_], dilate: tuple[int, int], erode: tuple[int, int] = (1, 1)
) -> NDArray[np.bool_]:
    """Dilate a mask by one rectangle and erode it by another, to join what is broken.

    Parameters
    ----------
    mask : numpy.ndarray
        bool ``(Y, X)``.
    dilate, erode : tuple of int
        Height and width, odd. What lies outside the image is background when dilating and particle when eroding, so
        that nothing is eaten away at the border.

    Notes
    -----
    With 15 and 9 px this is how Badillo-Cardenas et al. rejoin broken strands before counting.
    """
    from scipy.ndimage import maximum_filter1d, minimum_filter1d

    found = mask.view(np.uint8)
    for axis, side in enumerate(dilate):
        if side > 1:
            found = maximum_filter1d(found, side, axis=axis, mode="constant", cval=0)
    for axis, side in enumerate(erode):
        if side > 1:
            found = minimum_filter1d(found, side, axis=axis, mode="constant", cval=1)
    return np.asarray(found).astype(bool)


def fill_holes(regions: NDArray[Any], largest: float | None = None, connectivity: int = 2) -> NDArray[Any]:
    """Fill holes: background that is enclosed by one region and does not reach the image's border.

    Parameters
    ----------
    regions : numpy.ndarray
        ``(Y, X)``, a mask or labels. Not changed.
    largest : float or None
        Most pixels of a hole that is filled, inclusive; None fills all.
    connectivity : {1, 2}
        Of the regions. The background is connected the other way.

    Returns
    -------
    numpy.ndarray
        A copy. A hole between several labels stays.
    """
    filled = regions.copy()
    if not regions.size or (largest is not None and largest < 1):
        return filled
    holes = label_pieces(regions == 0, 3 - connectivity)
    count = int(holes.max())
    around = np.zeros(count + 1, np.int64)
    sizes = _sizes(holes, count)
    _look_around(holes, regions.astype(np.uint8) if regions.dtype == bool else regions, around)
    around[0] = -1
    if largest is not None:
        around[sizes > largest * (1 + 1e-9)] = -1
    _fill(holes, around, filled)
    return filled


def kept_labels(
    labels: NDArray[np.int32], *, least: float = 0.0, most: float | None = None, exclude_on_edges: bool = False
) -> NDArray[np.bool_]:
    """Return which labels stay, as one bool per number (0, the background, does not).

    Parameters
    ----------
    labels : numpy.ndarray
        int32 ``(Y, X)``.
    least, most : float
        Fewest and most pixels, both inclusive.
    exclude_on_edges : bool
        Drop labels that touch the border.
    """
    sizes: NDArray[np.int64] = _sizes(labels, int(labels.max(initial=0)))
    # sizes given in a unit come back from a division, a rounding error off
    kept: NDArray[np.bool_] = (sizes > 0) & (sizes >= least * (1 - 1e-9))
    if most is not None:
        kept &= sizes <= most * (1 + 1e-9)
    if exclude_on_edges and labels.size:
        for edge in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
            kept[edge] = False
    kept[0] = False
    return kept


def renumbered(labels: NDArray[np.int32], kept: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Return the labels that are kept, numbered 1 ... N in raster order of their first pixel; the rest is 0."""
    new = np.zeros(labels.shape, np.int32)
    _number(labels, np.where(kept, 0, -1).astype(np.int64), new)
    return new


@njit
def _sizes(labels, count):  # type: ignore[no-untyped-def]
    # numpy's bincount would copy the whole image into 64 bit first
    sizes = np.zeros(count + 1, np.int64)
    for y in range(labels.shape[0]):
        for x in range(labels.shape[1]):
            sizes[labels[y, x]] += 1
    return sizes


@njit
def _look_around(holes, regions, around):  # type: ignore[no-untyped-def]
    """Note, per hole, the one region around it; -1 where it is more than one, or the image's border."""
    rows, columns = holes.shape
    for y in range(rows):
        for x in range(columns):
            hole = holes[y, x]
            if hole == 0:
                continue
            if y == 0 or x == 0 or y == rows - 1 or x == columns - 1:
                around[hole] = -1
                continue
            for dy, dx in ((-1, 0), (0, -1), (0, 1), (1, 0)):
                region = regions[y + dy, x + dx]
                if region != 0 and around[hole] != region:
                    around[hole] = region if around[hole] == 0 else -1


@njit
def _fill(holes, around, filled):  # type: ignore[no-untyped-def]
    for y in range(holes.shape[0]):
        for x in range(holes.shape[1]):
            region = around[holes[y, x]]
            if region > 0:
                filled[y, x] = region


@njit
def _number(labels, numbers, new):  # type: ignore[no-untyped-def]
    count = 0
    for y in range(labels.shape[0]):
        for x in range(labels.shape[1]):
            label = labels[y, x]
            number = numbers[label]
            if number < 0:
                continue
            if number == 0:
                count += 1
                number = count
                numbers[label] = number
            new[y, x] = number
