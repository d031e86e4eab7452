"""Measure every particle of a label image."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from napari_mpseg.calibration import Calibration
from napari_mpseg.inference.schedulers import Scheduler
from napari_mpseg.particles.blocks import label_array
from napari_mpseg.particles.gathering import MeasureBlocks, gathered
from napari_mpseg.particles.geometry import Geometry, Particles
from napari_mpseg.particles.inputs import inputs_of
from napari_mpseg.particles.perimeters import PERIMETERS
from napari_mpseg.particles.piece_measures import asked_for
from napari_mpseg.particles.properties import Property, columns_of, properties_in, values_of
from napari_mpseg.particles.table import ParticleTable
from napari_mpseg.progress import CancelToken, ProgressCallback, silent
from napari_mpseg.provenance import Provenance


def measure(
    labels: Any,
    image: Any = None,
    *,
    calibration: Calibration | None = None,
    properties: str | Sequence[str] | None = None,
    perimeter: str = "imagej",
    probability: Any = None,
    scheduler: str | Scheduler | None = None,
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
    perimeter : str
        Estimator behind the columns ``perimeter`` and ``circularity``: ``"imagej"``, or ``"crofton"``, which does not
        depend on how the particle lies and comes closer to the true length of large ones. See
        :data:`napari_mpseg.particles.perimeters.PERIMETERS`.
    probability : Image or array, optional
        ``(Y, X)``, uint8 (255 stands for 1) or floating point from 0 to 1, give or take 1e-6. Adds the column
        ``confidence``, the mean over the particle, read in the same pass; nan where a value under it is nan.
    scheduler : str or Scheduler, optional
        Where blocks are measured: ``"threads"``, ``"processes:4"`` or another of
        :mod:`napari_mpseg.inference.schedulers`. Default one after the other in this thread. The table is the same, bit
        by bit, and labels and image are read where the blocks are measured, not here.
    on_progress, cancel
        See :mod:`napari_mpseg.progress`; both are used once per block.

    Returns
    -------
    ParticleTable
        One row per label, in label order. No labels: no rows, but all columns.

    Raises
    ------
    ImageError
        If the labels are not two-dimensional non-negative integers up to 2**63 - 1, or image or probability do not fit
        them.
    SettingsError, UnknownNameError
        If a property cannot be measured or is unknown.
    StoreError
        If labels or probability lie in a store with a damaged chunk.
    Cancelled
        If `cancel` was set.

    Notes
    -----
    Definitions are ImageJ's wherever ImageJ has one. Lengths are measured between pixel corners, centroids are pixel
    indices (the first pixel's centre is 0, as in napari and scikit-image; ImageJ's are 0.5 more). Where pixels are not
    square, dimensionless numbers and angles are those of the true, calibrated shape.

    Memory grows with the number of particles and with the outlines that cross block borders, not with the image. The
    sets ``"morphology"`` and ``"fibre"`` take 50 and 100 bytes per pixel of the largest particle besides: a particle
    that fills an image of 10 000 x 10 000 pixels needs 5 and 10 GB.

    Examples
    --------
    >>> labels = np.zeros((5, 5), np.int32)
    >>> labels[1:3, 1:4] = 7
    >>> table = measure(labels, calibration=Calibration.parse("2um"))
    >>> table.frame.loc[0, ["label", "area_px", "area_um2"]].tolist()
    [7.0, 6.0, 24.0]
    """
    array = label_array(labels)
    found = inputs_of(image, probability, tuple(map(int, array.shape)))
    calibration = calibration or found.calibration or Calibration()
    estimator = PERIMETERS[perimeter]
    chosen = properties_in(properties, found.given)
    needs = {need for entry in chosen for need in entry.needs}
    if "perimeter" in needs:
        needs.update(estimator.needs)
    if not any(entry.given in ("image", "rgb") for entry in chosen):
        found = replace(found, pixels=None)
    work = MeasureBlocks(array, found, asked_for(needs, calibration.pixel_size), "ring" in needs)
    particles = gathered(work, scheduler, on_progress, cancel)
    inputs = {
        "shape": list(map(int, array.shape)),
        "image": getattr(image, "name", None),
        "source": getattr(image, "source", None),
        "calibration": str(calibration),
    }
    settings = {"properties": [entry.name for entry in chosen], "perimeter": perimeter}
    record = Provenance("measure", settings, inputs)
    return _table(particles, chosen, found.channels, calibration, record)


def _table(
    particles: Particles, chosen: list[Property], channels: Sequence[str], calibration: Calibration, record: Provenance
) -> ParticleTable:
    import pandas as pd

    estimator = str(record.settings["perimeter"])
    in_pixels = Geometry(particles, estimator=estimator)
    size = calibration.pixel_size
    in_units = Geometry(particles, size, estimator) if size != (1.0, 1.0) else in_pixels
    columns: dict[str, Any] = {"label": particles.label}
    units = {"label": ""}
    for entry in chosen:
        names = _named(entry, calibration, channels)
        values = values_of(entry, in_pixels, in_units, calibrated=calibration.calibrated)
        columns.update(zip(names, values, strict=True))
        units |= names
    return ParticleTable(pd.DataFrame(columns), calibration, units, record.to_dict())


def _named(entry: Property, calibration: Calibration, channels: Sequence[str]) -> dict[str, str]:
    """Return the columns of a property with their units. What counts in areas ends in their unit, as areas do."""
    names = columns_of(entry, calibration, channels)
    if "{area}" not in entry.unit:
        return names
    ending = calibration.area_suffix if calibration.calibrated else "px"
    return {f"{name}_{ending}": unit for name, unit in names.items()}
