"""Pixels of an image in grey levels of 0 to 255, read where training looks at them."""

from typing import Any

import numpy as np

from napari_mpseg.images.image import Image
from napari_mpseg.images.lazy import RecentBlocks
from napari_mpseg.images.region import read_region
from napari_mpseg.images.scaling import Scaling

Array = np.ndarray[Any, Any]
_SIDE = 256
_KEPT_BYTES = 256 << 20
_DIRECT = 1 << 21
"""Windows of more pixels than this are read at once and not kept."""


class LazyPixels:
    """An image that is sliced as ``[y0:y1, x0:x1]`` and read block by block; safe to use from several threads.

    Crops of training fall on the same places again and again, so the blocks used last are kept as they are stored,
    256 MiB of them by default: those around the painted pixels, not the image.

    Parameters
    ----------
    image : Image
    scaling : Scaling
        How its values become 0 to 1; here 0 to 255.
    keep_bytes : int
        How much is kept.
    part_of : Image, optional
        The image that `image` was cut out of.

    Attributes
    ----------
    shape : tuple of int
        ``(Y, X, C)``; one channel for ``(Y, X)``.
    dtype : dtype
        uint8 for an image that is 0 to 255 already, else float32.
    """

    ndim = 3

    def __init__(
        self, image: Image, scaling: Scaling, keep_bytes: int = _KEPT_BYTES, part_of: Image | None = None
    ) -> None:
        self._image, self._part_of, self._rule = image, part_of, scaling.kind
        as_stored = np.dtype(image.dtype) == np.uint8 and (scaling.low, scaling.high) == (0.0, 255.0)
        self._scaling = None if as_stored else scaling
        self._kept = RecentBlocks(keep_bytes)
        self._whole: LazyPixels | None = None
        self.shape = (*image.shape, image.n_channels)
        self.dtype = np.dtype(np.uint8 if as_stored else np.float32)

    @classmethod
    def as_measured(cls, image: Image) -> "LazyPixels":
        """Return an image as the rule ``"auto"`` shows it; measured here, which reads all that is not uint8."""
        from napari_mpseg.images.normalisation import Normalisation

        return cls(image, Normalisation("auto").measure(image))

    def whole(self) -> "LazyPixels":
        """Return the whole image that this was cut out of, as the rule ``"auto"`` shows it; itself if it is that."""
        if self._part_of is None and (self._rule == "auto" or self._scaling is None):
            return self
        if self._whole is None:
            self._whole = self.as_measured(self._part_of or self._image)
        return self._whole

    def __getitem__(self, where: Any) -> Array:
        """Return rows, columns and, where asked for, channels; slices without a step only."""
        slices = where if isinstance(where, tuple) else (where,)
        if len(slices) > 3 or not all(isinstance(part, slice) and part.step in (None, 1) for part in slices):
            raise TypeError(f"Slices [y0:y1, x0:x1] are needed, not {where!r}.")
        filled = (*slices, *[slice(None)] * (3 - len(slices)))
        (y0, y1, _), (x0, x1, _) = (part.indices(size) for part, size in zip(filled, self.shape[:2], strict=False))
        pixels = self._window(y0, max(y0, y1), x0, max(x0, x1))
        if self._scaling is not None:
            pixels = self._scaling.apply(pixels) * np.float32(255)
        return pixels[:, :, filled[2]]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """Read everything."""
        pixels = self[:, :]
        return pixels if dtype is None else pixels.astype(dtype)

    def _window(self, y0: int, y1: int, x0: int, x1: int) -> Array:
        if (y1 - y0) * (x1 - x0) > _DIRECT:
            return self._read(y0, y1, x0, x1)
        window = np.empty((y1 - y0, x1 - x0, self.shape[2]), self._image.dtype)
        for y in range(y0 - y0 % _SIDE, y1, _SIDE):
            for x in range(x0 - x0 % _SIDE, x1, _SIDE):
                block = self._block(y, x)
                top, left, bottom, right = max(y, y0), max(x, x0), min(y + _SIDE, y1), min(x + _SIDE, x1)
                window[top - y0 : bottom - y0, left - x0 : right - x0] = block[
                    top - y : bottom - y, left - x : right - x
                ]
        return window

    def _block(self, y: int, x: int) -> Array:
        block = self._kept.get((y, x))
        if block is None:
            block = self._read(y, min(y + _SIDE, self.shape[0]), x, min(x + _SIDE, self.shape[1]))
            self._kept.put((y, x), block)
        return block

    def _read(self, y0: int, y1: int, x0: int, x1: int) -> Array:
        pixels = read_region(self._image, y0, y1, x0, x1)
        return pixels if pixels.ndim == 3 else pixels[:, :, None]
