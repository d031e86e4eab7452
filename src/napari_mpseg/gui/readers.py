"""napari's reader: pixel size, units, channels and pyramids are kept, and pixels are read only when looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from napari_mpseg.gui.labels_files import LabelsFile, read_tiff, read_zarr
from napari_mpseg.pyramids import LARGEST_EDITABLE

LayerData = tuple[Any, dict[str, Any], str]


def get_reader(path: str | Sequence[str]) -> Callable[[str | Sequence[str]], list[LayerData]] | None:
    """Return the reader if every path is of a kind that this plugin opens, else None so that napari asks others."""
    paths = [path] if isinstance(path, str) else list(path)
    return read if paths and all(_known(Path(one)) for one in paths) else None


def read(path: str | Sequence[str]) -> list[LayerData]:
    """Open files as image layers and, where they hold any, labels layers with their table.

    Raises
    ------
    ImageError
        If a file is of a known kind but damaged.
    """
    paths = [path] if isinstance(path, str) else list(path)
    return [layer for one in paths for layer in _read_one(Path(one))]


def _known(path: Path) -> bool:
    from napari_mpseg.images.open import open_stack  # noqa: F401 - registers the readers
    from napari_mpseg.images.readers import file_readers

    try:
        if path.is_dir():
            return any(reader.is_store and reader.is_store(path) for reader in file_readers.values())
        with path.open("rb") as file:
            head = file.read(16)
    except OSError:
        return False
    return any(head.startswith(magic) for reader in file_readers.values() for magic in reader.magic)


def _read_one(path: Path) -> list[LayerData]:
    from napari_mpseg.images.open import open_stack

    if path.is_dir():
        labels = read_zarr(path)
        if labels and labels[0].data.basename == "0" and labels[0].data.path == "0":
            return [_labels_layer(labels[0])]  # a store of labels alone
    else:
        one = read_tiff(path)
        if one is not None:
            return [_labels_layer(one)]
        labels = []
    data, meta, kind = image_layer(open_stack(path))
    if any(one.name.endswith(" particles") for one in labels):  # a result of this plugin
        meta |= {"name": f"{meta['name']} probability", "colormap": "magma", "contrast_limits": (0, 255)}
        meta["metadata"]["napari-mpseg"]["role"] = "probability"
    return [(data, meta, kind), *map(_labels_layer, labels)]


def image_layer(stack: Any) -> LayerData:
    """Return a :class:`~napari_mpseg.images.stack.Stack` as napari layer data; channels become layers of their own."""
    planes = len(stack.plane_axes)
    rgb = stack.channels[:3] == ("red", "green", "blue")
    ndim = planes + 2
    meta: dict[str, Any] = {
        "name": stack.name,
        "scale": (1.0,) * planes + stack.calibration.pixel_size,
        "axis_labels": (*stack.plane_axes.lower(), "y", "x"),
        "metadata": {"napari-mpseg": {"source": stack.source, "calibration": str(stack.calibration)}},
        "multiscale": len(stack.levels) > 1,
    }
    if stack.calibration.calibrated:
        meta["units"] = (stack.calibration.unit_name,) * ndim
    if rgb:
        meta["rgb"] = True
    elif stack.channels:
        meta["channel_axis"] = ndim
        meta["name"] = [f"{stack.name} {channel}" for channel in stack.channels]
    levels = list(stack.levels)
    return (levels if meta["multiscale"] else levels[0]), meta, "image"


def _labels_layer(labels: LabelsFile) -> LayerData:
    import numpy as np
    from napari.utils.notifications import show_warning

    for note in labels.notes:
        show_warning(note)
    data = labels.data
    if np.dtype(data.dtype).itemsize * int(np.prod(data.shape)) < LARGEST_EDITABLE:
        data = np.asarray(data[...])  # in memory, so that painting stays out of the file
    meta: dict[str, Any] = {
        "name": labels.name,
        "scale": tuple(labels.scale),
        "metadata": {"napari-mpseg": {**labels.metadata, "role": "particles"}},
    }
    if any(labels.translate):
        meta["translate"] = tuple(labels.translate)
    if labels.unit != "pixel":
        meta["units"] = (labels.unit,) * data.ndim
    if labels.features is not None:
        meta["features"] = labels.features
    return data, meta, "labels"
