"""The result store: probability and labels as OME-Zarr 0.5 (zarr v3), one chunk per tile.

Layout::

    NAME.ome.zarr/            OME image: probability, uint8, 255 = 1
      0                       full resolution
      1, 2 ...                levels for display, see :mod:`napari_mpseg.inference.levels`
      labels/particles/0      int32 labels, 0 = background
      labels/particles/1 ...  their levels

A chunk of nothing but zeros is not stored, so the background of a filter takes no space. Every other chunk is a file of
its own, compressed, with a checksum (CRC-32C) that any reader of zarr 3 compares: damage is noticed where it is read.
Chunks are not packed together into shards, although 100 000 x 100 000 pixels make up to 25 000 files in each array: a
shard can only be written whole, so tiles that are done side by side, by several processes or before and after a kill,
would have to wait for each other. A chunk of its own is complete or not there.
"""

import shutil
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import MpsegError, StoreError

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
        probability = create_level(root, 0, shape, (tile, tile), "uint8")
        labels_root = root.create_group("labels")
        group = labels_root.create_group("particles")
        labels = create_level(group, 0, shape, (tile, tile), "int32")
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


def create_level(group: Any, level: int, shape: tuple[int, int], chunks: tuple[int, int], dtype: Any) -> Any:
    """Create an empty array ``(Y, X)`` for a level of an image in a zarr group, in place of what was there."""
    from zarr.codecs import Crc32cCodec, ZstdCodec

    return group.create_array(
        str(level),
        shape=shape,
        chunks=(min(chunks[0], shape[0]), min(chunks[1], shape[1])),
        dtype=dtype,
        compressors=[ZstdCodec(level=0), Crc32cCodec()],
        dimension_names=("y", "x"),
        fill_value=0,
        overwrite=level > 0,
        config={"write_empty_chunks": False},
    )


def read_stored(array: Any, index: Any) -> np.ndarray[Any, Any]:
    """Read a part of an array of a store.

    Raises
    ------
    StoreError
        If a chunk of it is damaged, or cannot be read.
    """
    try:
        return np.asarray(array[index])
    except MpsegError:
        raise
    except Exception as error:  # a wrong checksum, a broken compression, a disk that is away: each its own exception
        rows, columns = (f"{part.start} to {part.stop}" for part in index)
        place = str(getattr(array, "store_path", "the result store")).removeprefix("file://")
        raise StoreError(
            f"Rows {rows}, columns {columns} of {place} cannot be read: {str(error).strip() or type(error).__name__}. "
            "A file there is damaged, or the disk is away. Copy the results again, or segment the image again."
        ) from error


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
