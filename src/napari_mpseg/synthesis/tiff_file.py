"""A lazy image as tiled OME-TIFF, tile by tile."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.calibration import Calibration
from napari_mpseg.synthesis.tiles import SIDE, Watch, rendered_tiles

_LARGEST_PLAIN = 2**31  # bytes of pixels from which a TIFF is written as BigTIFF, whatever compression makes of them


def write_tiff(path: Path, data: Any, name: str, calibration: Calibration, record: Any, watch: Watch) -> None:
    """Write ``(Y, X)`` or ``(Y, X, 3)``; the bytes depend on nothing but the arguments.

    Parameters
    ----------
    path : Path
        Any ending; what is there is replaced.
    data : dask.array.Array
        The pixels.
    name : str
        Of the image, in the metadata.
    calibration : Calibration
        Pixel size.
    record : JSON value
        What the image was made from; the file's identifier is made from it.
    watch : Watch
        Progress and cancelling, once per tile.
    """
    import tifffile

    colour = data.ndim == 3
    unit = "µm" if calibration.unit == "um" else calibration.unit
    told = json.dumps([record, name, str(data.dtype)], sort_keys=True)
    tifffile.imwrite(
        path,
        _whole_tiles(data, watch),
        shape=data.shape,
        dtype=data.dtype,
        tile=(SIDE, SIDE),
        photometric="rgb" if colour else "minisblack",
        compression="zlib",
        maxworkers=1,  # rendering has the cores
        bigtiff=data.nbytes > _LARGEST_PLAIN,
        ome=True,
        metadata={
            "axes": "YXS" if colour else "YX",
            "Name": name,
            "UUID": str(uuid.uuid5(uuid.NAMESPACE_OID, told)),  # not a random one, so that the bytes are the same
            "PhysicalSizeY": calibration.pixel_size[0],
            "PhysicalSizeX": calibration.pixel_size[1],
            "PhysicalSizeYUnit": unit,
            "PhysicalSizeXUnit": unit,
        },
    )


def _whole_tiles(data: Any, watch: Watch) -> Iterator[NDArray[Any]]:
    for _, _, tile in rendered_tiles(data, watch):
        missing = [(0, SIDE - tile.shape[0]), (0, SIDE - tile.shape[1]), *[(0, 0)] * (tile.ndim - 2)]
        yield np.pad(tile, missing)
