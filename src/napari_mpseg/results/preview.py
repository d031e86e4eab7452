"""A small 8-bit RGB picture of an image of any size and kind."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.images.image import Image
from napari_mpseg.images.region import read_region
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback, silent

_BLOCK = 2048
_BRIGHTEST = 235  # leaves the rings something to stand out from
_CLIPPED_ABOVE = 99.99  # percentile
_ENOUGH = 1 << 20  # values for a percentile
_LARGEST_STEP = 16
_LARGEST = 1e30  # values beyond would overflow when summed


def preview(
    image: Image, step: int = 1, on_progress: ProgressCallback = silent, cancel: CancelToken | None = None
) -> NDArray[np.uint8]:
    """Return the image averaged over ``step`` x ``step`` pixels, stretched so that dim images can be seen.

    Parameters
    ----------
    image : Image
        ``(Y, X)`` or ``(Y, X, C)``, any real dtype; read once, block by block. One, two, or five and more channels are
        shown as their mean in grey, three as they are, of four the first three.
    step : int
        Pixels of a side that become one.
    on_progress, cancel
        See :mod:`napari_mpseg.progress`.

    Returns
    -------
    numpy.ndarray
        uint8 ``(ceil(Y / step), ceil(X / step), 3)``. Pixels that are not finite are left out of the averages;
        where there are no others, the picture is black.

    Raises
    ------
    Cancelled
        If `cancel` was set.
    """
    height, width = image.shape
    rows, cols = -(-height // step), -(-width // step)
    small = np.zeros((rows, cols, 3), np.float32)
    block = max(step, _BLOCK // step * step)
    corners = [(y, x) for y in range(0, height, block) for x in range(0, width, block)]
    for done, (y, x) in enumerate(corners, 1):
        if cancel is not None:
            cancel.check()
        pixels = read_region(image, y, min(y + block, height), x, min(x + block, width))
        simple = pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] in (3, 4) and step <= _LARGEST_STEP
        part = _averaged_bytes(pixels, step) if simple else _averaged(_colour(pixels), step)
        small[y // step : y // step + part.shape[0], x // step : x // step + part.shape[1]] = part
        on_progress(Progress("Drawing", done, len(corners), "blocks"))
    return stretched(small)


def _colour(pixels: NDArray[Any]) -> NDArray[np.float32]:
    """Return float32 ``(Y, X, 3)``; what is not finite becomes NaN."""
    if pixels.dtype.kind == "f":
        pixels = np.where(np.isfinite(pixels), np.clip(pixels.astype(np.float64), -_LARGEST, _LARGEST), np.nan)
    colour = pixels.astype(np.float32)
    if colour.ndim == 3 and colour.shape[2] not in (3, 4):
        colour = colour.mean(2)
    if colour.ndim == 2:
        colour = np.repeat(colour[..., None], 3, 2)
    return colour[..., :3]


def _averaged_bytes(pixels: NDArray[np.uint8], step: int) -> NDArray[np.float32]:
    """Return the mean of each ``step`` x ``step`` pixels of an RGB image, several times faster than for floats."""
    height, width = pixels.shape[:2]
    total = np.zeros((-(-height // step), -(-width // step), 3), np.uint32)
    count = np.zeros(total.shape[:2], np.uint32)
    for dy in range(step):
        for dx in range(step):
            part = pixels[dy::step, dx::step, :3]
            total[: part.shape[0], : part.shape[1]] += part
            count[: part.shape[0], : part.shape[1]] += 1
    return np.asarray(total / count[..., None], np.float32)


def _averaged(pixels: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    """Return the mean of the finite values of each ``step`` x ``step`` pixels; NaN where there are none."""
    if step == 1:
        return pixels
    finite = np.isfinite(pixels)
    everything = bool(np.isfinite(pixels).all())
    total = _summed(pixels if everything else np.where(finite, pixels, 0), step)
    count = _summed(
        (np.ones(pixels.shape[:2], np.float32)[..., None] if everything else finite.astype(np.float32)), step
    )
    with np.errstate(invalid="ignore"):
        return np.asarray(total / count, np.float32)


def _summed(pixels: NDArray[Any], step: int) -> NDArray[Any]:
    down = np.add.reduceat(pixels, np.arange(0, pixels.shape[0], step), 0)
    return np.asarray(np.add.reduceat(down, np.arange(0, pixels.shape[1], step), 1))


def stretched(pixels: NDArray[np.float32] | NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return ``(Y, X, 3)`` as uint8, stretched so that dim images can be seen; what is not finite is black."""
    # one channel after the other: ten times faster than a maximum along a short axis
    brightest = np.maximum(np.maximum(pixels[..., 0], pixels[..., 1]), pixels[..., 2])
    finite = np.isfinite(brightest)
    everything = bool(np.isfinite(pixels).all())
    if not finite.any():
        return np.zeros(pixels.shape, np.uint8)
    low = float(pixels.min() if everything else np.nanmin(pixels))
    # A few hot pixels may be clipped, but a few particles on black must stay.
    values = brightest.ravel() if everything else brightest[finite]
    high = float(np.percentile(values[:: 1 + values.size // _ENOUGH], _CLIPPED_ABOVE))
    high = high if high > low else float(values.max())
    # less is the rounding of the averages, not a difference
    scale = 1 / (high - low) if high - low > 1e-6 * max(abs(low), abs(high)) else 0.0
    if pixels.dtype == np.uint8:
        return _shown(np.arange(256, dtype=np.float32), low, scale)[pixels]
    return _shown(pixels.astype(np.float32) if everything else np.nan_to_num(pixels, nan=low), low, scale)


def _shown(pixels: NDArray[np.float32], low: float, scale: float) -> NDArray[np.uint8]:
    """Return what is shown of grey levels, which are changed."""
    pixels -= low
    pixels *= scale
    np.clip(pixels, 0, 1, out=pixels)
    pixels *= _BRIGHTEST
    pixels += 0.5
    return pixels.astype(np.uint8)  # cuts off: rounding, as nothing is negative
