"""Reading a label image and its intensities block by block, whatever holds them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import ImageError
from napari_mpseg.images.reading import reading_scheduler
from napari_mpseg.inference.store import read_stored

BLOCK_SIZE = 2048  # pixels along a side: large enough for speed, 16 MiB of int32


@dataclass(frozen=True)
class Block:
    """A rectangle of the image.

    Attributes
    ----------
    y, x : int
        First row and column.
    height, width : int
        Size in pixels.
    """

    y: int
    x: int
    height: int
    width: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index of the block in an array ``(Y, X)``."""
        return slice(self.y, self.y + self.height), slice(self.x, self.x + self.width)


def label_array(labels: Any) -> Any:
    """Return `labels` as an array ``(Y, X)`` that can be read by blocks, or say why it is none.

    Raises
    ------
    ImageError
        If it is not two-dimensional, or boolean, complex or not numeric.
    """
    array = labels if hasattr(labels, "shape") and hasattr(labels, "dtype") else np.asarray(labels)
    if array.ndim != 2:
        raise ImageError(
            f"Labels must have two axes (Y, X); these have {array.ndim}, shape {tuple(array.shape)}. "
            "Give one plane at a time."
        )
    if array.dtype == bool:
        raise ImageError(
            "A boolean mask does not say which pixels belong together. "
            "Label it first, for example with napari_mpseg.particles.label_mask(mask)."
        )
    if array.dtype.kind not in "iuf":
        raise ImageError(f"Labels must be whole numbers; these are {array.dtype}. Convert them to an integer type.")
    return array


def blocks_of(array: Any) -> list[Block]:
    """Return the blocks, in raster order, in which to read `array` ``(Y, X)``.

    Native chunks (dask, zarr) are never cut, and small ones are taken together up to about 2048 x 2048 pixels.
    """
    if 0 in array.shape:
        return []
    rows, columns = _native_chunks(array)
    across = _grouped(columns, BLOCK_SIZE)
    down = _grouped(rows, max(1, BLOCK_SIZE * BLOCK_SIZE // max(max(across, default=1), 1)))
    blocks = []
    for y, block_height in zip(np.cumsum([0, *down[:-1]]), down, strict=True):
        for x, block_width in zip(np.cumsum([0, *across[:-1]]), across, strict=True):
            blocks.append(Block(int(y), int(x), block_height, block_width))
    return blocks


def read_labels(array: Any, block: Block) -> NDArray[Any]:
    """Read a block as int32 or int64.

    Raises
    ------
    ImageError
        If a value is not a whole number, or too large for int64.
    StoreError
        If it is a stored array with a damaged chunk.
    """
    values = read_part(array, block.slices)
    if values.dtype.kind == "f":
        if not np.isfinite(values).all() or (values != np.floor(values)).any():
            raise ImageError(
                f"Labels must be whole numbers, but these {values.dtype} values are not (in rows {block.y} to "
                f"{block.y + block.height}). Is this the image or the probability instead of the labels?"
            )
        _check_size(values)
        values = values.astype(np.int64)
    elif values.dtype.kind == "u" and values.dtype.itemsize == 8:
        _check_size(values)
    small = np.can_cast(values.dtype, np.int32)
    return np.ascontiguousarray(values, dtype=np.int32 if small else np.int64)


def _check_size(values: NDArray[Any]) -> None:
    """Refuse labels that the cast to int64 would turn into others."""
    # As Python's numbers: a comparison in floating point cannot tell 2**63 from the number below it.
    low, high = (int(values.min()), int(values.max())) if values.size else (0, 0)
    worst = high if high >= 2**63 else low
    if not -(2**63) <= worst < 2**63:
        shown = worst if abs(worst) < 10**20 else f"{worst:.3g}"
        raise ImageError(
            f"Labels must be between 0 and {2**63 - 1} (int64), but {shown} was found. Number them anew, for example "
            "with skimage.segmentation.relabel_sequential(labels)."
        )


def read_part(array: Any, index: tuple[slice, slice]) -> NDArray[Any]:
    """Read a rectangle of anything that holds pixels.

    Raises
    ------
    StoreError
        If it is a stored array with a damaged chunk.
    """
    if hasattr(array, "store_path"):
        return read_stored(array, index)
    part = array[index]
    return np.asarray(part.compute(scheduler=reading_scheduler()) if hasattr(part, "compute") else part)


def read_pixels(image: Any, y: slice, x: slice) -> NDArray[Any]:
    """Read a rectangle of an image ``(Y, X)`` or ``(Y, X, C)`` as ``(Y, X, C)`` in a dtype numba knows."""
    pixels = read_part(image, (y, x))
    if pixels.dtype == np.float16:
        pixels = pixels.astype(np.float32)
    pixels = np.ascontiguousarray(pixels, dtype=pixels.dtype.newbyteorder("="))
    return pixels if pixels.ndim == 3 else pixels[:, :, np.newaxis]


def _native_chunks(array: Any) -> tuple[list[int], list[int]]:
    if isinstance(array, np.ndarray):  # whole rows lie together in memory and need no copy
        return list(_pieces(int(array.shape[0]), 1)), [int(array.shape[1])]
    # zarr stores may pack many chunks into one shard: the shard is what is read at once.
    chunks = getattr(array, "shards", None) or getattr(array, "chunks", None) or (256, 256)
    height, width = (
        list(size) if isinstance(size, tuple) else list(_pieces(int(total), int(size)))
        for size, total in zip(chunks, array.shape, strict=True)
    )
    return height, width


def _pieces(total: int, size: int) -> Iterator[int]:
    for start in range(0, total, size):
        yield min(size, total - start)


def _grouped(sizes: list[int], limit: int) -> list[int]:
    groups: list[int] = []
    for size in sizes:
        if groups and groups[-1] + size <= limit:
            groups[-1] += int(size)
        else:
            groups.append(int(size))
    return groups
