"""Measure every particle of a label image."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import ImageError
from napari_mpseg.images.image import Image
from napari_mpseg.particles.blocks import blocks_of, label_array, read_labels, read_pixels
from napari_mpseg.particles.geometry import Geometry, Particles, gather
from napari_mpseg.particles.intensities import IntensityCollector
from napari_mpseg.particles.pieces import PieceCollector
from napari_mpseg.particles.properties import Property, columns_of, properties_in, values_of
from napari_mpseg.particles.runs import find_pieces, find_runs
from napari_mpseg.particles.table import ParticleTable
from napari_mpseg.progress import CancelToken, Progress, ProgressCallback, silent
from napari_mpseg.provenance import Provenance


def measure(
    labels: Any,
    image: Any = None,
    *,
    calibration: Calibration | None = None,
    properties: str | Sequence[str] | None = None,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> ParticleTable:
    """Measure every particle.

    Parameters
    ----------
    labels : array
        ``(Y, X)``, integer, 0 = background; numpy, dask or zarr, read once, block by block. Labels may have gaps, and a
        label may lie in several pieces: it is one particle.
    image : Image or array, optional
        ``(Y, X)`` or ``(Y, X, C)`` of the same height and width; any real dtype. Adds the intensity columns, named by
        channel where there is more than one: ``intensity_mean_red``.
    calibration : Calibration, optional
        Pixel size. Without, that of `image`; without that too, only pixel columns.
    properties : str or sequence of str, optional
        Names of properties or sets (``"shape"``, ``"intensity"``, ``"imagej"``, ``"all"``), see
        :data:`napari_mpseg.particles.PROPERTIES`. Without, the set ``"default"``.
    on_progress, cancel
        See :mod:`napari_mpseg.progress`; both are used once per block.

    Returns
    -------
    ParticleTable
        One row per label, in label order. No labels: no rows, but all columns.

    Raises
    ------
    ImageError
        If the labels are not two-dimensional non-negative integers, or the image has another height or width.
    SettingsError, UnknownNameError
        If a property cannot be measured or is unknown.
    Cancelled
        If `cancel` was set.

    Notes
    -----
    Definitions are ImageJ's wherever ImageJ has one. Lengths are measured between pixel corners, centroids are pixel
    indices (the first pixel's centre is 0, as in napari and scikit-image; ImageJ's are 0.5 more). Where pixels are not
    square, dimensionless numbers and angles are those of the true, calibrated shape.

    Memory grows with the number of particles and with the outlines that cross block borders, not with the image.

    Examples
    --------
    >>> labels = np.zeros((5, 5), np.int32)
    >>> labels[1:3, 1:4] = 7
    >>> table = measure(labels, calibration=Calibration.parse("2um"))
    >>> table.frame.loc[0, ["label", "area_px", "area_um2"]].tolist()
    [7.0, 6.0, 24.0]
    """
    array = label_array(labels)
    pixels, channels, found = _image_parts(image, tuple(array.shape))
    calibration = calibration or found or Calibration()
    chosen = properties_in(properties, with_image=image is not None)
    with_values = any(entry.kind == "intensity" for entry in chosen)
    particles = _gather(array, pixels if with_values else None, len(channels), on_progress, cancel)
    inputs = {
        "shape": list(map(int, array.shape)),
        "image": getattr(image, "name", None),
        "source": getattr(image, "source", None),
        "calibration": str(calibration),
    }
    record = Provenance("measure", {"properties": [entry.name for entry in chosen]}, inputs)
    return _table(particles, chosen, channels, calibration, record)


def _gather(
    labels: Any, pixels: Any, channels: int, on_progress: ProgressCallback, cancel: CancelToken | None
) -> Particles:
    shape = int(labels.shape[0]), int(labels.shape[1])
    blocks = blocks_of(labels)
    shapes, values = PieceCollector(shape), IntensityCollector()
    for done, block in enumerate(blocks):
        if cancel is not None:
            cancel.check()
        on_progress(Progress("Measuring", done, len(blocks), "blocks"))
        runs = find_runs(read_labels(labels, block))
        if not len(runs):
            continue
        pieces = find_pieces(runs)
        shapes.add(runs, pieces, (block.y, block.x), (block.height, block.width))
        if pixels is not None:
            # Only the rectangle with labels in it is read.
            y, x = int(runs.y[0]), int(runs.x0.min())
            window = read_pixels(
                pixels,
                slice(block.y + y, block.y + int(runs.y[-1]) + 1),
                slice(block.x + x, block.x + int(runs.x1.max())),
            )
            values.add(runs.shifted(-y, -x), pieces, window, (block.y + y, block.x + x))
    particles = gather(shapes.finish(), shape)
    on_progress(Progress("Measuring", len(blocks), len(blocks), "blocks"))
    if pixels is None:
        return particles
    return particles.with_intensities(values.finish(particles.label, particles.y0, particles.x0, channels))


def _table(
    particles: Particles, chosen: list[Property], channels: Sequence[str], calibration: Calibration, record: Provenance
) -> ParticleTable:
    import pandas as pd

    in_pixels = Geometry(particles)
    in_units = Geometry(particles, calibration.pixel_size) if calibration.pixel_size != (1.0, 1.0) else in_pixels
    columns: dict[str, Any] = {"label": particles.label}
    units = {"label": ""}
    for entry in chosen:
        names = columns_of(entry, calibration, channels)
        values = values_of(entry, in_pixels, in_units, calibrated=calibration.calibrated)
        columns.update(zip(names, values, strict=True))
        units |= names
    return ParticleTable(pd.DataFrame(columns), calibration, units, record.to_dict())


def _image_parts(image: Any, shape: tuple[int, ...]) -> tuple[Any, tuple[str, ...], Calibration | None]:
    """Return the pixels, the channels' names as they go into columns, and the calibration if there is one."""
    if image is None:
        return None, (), None
    data, names, calibration = (
        (image.data, image.channels, image.calibration) if isinstance(image, Image) else (image, (), None)
    )
    if not (hasattr(data, "shape") and hasattr(data, "dtype")):
        data = np.asarray(data)
    if data.ndim not in (2, 3) or tuple(data.shape[:2]) != shape:
        raise ImageError(
            f"The image has the shape {tuple(data.shape)}, the labels {shape}. "
            "They must have the same height and width: choose the image these labels were made from."
        )
    if data.dtype.kind not in "iuf":
        raise ImageError(f"Intensities of a {data.dtype} image cannot be measured. Give an image of real numbers.")
    count = int(data.shape[2]) if data.ndim == 3 else 1
    if len(names) != count:
        names = tuple(str(number) for number in range(count))
    return data, _column_endings(names), calibration


def _column_endings(names: Sequence[str]) -> tuple[str, ...]:
    endings = [re.sub(r"\W+", "_", name.strip().lower()).strip("_") or str(k) for k, name in enumerate(names)]
    if len(set(endings)) < len(endings):
        endings = [f"{ending}_{k}" for k, ending in enumerate(endings)]
    return tuple(endings)
