"""The result store: probability and labels as OME-Zarr 0.5 (zarr v3), one chunk per tile.

Layout::

    NAME.ome.zarr/            OME image: probability, uint8, 255 = 1
      0                       full resolution
      labels/particles/0      int32 labels, 0 = background
"""

import shutil
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import StoreError

PROBABILITY_SCALE = 255
LABELS_GROUP = "labels/particles"


@dataclass(frozen=True)
class ResultArrays:
    """The two arrays of a result.

    Attributes
    ----------
    probability : zarr.Array
        uint8 ``(Y, X)``; 255 stands for probability 1.
    labels : zarr.Array
        int32 ``(Y, X)``, dense 1..N; 0 is background.
    """

    probability: Any
    labels: Any


def create_store(path: Path, shape: tuple[int, int], tile: int, calibration: Calibration, name: str) -> ResultArrays:
    """Create an empty result store at `path`.

    Raises
    ------
    StoreError
        If the folder cannot be written.
    """
    import zarr
    from zarr.storage import LocalStore

    try:
        root = zarr.open_group(LocalStore(path), mode="w-", zarr_format=3)
        chunks = (min(tile, shape[0]), min(tile, shape[1]))
        probability = root.create_array(
            "0", shape=shape, chunks=chunks, dtype="uint8", dimension_names=("y", "x"), fill_value=0
        )
        labels_root = root.create_group("labels")
        group = labels_root.create_group("particles")
        labels = group.create_array(
            "0", shape=shape, chunks=chunks, dtype="int32", dimension_names=("y", "x"), fill_value=0
        )
        root.attrs["ome"] = _multiscales(calibration, name)
        labels_root.attrs["ome"] = {"version": "0.5", "labels": ["particles"]}
        group.attrs["ome"] = {
            **_multiscales(calibration, "particles"),
            "image-label": {"source": {"image": "../../"}},
        }
    except OSError as error:
        raise StoreError(
            f"Cannot create the result store {path}: {error.strerror or error}. "
            "Choose another folder or free some space."
        ) from error
    return ResultArrays(probability, labels)


def open_store(path: Path) -> ResultArrays:
    """Open a finished store for reading.

    Raises
    ------
    StoreError
        If there is no result store at `path`.
    """
    import zarr
    from zarr.storage import LocalStore

    try:
        root = zarr.open_group(LocalStore(path), mode="r")
        return ResultArrays(root["0"], root[f"{LABELS_GROUP}/0"])
    except (OSError, KeyError, ValueError) as error:
        raise StoreError(f"{path} is not a result store of napari-mpseg: {error}.") from error


def open_store_for_writing(path: Path) -> ResultArrays:
    """Open a store that :func:`create_store` made, to fill it.

    Raises
    ------
    StoreError
        If there is no result store at `path`, or this process cannot reach it.
    """
    import zarr
    from zarr.storage import LocalStore

    try:
        root = zarr.open_group(LocalStore(path), mode="r+")
        return ResultArrays(root["0"], root[f"{LABELS_GROUP}/0"])
    except (OSError, KeyError, ValueError) as error:
        raise StoreError(f"{path} cannot be written as a result store: {error}.") from error


def remove_with(arrays: ResultArrays, folder: Path) -> None:
    """Remove `folder`, a temporary result store, once nobody holds either array any more, or Python ends."""
    weakref.finalize(arrays.labels.store, shutil.rmtree, folder, ignore_errors=True)


def _multiscales(calibration: Calibration, name: str) -> dict[str, Any]:
    axes: list[dict[str, str]] = [{"name": axis, "type": "space"} for axis in ("y", "x")]
    if calibration.calibrated:
        for axis in axes:
            axis["unit"] = calibration.unit_name
    transform = {"type": "scale", "scale": list(calibration.pixel_size)}
    dataset = {"path": "0", "coordinateTransformations": [transform]}
    return {"version": "0.5", "multiscales": [{"name": name, "axes": axes, "datasets": [dataset]}]}
