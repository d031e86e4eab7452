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
    whole = (*spatial, *((length,) for length in trailing))

    def chunk(block_info: Any = None) -> Any:
        (y0, y1), (x0, x1) = block_info[None]["array-location"][:2]
        return render_window(render, settings, Window(y0, x0, y1 - y0, x1 - x0), trailing, dtype)

    return da.map_blocks(chunk, chunks=whole, dtype=dtype, meta=np.empty((0,) * len(whole), dtype))


def checked_size(size: tuple[int, int], seed: int, pixel_size: float) -> None:
    """Raise :class:`~napari_mpseg.errors.SettingsError` for an impossible size, seed or pixel size."""
    if len(size) != 2 or any(int(length) != length or length < 1 for length in size):
        raise SettingsError(f"Size {size!r} is impossible: give a height and a width of at least 1 pixel.")
    if int(seed) != seed or seed < 0:
        raise SettingsError(f"Seed {seed!r} is impossible: give a whole number, zero or above.")
    if not (np.isfinite(pixel_size) and pixel_size > 0):
        raise SettingsError(f"Pixel size {pixel_size!r} is impossible: give a positive number.")
