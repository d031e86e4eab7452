"""Labels as OME-TIFF, which this package knows again."""

import os
from pathlib import Path
from typing import Any

from napari_mpseg.calibration import Calibration

CREATOR = "napari-mpseg labels"
"""What such a file names as its creator."""

_AXES = "TZYX"


def write_labels_tiff(
    path: str | os.PathLike[str], labels: Any, name: str, calibration: Calibration | None = None
) -> None:
    """Write labels, compressed, and in tiles if they are large.

    Parameters
    ----------
    path : path-like
        Any ending; what is there is replaced.
    labels : numpy.ndarray
        ``(Y, X)``, ``(Z, Y, X)`` or ``(T, Z, Y, X)``, integers of at most 32 bits.
    name : str
        Of the image in the file.
    calibration : Calibration, optional
        Pixel size.
    """
    import tifffile

    metadata: dict[str, Any] = {"axes": _AXES[-labels.ndim :], "Name": name, "Creator": CREATOR}
    if calibration is not None and calibration.calibrated:
        height, width = calibration.pixel_size
        unit = "µm" if calibration.unit == "um" else calibration.unit
        metadata |= {"PhysicalSizeY": height, "PhysicalSizeX": width}
        metadata |= {"PhysicalSizeYUnit": unit, "PhysicalSizeXUnit": unit}
    tile = (512, 512) if min(labels.shape[-2:]) > 512 else None
    # the ending decides nothing: `ome` does
    tifffile.imwrite(path, labels, ome=True, metadata=metadata, photometric="minisblack", compression="zlib", tile=tile)


def is_labels_tiff(path: str | os.PathLike[str]) -> bool:
    """Return whether :func:`write_labels_tiff` wrote this file; anything else, or nothing there, is not."""
    import tifffile

    if not Path(path).is_file():
        return False
    try:
        with tifffile.TiffFile(path) as tif:
            return CREATOR in (tif.ome_metadata or "")[:2000]
    except (OSError, ValueError, tifffile.TiffFileError):
        return False
