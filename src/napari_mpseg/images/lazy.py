"""Pixels that stay in their file until they are asked for."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import ImageError, MpsegError

_PIXELS_PER_BLOCK = 1 << 18
_SIDE = 2048
_KEPT_BYTES = 64 << 20


class FilePixels:
    """An array whose values are read at indexing, and whose reading errors are told in the user's words.

    It has what ``dask.array.from_array`` asks for: `shape`, `dtype`, `ndim` and indexing by slices. It can be pickled
    if `read` can, which should then know how to open the file again; what was kept stays behind.

    Parameters
    ----------
    read : callable
        Takes a tuple of slices and returns that part.
    shape : tuple of int
        Shape of the whole array, any axes.
    dtype : numpy dtype
        As stored; values are handed out in the byte order of this machine.
    source : str
        File name for messages.
    keep : bool
        Whether to keep the blocks read last, 64 MiB of them at most. Windows with a halo overlap, so without this the
        blocks of a compressed file are decoded about four times each.
    """

    def __init__(
        self, read: Callable[[Any], Any], shape: tuple[int, ...], dtype: Any, source: str, keep: bool = False
    ) -> None:
        self._read = read
        self.shape = tuple(int(size) for size in shape)
        self.dtype = np.dtype(dtype).newbyteorder("=")
        self.ndim = len(self.shape)
        self._source = source
        self.keep = keep
        self._kept = RecentBlocks(_KEPT_BYTES if keep else 0)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_kept"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._kept = RecentBlocks(_KEPT_BYTES if self.keep else 0)

    def __getitem__(self, key: Any) -> NDArray[Any]:
        kept = self._kept.get(key)
        if kept is not None:
            return kept
        try:
            values = np.asarray(self._read(key)).astype(self.dtype, copy=False)
            self._kept.put(key, values)
            return values
        except MpsegError:
            raise
        except Exception as error:
            raise ImageError(unreadable(self._source, key, error)) from error


class RecentBlocks:
    """The blocks used last, up to a number of bytes; safe to use from several threads."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._blocks: OrderedDict[str, NDArray[Any]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Any) -> NDArray[Any] | None:
        """Return a copy of a kept block, which the caller may change, or None."""
        with self._lock:
            block = self._blocks.get(str(key))
            if block is None:
                return None
            self._blocks.move_to_end(str(key))
        return block.copy()

    def put(self, key: Any, block: NDArray[Any]) -> None:
        """Keep a copy of a block and drop the oldest ones beyond the limit."""
        if block.nbytes > self._most_bytes:
            return
        with self._lock:
            if str(key) not in self._blocks:
                self._blocks[str(key)] = block.copy()
                self._bytes += block.nbytes
            while self._bytes > self._most_bytes:
                self._bytes -= self._blocks.popitem(last=False)[1].nbytes


def unreadable(source: str, key: Any, error: Exception) -> str:
    """Return the message for pixels that cannot be read: which, where, why, and what to do."""
    keys = key if isinstance(key, tuple) else (key,)
    window = ", ".join(f"{part.start}:{part.stop}" if isinstance(part, slice) else str(part) for part in keys)
    reason = str(error).strip() or type(error).__name__
    return (
        f"The pixels [{window}] of {source} cannot be read ({reason}). "
        "The file may be truncated, damaged, moved or on a disk that is away: check it, or copy it again."
    )


class MappedFile:
    """Reads parts of an array that lies in a file as it lies in memory.

    The file is mapped anew for each part, which is copied: no handle stays open on the user's file.

    Parameters
    ----------
    path : Path
    dtype : numpy dtype
        As stored.
    offset : int
        Of the first value, in bytes.
    shape : tuple of int
    order : str
        ``"C"``, or ``"F"`` where the first axis runs fastest.
    """

    def __init__(
        self, path: Path, dtype: Any, offset: int, shape: tuple[int, ...], order: Literal["C", "F"] = "C"
    ) -> None:
        # other processes may stand in another folder
        self.path, self.dtype, self.offset, self.shape, self.order = path.absolute(), dtype, offset, shape, order

    def __call__(self, key: Any) -> NDArray[Any]:
        """Return the part `key`."""
        return np.array(np.memmap(self.path, self.dtype, "r", self.offset, self.shape, self.order)[key])


class Reopened:
    """Something open that is opened when it is first needed, again in every process it is brought to.

    Parameters
    ----------
    open_it : callable
        Returns it; can be pickled.
    opened : object, optional
        It, where it is open already; stays behind when this is pickled.
    """

    def __init__(self, open_it: Callable[[], Any], opened: Any = None) -> None:
        self._open = open_it
        self._lock = threading.Lock()
        self._opened: Any = opened

    def __getstate__(self) -> dict[str, Any]:
        return {"_open": self._open}

    def __setstate__(self, state: dict[str, Any]) -> None:
        Reopened.__init__(self, state["_open"])

    def __call__(self, key: Any) -> Any:
        """Return its part `key`."""
        return self.opened()[key]

    def opened(self) -> Any:
        """Return it, opened."""
        with self._lock:
            if self._opened is None:
                self._opened = self._open()
            return self._opened


class ReadOnce(Reopened):
    """Read all pixels at the first indexing and keep them, for formats that cannot be read in parts.

    The decoded picture stays in memory as long as an array made from it lives: ``height * width * channels * bytes
    per value``, 116 MB for an RGB picture of 5424 x 7140. In another process it is decoded again.

    Parameters
    ----------
    load : callable
        Returns the whole array.
    """

    def __init__(self, load: Callable[[], Any]) -> None:
        super().__init__(load)


def block_shape(shape: tuple[int, ...], axes: str, stored: tuple[int, ...] | None = None) -> tuple[int, ...]:
    """Return the dask block shape for reading an array: whole stored chunks, a quarter million pixels at least.

    Chunks of 64 x 64 or strips of one row would make one dask task each and drown the work in bookkeeping, so
    neighbours are read together. Axes of planes are read one by one unless the stored chunk holds several.

    Parameters
    ----------
    shape : tuple of int
        Shape of the array.
    axes : str
        One letter per axis.
    stored : tuple of int, optional
        The chunk shape in the file; None where every window costs the same.
    """
    y, x = axes.index("Y"), axes.index("X")
    if stored is None:
        block = [min(size, _SIDE) if index in (y, x) else 1 for index, size in enumerate(shape)]
    else:
        block = [max(1, min(chunk, size)) for chunk, size in zip(stored, shape, strict=True)]
        while block[y] * block[x] < _PIXELS_PER_BLOCK and (block[y] < shape[y] or block[x] < shape[x]):
            narrow = x if block[y] >= shape[y] or (block[x] < block[y] and block[x] < shape[x]) else y
            block[narrow] = min(block[narrow] * 2, shape[narrow])
    for index, letter in enumerate(axes):
        if letter == "S":
            block[index] = shape[index]
    return tuple(max(1, size) for size in block)


def as_dask(pixels: Any, axes: str, stored: tuple[int, ...] | None = None) -> Any:
    """Wrap an array-like of any axes as a dask array without reading from it."""
    import dask.array as da

    return da.from_array(
        pixels,
        chunks=block_shape(pixels.shape, axes, stored),
        name=False,  # a random name: hashing the pixels would read them
        meta=np.empty((0,) * pixels.ndim, pixels.dtype),
        inline_array=False,
        # With dask's own getter a window is read instead of its blocks, which then never meet the kept ones.
        getitem=_whole_block if getattr(pixels, "keep", False) else None,
    )


def _whole_block(pixels: Any, key: Any) -> Any:
    return pixels[key]
