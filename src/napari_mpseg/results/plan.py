"""What a run was asked for, compared with what is asked for now."""

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from napari_mpseg.errors import StoreError
from napari_mpseg.images.image import Image
from napari_mpseg.images.region import read_region

_COMPARED = ("version", "settings", "inputs", "model", "libraries")
_NO_MATTER = frozenset({"libraries.dask", "libraries.zarr", "inputs.source"})
_SAMPLES, _SIDE = 4, 64
_SHOWN = 4


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
    StoreError
        Names what differs, and both ways out.
    """
    found = differences(then, now)
    if found:
        more = f", and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise StoreError(
            f"{folder} holds a run of this image that is not finished, and it was started otherwise: "
            f"{'; '.join(found[:_SHOWN])}{more}. Run it as it was to go on with it, or start anew (--restart), which "
            "throws away what it had done."
        )


def sample_checksum(image: Image) -> int:
    """Return a CRC-32 of 16 small windows spread over the image: another image under the same name hardly has the same.

    Raises
    ------
    ImageError
        If pixels cannot be read.
    """
    found = 0
    height, width = image.shape
    for y in np.linspace(0, max(0, height - _SIDE), _SAMPLES).astype(int):
        for x in np.linspace(0, max(0, width - _SIDE), _SAMPLES).astype(int):
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
