"""The one door through which every picture comes in."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import ImageError
from napari_mpseg.images import arrays, layers, omezarr, raster, tiff  # noqa: F401 - each registers its readers
from napari_mpseg.images.channels import ChannelChoice, pick_channels
from napari_mpseg.images.image import Image
from napari_mpseg.images.readers import read_file, read_object
from napari_mpseg.images.stack import Stack


def open_image(
    source: Any,
    *,
    plane: int | tuple[int, ...] | None = None,
    channels: ChannelChoice = None,
    calibration: Calibration | str | None = None,
    level: int = 0,
) -> Image:
    """Open one picture lazily as ``(Y, X)`` or ``(Y, X, C)``.

    Parameters
    ----------
    source : path, array, layer or Image
        A TIFF (plain, tiled, pyramidal, OME, ImageJ, BigTIFF), OME-Zarr 0.4 or 0.5, plain zarr, PNG, JPEG or ``.npy``
        file; a numpy, dask or zarr array; a napari Image layer; or an
        :class:`~napari_mpseg.images.image.Image`.
    plane : int or tuple of int, optional
        Which plane of a stack, one number per axis of planes longer than one, counted from 0.
    channels : str, int or sequence of them, optional
        Channels by name or by number counted from 0. A single one gives ``(Y, X)``.
    calibration : Calibration or str, optional
        Size of a full-resolution pixel, such as ``"2.5um"``, instead of what the source says.
    level : int
        Resolution level of a pyramid, 0 for the full resolution; the pixel size grows with it.

    Returns
    -------
    Image
        No pixel has been read.

    Raises
    ------
    ImageError
        If it cannot be opened, or several planes are there and none was chosen.
    CalibrationError
        If the given pixel size is impossible.

    Examples
    --------
    >>> import numpy as np
    >>> open_image(np.zeros((4, 5, 3), "uint8"), channels="red", calibration="2.5um").shape
    (4, 5)
    """
    image = open_stack(source, calibration=calibration).image(plane, level)
    if isinstance(source, Image):
        image = replace(image, plane=source.plane)
    return pick_channels(image, channels)


def open_planes(
    source: Any,
    *,
    channels: ChannelChoice = None,
    calibration: Calibration | str | None = None,
    level: int = 0,
) -> list[Image]:
    """Open every plane of a stack, each as its own lazy picture; a plain picture gives a list of one.

    Parameters are those of :func:`open_image`. The planes come in the order of the axes, the last one running fastest.
    """
    stack = open_stack(source, calibration=calibration)
    return [pick_channels(stack.image(index, level), channels) for index in stack.plane_indices()]


def open_levels(source: Any) -> list[Any]:
    """Open all resolution levels for display, full resolution first.

    Returns
    -------
    list of dask.array.Array
        ``(planes..., Y, X)`` or ``(planes..., Y, X, C)`` each; one array where there is no pyramid.
    """
    return list(open_stack(source).levels)


def open_stack(source: Any, *, calibration: Calibration | str | None = None) -> Stack:
    """Open all that a source holds: planes, levels, channel names and pixel size.

    Parameters are those of :func:`open_image`.
    """
    if isinstance(source, Image):
        stack = Stack(
            levels=(source.data,),
            channels=source.channels,
            calibration=source.calibration,
            name=source.name,
            source=source.source,
        )
    elif isinstance(source, (str, os.PathLike)):
        stack = read_file(_existing(Path(os.fspath(source))))
    else:
        stack = read_object(source)
    if calibration is None:
        return stack
    given = Calibration.parse(calibration) if isinstance(calibration, str) else calibration
    return replace(stack, calibration=given)


def _existing(path: Path) -> Path:
    if not path.exists():
        nearest = next((parent for parent in path.parents if parent.exists()), None)
        hint = f" The folder {nearest} is there." if nearest is not None and nearest != Path() else ""
        raise ImageError(f"{path} is not there. Check the name and the folder.{hint}")
    return path
