"""Open the labels of a file or result store."""

import os
from pathlib import Path

from napari_mpseg.calibration import Calibration
from napari_mpseg.images.image import Image
from napari_mpseg.images.open import open_image
from napari_mpseg.inference.store import LABELS_GROUP


def open_labels(path: str | os.PathLike[str], calibration: Calibration | None = None) -> Image:
    """Return the labels of a result store (``NAME.ome.zarr``), or of any image file that holds labels.

    Raises
    ------
    ImageError
        If there is no such file, or it cannot be read.
    """
    inside = Path(path) / LABELS_GROUP
    return open_image(inside if inside.is_dir() else path, calibration=calibration)
