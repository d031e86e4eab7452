"""TIFF in all its kinds: plain, BigTIFF, tiled, compressed, pyramidal, OME-TIFF, ImageJ, Zeiss and FEI SEM."""

import logging
import threading
import warnings
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from napari_mpseg.errors import ImageError
from napari_mpseg.images.axes import guess_axes
from napari_mpseg.images.image_warning import ImageWarning
from napari_mpseg.images.lazy import FilePixels, MappedFile, ReadOnce, Reopened, as_dask
from napari_mpseg.images.ome_xml import OmePixels, first_ome_pixels
from napari_mpseg.images.readers import FileReader, file_readers
from napari_mpseg.images.stack import Stack, make_stack
from napari_mpseg.images.tiff_calibration import tiff_calibration

_MAGIC = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
_RGB, _YCBCR = 2, 6
_PAGES_CHECKED = 1000
_SAME_ASPECT = 0.02


def open_tiff(path: Path) -> Stack:
    """Open the first image series of a TIFF file without reading its pixels.

    Values are given as stored: a colour map or an inverted grey scale is for display only, as in ImageJ. The extra
    sample of an RGB picture is transparency and left out. Uncompressed pixels are memory-mapped at each reading,
    compressed strips and tiles decoded by tifffile as they are needed; a picture compressed in one piece is decoded
    once and kept in memory.

    Raises
    ------
    ImageError
        If it is damaged, truncated or holds no image.
    """
    import tifffile

    try:
        with _complaints_told(path), tifffile.TiffFile(path) as tif:
            if not len(tif.pages) or not tif.series:
                raise ImageError(f"{path} holds no image that can be found: it is damaged or truncated. Copy it again.")
            return _open_series(tif, path)
    except ImageError:
        raise
    except Exception as error:  # tifffile raises struct.error, IndexError and more on damaged files
        raise ImageError(
            f"{path} is not a readable TIFF ({error}). It is damaged or truncated: copy it again."
        ) from error


@contextmanager
def _complaints_told(path: Path) -> Iterator[None]:
    """Turn what tifffile only writes to its log, such as a tag it cannot read, into one warning for the user."""
    logger, thread, complaints = logging.getLogger("tifffile"), threading.get_ident(), []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.thread == thread:
                complaints.append(record.getMessage())

    collector = Collector(logging.ERROR)
    logger.addHandler(collector)
    try:
        yield
    finally:
        logger.removeHandler(collector)
    if complaints:
        warnings.warn(
            f"{path} opens, but parts of its metadata are damaged or missing ({complaints[0]}). "
            "Its pixel size and channel names may be lost: check them.",
            ImageWarning,
            stacklevel=2,
        )


def _open_series(tif: Any, path: Path) -> Stack:
    series = tif.series[0]
    levels = [*series.levels, *_loose_levels(tif)]
    others = len(tif.series) - 1 - (len(levels) - len(series.levels))
    if others and series.kind in ("generic", "uniform", "ome", "shaped"):
        warnings.warn(
            f"{path} holds {others + 1} images of different sizes or kinds; only the first is opened.",
            ImageWarning,
            stacklevel=2,
        )
    for level in levels:
        _check_complete(level, path)
    axes = _axes(series)
    ome = first_ome_pixels(tif.ome_metadata) if tif.is_ome else None
    return make_stack(
        [_pixels(tif, level, number, axes, path) for number, level in enumerate(levels)],
        axes,
        channels=_channel_names(tif, series, axes, ome),
        alpha=_has_alpha(series.keyframe, axes),
        calibration=tiff_calibration(tif, series.keyframe, ome, str(path)),
        name=path.name.split(".ome.")[0] if ".ome." in path.name else path.stem,
        source=str(path),
    )


def _axes(series: Any) -> str:
    """Return one letter per axis; those which only tifffile's own writer named are guessed from the shape."""
    axes = str(series.axes)
    return guess_axes(series.shape) if axes.startswith("Q") or axes.count("Y") != 1 or axes.count("X") != 1 else axes


