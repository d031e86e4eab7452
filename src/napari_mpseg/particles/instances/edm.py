"""ImageJ's Euclidean distance map and its ultimate points.

The definitions are those of ImageJ's *Process > Binary*: the image's border is not background, and maxima are looked
for on heights that estimate how high the ridge between the pixels' centres is.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.particles.compiled import njit
from napari_mpseg.particles.instances.components import each_piece, label_pieces, mask_array
from napari_mpseg.particles.instances.maxima import POINT, candidates, mark_maxima
from napari_mpseg.progress import CancelToken, ProgressCallback, silent

TOLERANCE = 0.5
"""How far (in pixels) a maximum must stand out from the saddle to a higher one, in ImageJ."""

_SPARSE = 1 / 8
"""Share of its window below which a particle is looked at pixel by pixel, as a fibre that lies aslant."""

_NO_BACKGROUND = np.float32(np.sqrt(np.finfo(np.float32).max))


def distances(mask: NDArray[np.bool_], sampling: tuple[float, float] | None = None) -> NDArray[np.float32]:
    """Return each pixel's distance to the next background pixel, float32 ``(Y, X)``.

    Parameters
    ----------
    mask : numpy.ndarray
        bool ``(Y, X)``. Where it has no background at all, every distance is the same very large number.
    sampling : tuple of float, optional
        Height and width of a pixel; without, distances are in pixels.
    """
    from scipy.ndimage import distance_transform_edt

    count = np.count_nonzero(mask)
    if count == mask.size:
        return np.full(mask.shape, _NO_BACKGROUND)
    if count < mask.size * _SPARSE:
        found = np.zeros(mask.shape, np.float32)
        _measure_sparse(mask, *(sampling or (1.0, 1.0)), found)
        return found
    return np.asarray(distance_transform_edt(mask, sampling=sampling), np.float32)


def distance_map(mask: Any) -> NDArray[np.uint8]:
    """Return ImageJ's 8-bit *Distance Map*: the distance rounded to a whole number, 255 at most.

    Parameters
    ----------
    mask : array
        ``(Y, X)``; what is not 0 is particle. The image's border is not background.

    Returns
    -------
    numpy.ndarray
        uint8 ``(Y, X)``.

    Examples
    --------
    >>> distance_map([[0, 1, 1, 1, 1]]).tolist()
    [[0, 1, 2, 3, 4]]
    """
    found = distances(mask_array(mask))
    return np.floor(np.minimum(found, np.float32(254.5)) + np.float32(0.5)).astype(np.uint8)


def corrected_heights(distances: NDArray[np.float32]) -> NDArray[np.float32]:
    """Estimate the heights that a distance map reaches between the pixels' centres.

    A pixel that is a ridge or maximum along at least one of the four axes gets the lowest of: its distance and half a
    diagonal; and per axis the mean of both neighbours (the smaller one where the pixel is no ridge along that axis) and
    the way to them. Other pixels, and those on the image's border, keep their distance.

    Parameters
    ----------
    distances : numpy.ndarray
        float32 ``(Y, X)``.

    Returns
    -------
    numpy.ndarray
        float32 ``(Y, X)``.
    """
    heights = distances.copy()
    _correct(np.ascontiguousarray(distances), heights)
    return heights


def ultimate_points(
    mask: Any,
    *,
    tolerance: float = TOLERANCE,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> NDArray[np.float64]:
    """Return ImageJ's *Ultimate Points*: the centres of the parts into which its watershed cuts a mask.

    Parameters
    ----------
    mask : array
        ``(Y, X)``; what is not 0 is particle.
    tolerance : float
        How far in pixels a maximum of the distance map must stand out; 0.5 in ImageJ.
    on_progress, cancel
        See :mod:`napari_mpseg.progress`.

    Returns
    -------
    numpy.ndarray
        float64 ``(N, 2)``, row and column of the pixels (the first pixel's centre is 0), in raster order. Each
        8-connected particle has at least one.

    Raises
    ------
    ImageError
        If the mask does not have two axes.
    Cancelled
        If `cancel` was set.

    Examples
    --------
    >>> ultimate_points(np.ones((3, 3)))
    array([[1., 1.]])
    """
    array = mask_array(mask)
    found = [np.empty((0, 2), np.int64)]
    pieces = label_pieces(array)
    for piece in each_piece(pieces, stage="Ultimate points", on_progress=on_progress, cancel=cancel):
        marks = _marks(piece.mask, tolerance)
        found.append(np.argwhere(marks & POINT) + piece.origin)
    points = np.concatenate(found)
    return points[np.lexsort((points[:, 1], points[:, 0]))].astype(np.float64)


def _marks(mask: NDArray[np.bool_], tolerance: float) -> NDArray[np.uint8]:
    far = distances(mask)
    heights = corrected_heights(far)
    marks = np.zeros(mask.shape, np.uint8)
    mark_maxima(heights, candidates(far, heights), np.float32(tolerance), marks)
    return marks


@njit
def _measure_sparse(mask, high, wide, found):  # type: ignore[no-untyped-def]
    """Write each particle pixel's distance to background to `found`, zeros so far.

    First the distance within the column; then a row is searched to both sides as far as something nearer can be.
    The mask must hold background, or no distance would end.
    """
    rows, columns = mask.shape
    far = rows + columns
    steps = np.zeros((rows, columns), np.int32)  # to background in the column; `far` and more where there is none
    for y in range(rows):
        for x in range(columns):
            if mask[y, x]:
                steps[y, x] = steps[y - 1, x] + 1 if y > 0 else far
    for y in range(rows - 2, -1, -1):
        for x in range(columns):
            if mask[y, x]:
                steps[y, x] = min(steps[y, x], steps[y + 1, x] + 1)
    for y in range(rows):
        for x in range(columns):
            if not mask[y, x]:
                continue
            nearest = (steps[y, x] * high) ** 2 if steps[y, x] < far else np.inf
            for away in range(1, columns):
                across = (away * wide) ** 2
                if across >= nearest:
                    break
                for x2 in (x - away, x + away):
                    if 0 <= x2 < columns and steps[y, x2] < far:
                        nearest = min(nearest, (steps[y, x2] * high) ** 2 + across)
            found[y, x] = np.sqrt(nearest)


@njit
def _correct(distances, heights):  # type: ignore[no-untyped-def]
    root2 = np.float32(1.4142135624)
    half, one = np.float32(0.5), np.float32(1)
    for y in range(1, distances.shape[0] - 1):
        for x in range(1, distances.shape[1] - 1):
            value = distances[y, x]
            if value == 0:
                continue
            height = value + half * root2
            ridge = False
            for dy, dx in ((-1, 0), (-1, 1), (0, 1), (1, 1)):
                a, b = distances[y + dy, x + dx], distances[y - dy, x - dx]
                along = min(a, b)
                if value >= a and value >= b:
                    ridge = True
                    along = (a + b) * half
                along += root2 if dy != 0 and dx != 0 else one
                height = min(height, along)
            if ridge:
                heights[y, x] = height
