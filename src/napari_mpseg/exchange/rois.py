"""Particles as regions of interest for ImageJ's ROI Manager."""

import zipfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.errors import MpsegError, SettingsError
from napari_mpseg.exchange.outlines import Loops, trace_outlines
from napari_mpseg.exchange.source import ExportSource, add
from napari_mpseg.progress import Progress

_LARGEST_INTEGER = 60535  # ImageJ takes 16-bit coordinates above as negative ones
_MOVE, _LINE, _CLOSE = 0.0, 1.0, 4.0  # steps of a path in ImageJ's composite ROIs


def check_roifile() -> None:
    """Say how to get the library that writes ROIs, if it is not there.

    Raises
    ------
    MpsegError
        Names the command.
    """
    if find_spec("roifile") is None:
        raise MpsegError('ImageJ ROIs need the library roifile. Install it: pip install "napari-mpseg[imagej]"')


def roi_of(name: str, loops: Loops, position: int = 0) -> Any:
    """Return a particle as an ImageJ ROI that holds exactly the particle's pixels.

    Parameters
    ----------
    name : str
        Shown in the ROI Manager.
    loops : list of numpy.ndarray
        Of :func:`~napari_mpseg.exchange.outlines.trace_outlines`. One alone becomes a traced ROI, as ImageJ's wand
        makes it; several (holes, pieces) a composite ROI.
    position : int
        Plane of a stack, from 1; 0 is none.

    Returns
    -------
    roifile.ImagejRoi
    """
    from roifile import ROI_TYPE, ImagejRoi

    points = np.concatenate(loops)
    left, top = (int(value) for value in points.min(axis=0))
    right, bottom = (int(value) for value in points.max(axis=0))
    roi = ImagejRoi()
    roi.name, roi.position = name, position
    roi.left, roi.top, roi.right, roi.bottom = left, top, right, bottom
    if len(loops) > 1:
        path = np.concatenate([_path(loop) for loop in loops]).astype(np.float32)
        roi.roitype, roi.multi_coordinates, roi.shape_roi_size = ROI_TYPE.RECT, path, len(path)
        return roi
    roi.roitype, roi.n_coordinates = ROI_TYPE.TRACED, len(points)
    roi.integer_coordinates = (points - (left, top)).astype(np.int32)
    if max(right, bottom) > _LARGEST_INTEGER:
        from roifile import ROI_OPTIONS

        roi.options |= ROI_OPTIONS.SUB_PIXEL_RESOLUTION
        roi.subpixel_coordinates = points.astype(np.float32)
    return roi


def _path(loop: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return an outline as ImageJ's path: what to do and where, again and again, and at last to close it."""
    steps = np.column_stack([np.full(len(loop), _LINE), loop])
    steps[0, 0] = _MOVE
    return np.append(steps.ravel(), _CLOSE)


def _write_rois(source: ExportSource, path: Path) -> list[str]:
    check_roifile()
    labels = source.table.labels
    written, composite = 0, 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for position, wanted, plane in _planes(source):
            outlines = trace_outlines(plane, wanted, on_progress=source.on_progress, cancel=source.cancel)
            for label, loops in _told(outlines, source):
                # a date of its own would make each file another one
                entry = zipfile.ZipInfo(f"{label}.roi")
                archive.writestr(entry, roi_of(str(label), loops, position).tobytes(), zipfile.ZIP_DEFLATED)
                written, composite = written + 1, composite + (len(loops) > 1)
    if written < len(labels):
        raise SettingsError(
            f"{len(labels) - written} of the table's {len(labels)} particles are not in the labels. "
            "Give the labels that this table was measured on."
        )
    if not composite:
        return []
    verb = (
        "has holes or several pieces and is a composite ROI"
        if composite == 1
        else ("have holes or several pieces and are composite ROIs")
    )
    return [f"{composite} of {written} ROIs {verb} in ImageJ."]


def _told(outlines: dict[int, Loops], source: ExportSource) -> Iterator[tuple[int, Loops]]:
    for done, item in enumerate(outlines.items()):
        if done % 1000 == 0:
            source.cancel.check()
            source.on_progress(Progress("Writing ROIs", done, len(outlines), "ROIs"))
        yield item


def _planes(source: ExportSource) -> Iterator[tuple[int, NDArray[np.int64], Any]]:
    """Give the position in a stack, the labels wanted there and the plane of labels."""
    table, labels = source.table, source.labels
    if labels.ndim <= 2 or "plane" not in table.frame:
        yield 0, table.labels, labels
        return
    number = table.frame["plane"].to_numpy(np.int64)
    flat = labels.reshape(-1, *labels.shape[-2:])
    for plane in np.unique(number):
        yield int(plane) + 1, table.labels[number == plane], flat[plane]


add(
    "imagej-rois",
    "ImageJ ROIs (zip)",
    "Outlines for ImageJ's ROI Manager, one ROI per particle, named by its label",
    "_RoiSet.zip",
    _write_rois,
    check=check_roifile,
    needs_labels=True,
)
