"""PNG, JPEG and BMP: read whole, because their compression knows no parts."""

import threading
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import ImageError
from napari_mpseg.images.lazy import FilePixels, ReadOnce, as_dask
from napari_mpseg.images.readers import FileReader, file_readers
from napari_mpseg.images.stack import Stack, make_stack

_DTYPES = {"1": np.bool_, "L": np.uint8, "I": np.int32, "F": np.float32, "RGB": np.uint8}
# Stored modes whose values are not the picture itself, and what they are turned into.
_TURNED = {
    "P": "RGB",
    "PA": "RGB",
    "RGBA": "RGB",
    "RGBX": "RGB",
    "CMYK": "RGB",
    "YCbCr": "RGB",
    "LAB": "RGB",
    "HSV": "RGB",
    "LA": "L",
}
_limit_lock = threading.Lock()


def open_raster(path: Path) -> Stack:
    """Open a PNG, JPEG or BMP picture; its pixels are decoded once, when the first of them is asked for.

    A palette becomes RGB, transparency is left out, and the rotation flag of cameras is ignored: pixels lie as stored.
    The resolution written in such files is what the program that saved them assumed for screen or paper, so these
    pictures are not calibrated; give their pixel size.

    Memory: the whole picture, ``height * width * channels`` bytes, and twice that while it is decoded.

    Raises
    ------
    ImageError
        If it is damaged.
    """
    import PIL.Image

    try:
        with _limit_lock, _UnlimitedPixels(), PIL.Image.open(path) as picture:
            width, height = picture.size
            mode = _target_mode(picture)
    except Exception as error:  # Pillow raises SyntaxError, struct.error, OSError ... on damaged files
        raise ImageError(
            f"{path} is not a readable picture ({error}). It is damaged or truncated: copy it again."
        ) from error
    dtype = np.dtype(np.uint16 if mode.startswith("I;16") else _DTYPES[mode])
    shape, axes = ((height, width, 3), "YXS") if mode == "RGB" else ((height, width), "YX")
    pixels = FilePixels(ReadOnce(partial(_decode, path.absolute(), mode, dtype, shape)), shape, dtype, str(path))
    return make_stack([as_dask(pixels, axes)], axes, name=path.stem, source=str(path))


class _UnlimitedPixels:
    """Lift Pillow's limit against decompression bombs while one file is opened.

    A stitched filter is larger than the 89 Mpx from which Pillow suspects an attack, and the user chose this file.
    """

    def __enter__(self) -> None:
        import PIL.Image

        self._limit = PIL.Image.MAX_IMAGE_PIXELS
        PIL.Image.MAX_IMAGE_PIXELS = None

    def __exit__(self, *exception: object) -> None:
        import PIL.Image

        PIL.Image.MAX_IMAGE_PIXELS = self._limit


def _target_mode(picture: Any) -> str:
    mode = str(picture.mode)
    mode = _TURNED.get(mode, mode)
    if mode not in _DTYPES and not mode.startswith("I;16"):
        raise ValueError(f"its pixel mode {mode} is not known")
    return mode


def _decode(path: Path, mode: str, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    import PIL.Image

    with _limit_lock, _UnlimitedPixels():
        picture = PIL.Image.open(path)
    with picture:
        # A palette with transparency goes through RGBA, or Pillow blends nothing and warns.
        shown = picture.convert("RGBA") if picture.mode == "P" and "transparency" in picture.info else picture
        values = np.asarray(shown if shown.mode == mode else shown.convert(mode)).astype(dtype, copy=False)
    if values.shape != shape:
        raise ImageError(f"{path} has changed since it was opened: {values.shape} is not {shape}. Open it again.")
    return values


file_readers.add("PNG", FileReader(open_raster, (".png",), (b"\x89PNG\r\n\x1a\n",)))
file_readers.add("JPEG", FileReader(open_raster, (".jpg", ".jpeg"), (b"\xff\xd8\xff",)))
file_readers.add("BMP", FileReader(open_raster, (".bmp",), (b"BM",)))
