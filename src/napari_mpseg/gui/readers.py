"""napari's reader: pixel size, units, channels and pyramids are kept, and pixels are read only when looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_mpseg.coco.document import looks_like_coco
from napari_mpseg.exchange.names import labels_stem
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
    if path.suffix.lower() == ".json":
        from napari_mpseg.gui.coco_reader import looks_like_results

        return looks_like_coco(path) or looks_like_results(path)
    return any(head.startswith(magic) for reader in file_readers.values() for magic in reader.magic)


def _read_one(path: Path) -> list[LayerData]:
    from napari_mpseg.images.open import open_stack

    if path.is_dir():
        _finish_corrections(path)
        labels = read_zarr(path)
        if labels and labels[0].data.basename == "0" and labels[0].data.path == "0":
            return [_labels_layer(labels[0])]  # a store of labels alone
        if any(one.name.endswith(" particles") for one in labels):
            return _result_layers(path, labels)
    elif path.suffix.lower() == ".json":
        from napari_mpseg.gui.coco_reader import read_coco_file

        images, found = read_coco_file(path)
        return [*map(image_layer, images), *map(_labels_layer, found)]
    else:
        one = read_tiff(path)
        if one is not None:
            return [_labels_layer(one)]
        labels = []
    return [image_layer(open_stack(path)), *map(_labels_layer, labels)]


def _finish_corrections(path: Path) -> None:
    """Finish what a killed process had begun to correct in these labels."""
    from napari.utils.notifications import show_info, show_warning

    from napari_mpseg.errors import MpsegError
    from napari_mpseg.results.corrections.correct import finish_left_over

    try:
        notes = finish_left_over(path)
    except MpsegError as error:  # such as a store that can only be read: it is shown as it is
        show_warning(str(error))
        return
    for note in notes:
        show_info(note)


def _result_layers(path: Path, labels: Sequence[LabelsFile]) -> list[LayerData]:
    """Return a result of this plugin: the image if it is still there, its probability and its labels."""
    from napari_mpseg.images.open import open_stack
    from napari_mpseg.inference.store import open_store
    from napari_mpseg.layers import method_is_graded
    from napari_mpseg.pyramids import displayed
    from napari_mpseg.results.recorded_image import recorded_stack
    from napari_mpseg.results.result_store import read_record

    record = read_record(path) or {}
    image = recorded_stack(record)
    beside = [image_layer(image)] if image is not None and _can_be_shown(image) else []
    source = str(dict(record.get("inputs") or {}).get("name") or labels_stem(path))
    about: dict[str, Any] = {"provenance": record, "source": source, "store": str(path)}
    _, meta, kind = image_layer(open_stack(path))
    data, levels = displayed(open_store(path).probability, editable=False)
    graded = method_is_graded(record)
    known = {} if graded is None else {"graded": graded}
    meta |= {
        "name": f"{meta['name']} probability",
        "colormap": "magma",
        "contrast_limits": (0, 255),
        "multiscale": levels,
        "metadata": {"napari-mpseg": {**about, **known, "role": "probability"}},
    }
    if beside:
        meta |= {"opacity": 0.6, "visible": False}
    told = [replace(one, metadata={**about, **one.metadata}) for one in labels]
    return [*beside, (data, meta, kind), *map(_labels_layer, told)]


def _can_be_shown(image: Any) -> bool:
    """Whether an image can be shown without reading it whole, or quickly, and is not in the viewer already."""
    import napari
    import numpy as np

    pixels = image.levels[0]
    size = int(np.prod(pixels.shape)) * pixels.dtype.itemsize
    if len(image.levels) < 2 and size >= LARGEST_EDITABLE:
        return False
    viewer = napari.current_viewer()
    for layer in viewer.layers if viewer is not None else ():
        record = layer.metadata.get("napari-mpseg") if isinstance(layer.metadata, dict) else None
        if isinstance(record, dict) and record.get("source") == image.source and "role" not in record:
            return False
    return True


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
    from napari.utils.notifications import show_warning

    from napari_mpseg.pyramids import displayed

    for note in labels.notes:
        show_warning(note)
    data, levels = displayed(labels.data, editable=True)  # in memory, so that painting stays out of the file
    meta: dict[str, Any] = {
        "name": labels.name,
        "multiscale": levels,
        "scale": tuple(labels.scale),
        "metadata": {"napari-mpseg": {**labels.metadata, "role": "particles"}},
    }
    if any(labels.translate):
        meta["translate"] = tuple(labels.translate)
    if labels.unit != "pixel":
        meta["units"] = (labels.unit,) * labels.data.ndim
    if labels.features is not None:
        meta["features"] = labels.features
    return data, meta, "labels"
