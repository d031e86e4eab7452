"""Arrays in memory (numpy, dask, and whatever turns into numpy) and ``.npy`` files."""

from pathlib import Path
from typing import Any, Literal

import numpy as np

from napari_mpseg.errors import ImageError
from napari_mpseg.images.axes import guess_axes
from napari_mpseg.images.lazy import FilePixels, MappedFile, as_dask
from napari_mpseg.images.readers import FileReader, ObjectReader, file_readers, object_readers
from napari_mpseg.images.stack import Stack, make_stack
from napari_mpseg.images.zarr_reader import is_zarr, zarr_reader


def open_array(array: Any) -> Stack:
    """Take a numpy or dask array, or anything with a shape, a dtype and slicing; nothing is copied or computed.

    Which axis is what is told from the shape alone, see :func:`~napari_mpseg.images.axes.guess_axes`. The fourth
    channel of a uint8 array is taken as transparency and left out.

    Raises
    ------
    ImageError
        If it has fewer than two dimensions or lengths that are not known.
    """
    if not hasattr(array, "shape") or not hasattr(array, "dtype"):
        array = np.asarray(array)
    if any(size != size for size in array.shape):  # dask writes an unknown length as NaN
        raise ImageError(f"The array has unknown lengths {array.shape}. Call compute_chunk_sizes() on it first.")
    axes = guess_axes(tuple(array.shape))
    return make_stack([to_dask(array, axes)], axes, alpha=has_alpha(array, axes))


def to_dask(array: Any, axes: str) -> Any:
    """Return any array as dask array; a dask array stays as it is, zarr arrays keep their chunks."""
    import dask.array as da

    if isinstance(array, da.Array):
        return array
    if isinstance(array, np.ndarray):
        return as_dask(np.asarray(array), axes)
    stored = getattr(array, "chunks", None)
    if not (isinstance(stored, tuple) and all(isinstance(size, int) for size in stored)):
        stored = None
    read = zarr_reader(array) if is_zarr(array) else array.__getitem__
    return as_dask(FilePixels(read, array.shape, array.dtype, "the array"), axes, stored)


def has_alpha(array: Any, axes: str) -> bool:
    """Tell whether the last channel of an array with guessed axes is transparency: RGBA in uint8."""
    return axes.endswith("S") and array.shape[-1] == 4 and array.dtype == np.uint8


def open_npy(path: Path) -> Stack:
    """Open an array saved by ``numpy.save``, memory-mapped.

    Raises
    ------
    ImageError
        If it is damaged, too short for its shape, or holds Python objects.
    """
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise ImageError(
            f"{path} is not a readable .npy array ({error}). "
            "It may be truncated, or hold Python objects instead of pixels."
        ) from error
    axes = guess_axes(array.shape)
    order: Literal["C", "F"] = "C" if array.flags.c_contiguous else "F"
    read = MappedFile(path, array.dtype, array.offset, array.shape, order)
    pixels = FilePixels(read, array.shape, array.dtype, str(path))
    return make_stack([as_dask(pixels, axes)], axes, alpha=has_alpha(array, axes), name=path.stem, source=str(path))


def _is_array(source: Any) -> bool:
    if isinstance(source, (list, tuple)) or (hasattr(source, "shape") and hasattr(source, "dtype")):
        return True
    return hasattr(source, "__array__") and not hasattr(source, "data")


file_readers.add("npy", FileReader(open_npy, (".npy",), (b"\x93NUMPY",)))
object_readers.add("array", ObjectReader(open_array, _is_array))
