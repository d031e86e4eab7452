"""What a run was asked for, compared with what is asked for now."""

import hashlib
import os
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from napari_mpseg.errors import StoreError
from napari_mpseg.files import file_digest
from napari_mpseg.images.image import Image
from napari_mpseg.images.region import read_region

_COMPARED = ("version", "settings", "inputs", "model", "libraries")
_NO_MATTER = frozenset({"libraries.dask", "libraries.zarr", "inputs.source"})
_SAMPLES, _SIDE = 4, 64
_QUICKLY_READ = 1 << 28  # bytes
_SHOWN = 4


class StartedOtherwise(StoreError):
    """There is an unfinished run of the image that was asked for something else.

    Attributes
    ----------
    found : str
        What differs, in words.
    """

    found: str = ""


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return in words what of two records of runs differs and can change a result.

    Times, and libraries that only move bytes, do not count; nor does where the image lies, as long as its pixels do.
    """
    one, other = _flat(then), _flat(now)
    names = [name for name in dict.fromkeys([*one, *other]) if name not in _NO_MATTER]
    return [
        f"{name.removeprefix('settings.').removeprefix('libraries.')} was {_shown(one, name)} and is now "
        f"{_shown(other, name)}"
        for name in names
        if one.get(name) != other.get(name)
    ]


def refuse_other(then: Mapping[str, Any], now: Mapping[str, Any], folder: Any) -> None:
    """Refuse to go on with a run that was asked for something else.

    Raises
    ------
    StartedOtherwise
        Names what differs, and both ways out.
    """
    found = differences(then, now)
    if found:
        more = f", and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        words = f"{'; '.join(found[:_SHOWN])}{more}"
        refused = StartedOtherwise(
            f"{folder} holds a run of this image that is not finished, and it was started otherwise: {words}. Run it "
            "as it was to go on with it, or start anew (--restart), which throws away what it had done."
        )
        refused.found = words
        raise refused


def identity(image: Image) -> dict[str, Any]:
    """Return what tells an image from another one under the same name, as far as can be told without reading it all.

    Size and time of its file; of an array all pixels, if they are few enough; and always windows spread over it.

    Raises
    ------
    ImageError
        If pixels cannot be read.
    """
    found: dict[str, Any] = {"sample_crc32": _sample(image, _SAMPLES)}
    source = Path(image.source)
    if source.is_file():
        told = source.stat()
        modified = datetime.fromtimestamp(told.st_mtime, UTC).isoformat(timespec="microseconds")
        found["file"] = {"bytes": told.st_size, "modified": modified}
    elif not source.exists() and prod(image.data.shape) * image.dtype.itemsize <= _QUICKLY_READ:
        found["pixels_crc32"] = zlib.crc32(read_region(image, 0, image.shape[0], 0, image.shape[1]).tobytes())
    return found


def digest_of(given: Any) -> str:
    """Return a digest of what a method is given beside the image: a file, an array, a layer, settings or a text."""
    if isinstance(given, (str, os.PathLike)) and Path(given).is_file():
        return file_digest(Path(given))
    if isinstance(given, (str, os.PathLike)):
        return str(given)
    data = getattr(given, "data", None) if hasattr(getattr(given, "data", None), "shape") else given
    if hasattr(data, "shape") or isinstance(data, (list, tuple)):
        values = np.ascontiguousarray(data)
        if values.dtype != object:
            return hashlib.sha256(f"{values.shape} {values.dtype}".encode() + values.tobytes()).hexdigest()
    return str(given)


def _sample(image: Image, count: int) -> int:
    """Return the CRC-32 of `count` x `count` small windows spread over the image."""
    found = 0
    height, width = image.shape
    for y in np.linspace(0, max(0, height - _SIDE), count).astype(int):
        for x in np.linspace(0, max(0, width - _SIDE), count).astype(int):
            window = read_region(image, int(y), min(int(y) + _SIDE, height), int(x), min(int(x) + _SIDE, width))
            found = zlib.crc32(np.ascontiguousarray(window).data, found)
    return found


def _flat(record: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}

    def add(name: str, value: Any) -> None:
        if isinstance(value, Mapping):
            for key, inner in value.items():
                add(f"{name}.{key}", inner)
        else:
            found[name] = value

    for part in _COMPARED:
        if part in record:
            add(part, record[part])
    return found


def _shown(values: Mapping[str, Any], name: str) -> str:
    if name not in values:
        return "not given"
    text = "not given" if values[name] is None else str(values[name])
    return text if len(text) <= 60 else f"{text[:57]}..."