def _loose_levels(tif: Any) -> list[Any]:
    """Return the series that are reduced copies of the first one: pyramids written as plain further pages."""
    first, found = tif.series[0], []
    if len(first.levels) > 1 or first.axes not in ("YX", "YXS"):
        return []
    for series in tif.series[1:]:
        ratios = [large / small for large, small in zip(first.shape[:2], series.shape[:2], strict=False)]
        same = series.axes == first.axes and series.dtype == first.dtype and series.keyframe.is_reduced
        if same and min(ratios) > 1 and abs(ratios[0] / ratios[1] - 1) < _SAME_ASPECT:
            found.append(series)
    return sorted(found, key=lambda series: -int(series.shape[0]))


def _check_complete(level: Any, path: Path) -> None:
    """Refuse a file that ends before the pixels which its directory promises."""
    offset = level.dataoffset
    if offset is not None:
        ends = [(level.keyframe.parent.filehandle.size, offset + level.nbytes)]
    else:
        pages = level.pages if len(level.pages) <= _PAGES_CHECKED else [level.keyframe]
        ends = [
            (page.parent.filehandle.size, max(map(sum, zip(page.dataoffsets, page.databytecounts, strict=False))))
            for page in pages
            if page is not None and page.dataoffsets
        ]
    for size, needed in ends:
        if needed > size:
            raise ImageError(
                f"{path} is truncated: its pixels reach to byte {needed}, but it ends at {size}. Copy it again."
            )


def _pixels(tif: Any, level: Any, number: int, axes: str, path: Path) -> Any:
    """Return one resolution level as a dask array with the axes of the file."""
    if level.dataoffset is not None and not level.is_multifile:
        dtype = level.dtype.newbyteorder(tif.byteorder)
        mapped = MappedFile(path, dtype, level.dataoffset, level.shape)
        return as_dask(FilePixels(mapped, level.shape, dtype, str(path)), axes)
    array = _zarr_of(level)
    y, x = axes.index("Y"), axes.index("X")
    planes = level.size // (array.shape[y] * array.shape[x] * (array.shape[axes.index("S")] if "S" in axes else 1))
    in_one_piece = planes == 1 and array.chunks[y] >= array.shape[y] and array.chunks[x] >= array.shape[x]
    again = Reopened(partial(_open_level, path.absolute(), number, array.shape), array)
    if in_one_piece:
        pixels = FilePixels(ReadOnce(_Whole(again)), array.shape, array.dtype, str(path))
    else:
        pixels = FilePixels(again, array.shape, array.dtype, str(path), keep=True)
    return as_dask(pixels, axes, None if in_one_piece else array.chunks)


@dataclass(frozen=True)
class _Whole:
    """Reads all of an array."""

    array: Reopened

    def __call__(self) -> Any:
        return self.array(...)


def _open_level(path: Path, number: int, shape: tuple[int, ...]) -> Any:
    """Open one resolution level again, in another process."""
    import tifffile

    with tifffile.TiffFile(path) as tif:
        levels = [*tif.series[0].levels, *_loose_levels(tif)]
        array = _zarr_of(levels[number]) if number < len(levels) else None
    if array is None or array.shape != shape:
        raise ImageError(f"{path} has changed since it was opened. Open it again.")
    return array


def _zarr_of(level: Any) -> Any:
    """Return a level as a zarr array, whose file is closed when nobody holds it any more."""
    import zarr

    store = level.aszarr(level=0) if level.levels else level.aszarr()
    array: Any = zarr.open_array(store, mode="r")
    weakref.finalize(array, store.close)
    return array


def _channel_names(tif: Any, series: Any, axes: str, ome: OmePixels | None) -> tuple[str, ...]:
    if "C" not in axes:
        return ()
    if ome is not None:
        return ome.channels
    labels = (tif.imagej_metadata or {}).get("Labels") if tif.is_imagej else None
    return tuple(map(str, labels)) if isinstance(labels, (list, tuple)) else ()


def _has_alpha(page: Any, axes: str) -> bool:
    """Tell whether the last sample is transparency: marked so, or the fourth one of an RGB picture."""
    if "S" not in axes or not page.extrasamples:
        return False
    colour = int(page.photometric) in (_RGB, _YCBCR)
    marked = int(page.extrasamples[-1]) in (1, 2)
    return len(page.extrasamples) == 1 and (marked or colour) and int(page.samplesperpixel) in (2, 4)


file_readers.add("TIFF", FileReader(open_tiff, (".tif", ".tiff", ".btf", ".tf8"), _MAGIC))
