"""What comes in, as regions in memory: a mask, or labels whose borders are to stay."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import ImageError
from napari_mpseg.images.image import Image
from napari_mpseg.particles.blocks import blocks_of
from napari_mpseg.progress import CancelToken

_ROUNDING = 1e-6  # how far sums and interpolation in float32 may leave 0 to 1


def regions_of(
    source: Any, threshold: float, within_labels: bool = False, cancel: CancelToken | None = None
) -> NDArray[Any]:
    """Return a mask as bool, or labels that are to be kept apart as int32 or int64, ``(Y, X)`` in memory.

    Parameters
    ----------
    source : array
        ``(Y, X)``, numpy, dask or zarr, read block by block. Boolean: a mask. Integer: labels, or a mask of any value.
        Real numbers from 0 to 1 (give or take 1e-6): a probability.
    threshold : float
        Probability above which a pixel is particle.
    within_labels : bool
        Keep the numbers of labels.
    cancel : CancelToken, optional
        Looked at in each block.

    Raises
    ------
    ImageError
        If it is none of these.
    """
    array = source if hasattr(source, "shape") and hasattr(source, "dtype") else np.asarray(source)
    _check(array)
    keep = within_labels and array.dtype.kind in "iu"
    kind: Any = bool if not keep else (np.int32 if np.can_cast(array.dtype, np.int32) else np.int64)
    regions = np.zeros(array.shape, kind)
    for block in blocks_of(array):
        if cancel is not None:
            cancel.check()
        values = np.asarray(array[block.slices])
        if array.dtype.kind == "f":
            regions[block.slices] = _above(values, threshold)
        elif keep:
            _refuse_negative(values)
            regions[block.slices] = values
        else:
            _refuse_negative(values)
            regions[block.slices] = values != 0
    return regions


def mask_above(probability: Any, threshold: float) -> NDArray[np.bool_]:
    """Return where a probability is above a threshold; whole numbers are shares of their type's largest value.

    Parameters
    ----------
    probability : array
        ``(Y, X)``; 0 to 1, or uint8 with 255 for 1, or uint16 with 65535 for 1.
    threshold : float
        0 to 1.
    """
    array = np.asarray(probability)
    if array.dtype.kind == "u":
        return np.asarray(array > threshold * np.iinfo(array.dtype).max)
    return regions_of(array, threshold)


def grey_image(image: Any, shape: tuple[int, int], cancel: CancelToken | None = None) -> NDArray[np.float32]:
    """Return an image in memory as float32 ``(Y, X)``; of several channels the mean.

    Raises
    ------
    ImageError
        If it has another height or width than `shape`, or no real numbers.
    """
    data = image.data if isinstance(image, Image) else image
    data = data if hasattr(data, "shape") and hasattr(data, "dtype") else np.asarray(data)
    if data.ndim not in (2, 3) or tuple(data.shape[:2]) != tuple(shape):
        raise ImageError(
            f"The image has the shape {tuple(data.shape)}, the mask {tuple(shape)}. They must have the same height and "
            "width: choose the image this mask was made from."
        )
    if data.dtype.kind not in "iufb":
        raise ImageError(f"An image of {data.dtype} has no grey values. Give an image of real numbers.")
    grey = np.empty(shape, np.float32)
    for block in blocks_of(grey):
        if cancel is not None:
            cancel.check()
        values = np.asarray(data[block.slices])
        grey[block.slices] = values.mean(2, dtype=np.float32) if values.ndim == 3 else values
    return grey


def _check(array: Any) -> None:
    if array.ndim != 2:
        raise ImageError(
            f"A mask must have two axes (Y, X); this has {array.ndim}, shape {tuple(array.shape)}. "
            "Give one plane at a time."
        )
    if array.dtype.kind not in "biuf":
        raise ImageError(f"{array.dtype} is neither a mask, nor labels, nor a probability.")


def _above(values: NDArray[Any], threshold: float) -> NDArray[np.bool_]:
    if values.size and not (values.min() >= -_ROUNDING and values.max() <= 1 + _ROUNDING):  # also false for NaN
        raise ImageError(
            f"Real numbers are taken as a probability from 0 to 1, but these reach from {values.min():.9g} to "
            f"{values.max():.9g}. If they are labels, convert them to whole numbers first."
        )
    return np.asarray(values > threshold)


def _refuse_negative(values: NDArray[Any]) -> None:
    if values.dtype.kind == "i" and values.size and values.min() < 0:
        raise ImageError(
            f"Labels must not be negative, but {values.min()} was found. Use 0 for background and 1, 2, 3 ... for "
            "particles."
        )
