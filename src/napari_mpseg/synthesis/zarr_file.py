"""A lazy image and its truth as OME-Zarr 0.5 with levels for display, tile by tile.

Layout::

    NAME.ome.zarr/            the image, (C, Y, X) in colour or (Y, X)
      0, 1, 2 ...             full resolution, and half, a quarter ...: means of 2 x 2 pixels
      labels/particles/0 ...  the truth, int32; smaller levels hold the largest of 2 x 2 labels
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.calibration import Calibration
from napari_mpseg.progress import Progress
from napari_mpseg.synthesis.made_image import SyntheticImage
from napari_mpseg.synthesis.tiles import SIDE, Watch, rendered_tiles

_SMALLEST = 2048  # px, longer side up to which a level needs no smaller one
_COLOURS = ("FF0000", "00FF00", "0000FF")


def write_zarr(path: Path, made: SyntheticImage, picture: Watch, truth: Watch) -> None:
    """Write image and truth; the bytes depend on nothing but the settings.

    Parameters
    ----------
    path : Path
        A folder that is not there yet.
    made : SyntheticImage
        What to write.
    picture, truth : Watch
        Progress and cancelling, once per tile of the one and of the other.
    """
    import zarr
    from zarr.storage import LocalStore

    image = made.image
    root = zarr.open_group(LocalStore(path), mode="w-", zarr_format=3)
    axes = "cyx" if image.data.ndim == 3 else "yx"
    levels = _fill(root, image.data, axes, picture)
    root.attrs["ome"] = {
        **_multiscales(image.name, axes, levels, image.calibration),
        **({"omero": {"channels": _channels(image.channels)}} if image.channels else {}),
    }
    labels = root.create_group("labels")
    labels.attrs["ome"] = {"version": "0.5", "labels": ["particles"]}
    group = labels.create_group("particles")
    levels = _fill(group, made.labels, "yx", truth)
    source = {"image-label": {"source": {"image": "../../"}}}
    group.attrs["ome"] = {**_multiscales("particles", "yx", levels, image.calibration), **source}


def _fill(group: Any, data: Any, axes: str, watch: Watch) -> int:
    """Write an array and its levels, and return how many there are."""
    array = _create(group, 0, data.shape[:2], axes, data)
    for y, x, tile in rendered_tiles(data, watch):
        array[..., y : y + SIDE, x : x + SIDE] = np.moveaxis(tile, -1, 0) if tile.ndim == 3 else tile
    level = 0
    while max(array.shape[-2:]) > _SMALLEST:
        level += 1
        shape = (-(-array.shape[-2] // 2), -(-array.shape[-1] // 2))
        smaller = _create(group, level, shape, axes, data)
        _halve(array, smaller, watch, level)
        array = smaller
    return level + 1


def _create(group: Any, level: int, shape: tuple[int, int], axes: str, data: Any) -> Any:
    from zarr.codecs import Crc32cCodec, ZstdCodec

    channels = (data.shape[2],) if axes == "cyx" else ()
    return group.create_array(
        str(level),
        shape=(*channels, *shape),
        chunks=(*channels, min(SIDE, shape[0]), min(SIDE, shape[1])),
        dtype=data.dtype,
        compressors=[ZstdCodec(level=0), Crc32cCodec()],
        dimension_names=tuple(axes),
        fill_value=0,
        config={"write_empty_chunks": False},
    )


def _halve(array: Any, smaller: Any, watch: Watch, level: int) -> None:
    height, width = smaller.shape[-2:]
    corners = [(y, x) for y in range(0, height, SIDE) for x in range(0, width, SIDE)]
    stage = f"{watch.stage}: level {level}"
    for done, (y, x) in enumerate(corners, 1):
        watch.cancel.check()
        seen = np.asarray(array[..., 2 * y : 2 * (y + SIDE), 2 * x : 2 * (x + SIDE)])
        smaller[..., y : y + SIDE, x : x + SIDE] = _halved(seen)
        watch.on_progress(Progress(stage, done, len(corners), "tiles"))


def _halved(values: NDArray[Any]) -> NDArray[Any]:
    """Return means (pixels, uint8) or largest values (labels) of 2 x 2; at an odd end what is there counts twice."""
    odd = [(0, 0)] * (values.ndim - 2) + [(0, length % 2) for length in values.shape[-2:]]
    even = np.pad(values, odd, mode="edge")
    parts = [even[..., i::2, j::2] for i in (0, 1) for j in (0, 1)]
    if values.dtype != np.uint8:
        return np.asarray(np.maximum.reduce(parts))
    total = sum((part.astype(np.uint16) for part in parts), np.uint16(2))
    return np.asarray(total // 4, np.uint8)


def _multiscales(name: str, axes: str, levels: int, calibration: Calibration) -> dict[str, Any]:
    unit = calibration.unit_name
    named = [{"name": a, "type": "channel"} if a == "c" else {"name": a, "type": "space", "unit": unit} for a in axes]
    before = [1.0] * (len(axes) - 2)
    datasets = []
    for level in range(levels):
        scale = [2**level * length for length in calibration.pixel_size]
        transforms: list[dict[str, Any]] = [{"type": "scale", "scale": [*before, *scale]}]
        if level:
            # a pixel of this level covers several, and OME-Zarr places pixels by their centres
            shift = [(2**level - 1) / 2 * length for length in calibration.pixel_size]
            transforms.append({"type": "translation", "translation": [*[0.0] * len(before), *shift]})
        datasets.append({"path": str(level), "coordinateTransformations": transforms})
    return {"version": "0.5", "multiscales": [{"name": name, "axes": named, "datasets": datasets}]}


def _channels(names: tuple[str, ...]) -> list[dict[str, Any]]:
    window = {"min": 0, "max": 255, "start": 0, "end": 255}
    return [
        {"label": name, "color": colour, "active": True, "window": window}
        for name, colour in zip(names, _COLOURS, strict=False)
    ]
