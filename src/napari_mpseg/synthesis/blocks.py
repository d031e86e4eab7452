"""Images made from fixed blocks, so that chunking never changes a byte.

Filters have borders: filtering another window gives other rounding or other edges. Therefore a picture is
always computed in the same square blocks on one grid, and any chunk is put together from them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import SettingsError

BLOCK = 256
_CHUNK = 4 * BLOCK

RenderBlock = Callable[[Any, int, int], NDArray[Any]]


@dataclass(frozen=True)
class Window:
    """A rectangle of pixels: first row and column, height and width."""

    y: int
    x: int
    height: int
    width: int

    def padded(self, margin: int) -> "Window":
        """Return the window grown by `margin` pixels on every side."""
        return Window(self.y - margin, self.x - margin, self.height + 2 * margin, self.width + 2 * margin)


def overlap(window: Window, y: int, x: int, shape: tuple[int, ...]) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Return where a drawing at ``(y, x)`` falls into a window, and which part of the drawing that is."""
    y0, y1 = max(y, window.y), min(y + shape[0], window.y + window.height)
    x0, x1 = max(x, window.x), min(x + shape[1], window.x + window.width)
    y1, x1 = max(y0, y1), max(x0, x1)
    return (
        (slice(y0 - window.y, y1 - window.y), slice(x0 - window.x, x1 - window.x)),
        (slice(y0 - y, y1 - y), slice(x0 - x, x1 - x)),
    )


def block_window(row: int, column: int) -> Window:
    """Return the pixels of one block of the grid."""
    return Window(row * BLOCK, column * BLOCK, BLOCK, BLOCK)


def render_window(render: RenderBlock, settings: Any, window: Window, trailing: tuple[int, ...], dtype: Any) -> Any:
    """Put a window together from the blocks it touches.

    Parameters
    ----------
    render : callable
        ``render(settings, block_row, block_column)`` gives one block, ``(BLOCK, BLOCK) + trailing``.
    settings : object
        Handed to `render`.
    window : Window
        Which pixels.
    trailing : tuple of int
        Axes after ``(Y, X)``: ``(3,)`` for colour.
    dtype : dtype
        Of the result.

    Returns
    -------
    ndarray
        ``(height, width) + trailing``.
    """
    out = np.empty((window.height, window.width, *trailing), dtype)
    bottom, right = window.y + window.height, window.x + window.width
    for row in range(window.y // BLOCK, -(-bottom // BLOCK)):
        for column in range(window.x // BLOCK, -(-right // BLOCK)):
            top, left = row * BLOCK, column * BLOCK
            y0, y1 = max(top, window.y), min(top + BLOCK, bottom)
            x0, x1 = max(left, window.x), min(left + BLOCK, right)
            block = render(settings, row, column)
            out[y0 - window.y : y1 - window.y, x0 - window.x : x1 - window.x] = block[
                y0 - top : y1 - top, x0 - left : x1 - left
            ]
    return out


def lazy_image(
    render: RenderBlock,
    settings: Any,
    size: tuple[int, int],
    dtype: Any,
    trailing: tuple[int, ...] = (),
    chunks: int | tuple[int, int] | None = None,
) -> Any:
    """Return a dask array whose chunks are rendered when asked for.

    Parameters
    ----------
    render, settings, trailing, dtype
        As in :func:`render_window`.
    size : tuple of int
        Height and width in pixels.
    chunks : int or tuple of int, optional
        Chunk height and width; anything dask takes. Multiples of 256 waste no work; the bytes are the same anyway.

    Returns
    -------
    dask.array.Array
        ``size + trailing``.
    """
    import dask.array as da

    spatial = da.core.normalize_chunks(_CHUNK if chunks is None else chunks, size)
    return da.from_array(
        Rendered(render, settings, (*size, *trailing), np.dtype(dtype)),
        chunks=(*spatial, *((length,) for length in trailing)),
        asarray=False,
        fancy=True,  # only then dask hands on which part of a chunk is wanted
        inline_array=True,
        meta=np.empty((0,) * (2 + len(trailing)), dtype),
    )


class Rendered:
    """An image of any size that renders what is read of it; it looks like an array to dask.

    The task graph needs nothing of each chunk but its slices, so it is made when a chunk is computed, and a part of a
    chunk renders only the blocks that it touches.

    Parameters
    ----------
    render, settings
        As in :func:`render_window`.
    shape : tuple of int
        ``(Y, X)``, or ``(Y, X, C)``.
    dtype : dtype
        Of the pixels.
    """

    def __init__(self, render: RenderBlock, settings: Any, shape: tuple[int, ...], dtype: Any) -> None:
        self.render, self.settings, self.shape, self.dtype = render, settings, shape, dtype
        self.ndim = len(shape)

    def __dask_tokenize__(self) -> tuple[Any, ...]:
        return type(self).__name__, self.render.__module__, self.render.__qualname__, repr(self.settings), self.shape

    def __getitem__(self, key: Any) -> NDArray[Any]:
        """Return a part, by whole numbers, slices of positive step, and at most one list of whole numbers."""
        given = key if isinstance(key, tuple) else (key,)
        index = (*given, *(slice(None),) * (self.ndim - len(given)))
        (y, height, rows), (x, width, columns) = (
            _span(one, length) for one, length in zip(index[:2], self.shape[:2], strict=True)
        )
        window = Window(y, x, height, width)
        pixels = render_window(self.render, self.settings, window, self.shape[2:], self.dtype)
        return np.ascontiguousarray(pixels[(rows, columns, *index[2:])])


def _span(index: Any, length: int) -> tuple[int, int, Any]:
    """Return first pixel and number of pixels that an index reaches, and the index within them."""
    if isinstance(index, (list, np.ndarray)):
        places = np.arange(length)[index]
        first = int(places.min(initial=length))
        return (first, int(places.max()) - first + 1, places - first) if places.size else (0, 0, places)
    if not isinstance(index, slice):
        return range(length)[index], 1, 0
    start, stop, step = index.indices(length)
    if step < 0:
        raise IndexError("rendered images are read forwards: give a positive step")
    return start, max(stop - start, 0), slice(None, None, step)


def checked_size(size: tuple[int, int], seed: int, pixel_size: float) -> None:
    """Raise :class:`~napari_mpseg.errors.SettingsError` for an impossible size, seed or pixel size."""
    if len(size) != 2 or any(int(length) != length or length < 1 for length in size):
        raise SettingsError(f"Size {size!r} is impossible: give a height and a width of at least 1 pixel.")
    if int(seed) != seed or seed < 0:
        raise SettingsError(f"Seed {seed!r} is impossible: give a whole number, zero or above.")
    if not (np.isfinite(pixel_size) and pixel_size > 0):
        raise SettingsError(f"Pixel size {pixel_size!r} is impossible: give a positive number.")
