"""Open the labels of a file or result store, and tell a store of labels alone from others."""

import json
import os
from dataclasses import replace
from pathlib import Path

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import ImageError
from napari_mpseg.exchange.names import labels_stem
from napari_mpseg.images.image import Image
from napari_mpseg.images.open import open_image
from napari_mpseg.inference.store import LABELS_GROUP


def open_labels(
    path: str | os.PathLike[str],
    calibration: Calibration | None = None,
    plane: tuple[int, ...] | None = None,
) -> Image:
    """Return the labels of a result store (``NAME.ome.zarr``) or its folder, or of any image file that holds labels.

    Parameters
    ----------
    path : path-like
        Result store, OME-Zarr or zarr of labels, or image file of labels.
    calibration : Calibration, optional
        Pixel size instead of what the file says.
    plane : tuple of int, optional
        Which plane of a stack.

    Returns
    -------
    Image
        ``(Y, X)``; named like the store or file.

    Raises
    ------
    ImageError
        If there is no such file, it cannot be read, or a folder holds several results.
    """
    path = store_in(Path(path))
    if (path / LABELS_GROUP).is_dir():
        from napari_mpseg.results.corrections.correct import finish_left_over

        finish_left_over(path)
        labels = open_image(path / LABELS_GROUP, plane=plane, calibration=calibration)
        return replace(labels, name=labels.name.replace("particles", labels_stem(path.absolute()), 1))
    return open_image(path, plane=plane, calibration=calibration)


def is_labels_store(path: str | os.PathLike[str]) -> bool:
    """Return whether an OME-Zarr 0.5 store says that it is labels alone: no image, and no result with both."""
    try:
        values = json.loads((Path(path) / "zarr.json").read_text(encoding="utf-8"))
        return "image-label" in values["attributes"]["ome"]
    except (OSError, ValueError, KeyError, TypeError):
        return False


def store_in(path: Path) -> Path:
    """Return the result store in a folder of results, or the path itself if it is no such folder.

    Raises
    ------
    ImageError
        If the folder holds several results.
    """
    stores = [] if (path / "zarr.json").exists() else sorted(path.glob(f"*.zarr/{LABELS_GROUP}"))
    names = [store.relative_to(path).parts[0] for store in stores]
    if len(names) > 1:
        raise ImageError(f"{path} holds several results. Give one of them: {', '.join(names)}.")
    return path / names[0] if names else path
