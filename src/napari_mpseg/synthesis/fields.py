"""Smooth random fields: uneven light, texture, clouds."""

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.synthesis.blocks import Window
from napari_mpseg.synthesis.streams import uniform

# Standard deviation of a cubic B-spline over independent uniform(-1, 1) knots, averaged over positions:
# sqrt(1/3) times the mean of the summed squared weights per axis, 151/315.
_SPREAD = 151 / 315 / np.sqrt(3)


def _weights(start: int, count: int, spacing: float) -> tuple[int, NDArray[np.float32]]:
    """Return the first knot and the ``(count, knots)`` cubic B-spline weights of consecutive pixels."""
    place = (start + np.arange(count)) / spacing
    cell = np.floor(place).astype(np.int64)
    t = place - cell
    first = int(cell[0]) - 1
    taps = np.stack([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3], 1) / 6
    weights = np.zeros((count, int(cell[-1]) - first + 3), np.float32)
    np.put_along_axis(weights, (cell - 1 - first)[:, None] + np.arange(4), taps.astype(np.float32), 1)
    return first, weights


def separable(
    rows: NDArray[np.float32], field: NDArray[np.float32], columns: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return ``rows @ field @ columns.T``, without BLAS.

    BLAS starts threads of its own for these small products; under dask's threads they cost four times the
    whole rendering, and the last bit of the result would depend on their number.
    """
    half = np.einsum("ij,jk->ik", field, np.ascontiguousarray(columns.T), optimize=False)
    return np.asarray(np.einsum("ij,jk->ik", rows, half, optimize=False), np.float32)


def smooth_field(seed: int, purpose: str, window: Window, spacing: float | tuple[float, float]) -> NDArray[np.float32]:
    """Return a window of an endless smooth random field of mean 0 and standard deviation 1.

    Parameters
    ----------
    seed, purpose
        Name the field, as in :func:`napari_mpseg.synthesis.streams.keys`.
    window : Window
        Which pixels.
    spacing : float or tuple of float
        Distance of the random knots in pixels, for ``(Y, X)``: the size of the features.

    Returns
    -------
    ndarray of float32
        ``(height, width)``.
    """
    along_y, along_x = spacing if isinstance(spacing, tuple) else (spacing, spacing)
    top, rows = _weights(window.y, window.height, along_y)
    left, columns = _weights(window.x, window.width, along_x)
    knots = uniform(
        seed, purpose, (top + np.arange(rows.shape[1]))[:, None], (left + np.arange(columns.shape[1]))[None]
    )
    knots = ((2 * knots - 1) / _SPREAD).astype(np.float32)
    return separable(rows, knots, columns)
