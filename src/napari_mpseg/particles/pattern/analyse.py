"""The front door: from particles to how they lie."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import ImageError, SettingsError
from napari_mpseg.particles.pattern.distances import DISTANCES, Found, needed
from napari_mpseg.particles.pattern.pattern import Pattern, region_of
from napari_mpseg.particles.pattern.pattern_settings import PatternSettings
from napari_mpseg.particles.pattern.pattern_tests import DEFAULT_TEST, PATTERN_TESTS
from napari_mpseg.particles.pattern.result import PatternResult
from napari_mpseg.particles.review.definitions import as_keep
from napari_mpseg.progress import CancelToken, ProgressCallback, silent

_PLACE = ["centroid_y_px", "centroid_x_px"]


def analyse_pattern(
    particles: Any = None,
    *,
    region: Any = None,
    labels: Any = None,
    calibration: Calibration | None = None,
    test: str = DEFAULT_TEST,
    distance: str = "centroid",
    settings: PatternSettings | None = None,
    on_progress: ProgressCallback = silent,
    cancel: CancelToken | None = None,
) -> PatternResult:
    """Say whether particles lie as if at random, clustered or self-avoiding.

    Parameters
    ----------
    particles : array, ParticleTable or pandas.DataFrame, optional
        Points ``(N, 2)``: (y, x) in pixel indices. Or a table with the columns ``centroid_y_px``, ``centroid_x_px``
        and, for the particles' sizes, ``area_px``; rows with ``keep`` false are left out, and particles whose area is
        missing have no size. Without, the centroids of `labels`.
    region : Region, array or tuple of int, optional
        Where particles could have lain: a :class:`~napari_mpseg.particles.pattern.region.Region`, a ``(Y, X)`` mask, or
        height and width of the image. Without, the whole of `labels`. Particles outside are left out.
    labels : array, optional
        ``(Y, X)``, integer, 0 = background. The distances ``"ultimate"`` and ``"edge"`` need it. Where a table is given
        too, labels that are not in it (or not kept) are left out, and all in it must be there.
    calibration : Calibration, optional
        Pixel size; without, the table's.
    test : str
        Name in ``PATTERN_TESTS``: ``"clark-evans"``, ``"donnelly"``, ``"g-function"``, ``"l-function"``,
        ``"biovoxxel"``.
    distance : str
        Name in ``DISTANCES``: ``"centroid"``, ``"ultimate"``, ``"edge"``.
    settings : PatternSettings, optional
        Level, number of simulations, seed ...
    on_progress, cancel
        See :mod:`napari_mpseg.progress`.

    Returns
    -------
    PatternResult
        With the class ``"too few particles to say"`` where there are too few; that is no error.

    Raises
    ------
    UnknownNameError
        If there is no such test or distance.
    SettingsError
        If there is no region, no particles at all were given, the distance needs labels, or the labels are others than
        the table's.
    ImageError
        If points, labels or region have the wrong shape.
    Cancelled
        If the user cancels.
    """
    chosen, kind = PATTERN_TESTS[test], DISTANCES[distance]
    pixels = None if labels is None else _checked_labels(labels)
    if kind.needs_labels:
        pixels = needed(pixels, distance)
    found = _found(particles, pixels)
    if calibration is None:
        calibration = getattr(particles, "calibration", None) or Calibration()
    where = region_of(region, pixels)
    if pixels is not None and found.label is not None and particles is not None:
        _refuse_other_labels(found.label, pixels)
        pixels = np.where(np.isin(pixels, found.label), pixels, 0)
    if distance == "edge" and found.label is None:
        raise SettingsError(
            "Gaps between edges belong to labels: give a table with the column 'label', or only labels."
        )
    if pixels is not None and distance == "edge":
        found = found.chosen(np.isin(needed(found.label, distance), pixels))
    pattern = Pattern(kind.points(found, pixels), where, calibration, distance, pixels).in_region()
    if pixels is not None and distance == "edge" and len(pattern) < len(found.points):
        kept = needed(pattern.found.label, distance)
        pattern = replace(pattern, labels=np.where(np.isin(pixels, kept), pixels, 0))
    return chosen.run(pattern, settings or PatternSettings(), on_progress, cancel or CancelToken())


def _refuse_other_labels(label: NDArray[np.int64], pixels: NDArray[Any]) -> None:
    missing = int((~np.isin(label, pixels)).sum())
    if missing:
        raise SettingsError(
            f"{missing} of the table's {len(label)} particles are not in the labels. "
            "Give the labels that this table was measured on."
        )


def _checked_labels(labels: Any) -> NDArray[Any]:
    array = np.asarray(labels)
    if array.ndim != 2 or array.dtype.kind not in "iu":
        raise ImageError(
            f"Labels must be whole numbers with two axes (Y, X); these are {array.dtype} of shape {array.shape}."
        )
    return array


def _found(particles: Any, labels: NDArray[Any] | None) -> Found:
    if particles is None:
        if labels is None:
            raise SettingsError("Which particles? Give points, a particle table, or labels.")
        return _of_labels(labels)
    frame = getattr(particles, "frame", particles)
    if hasattr(frame, "columns"):
        return _of_table(frame)
    points = np.asarray(particles, np.float64)
    if points.size == 0:
        points = points.reshape(0, 2)
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
        raise ImageError(f"Points must be finite numbers (y, x) of shape (N, 2); these have the shape {points.shape}.")
    return Found(points)


def _of_table(frame: Any) -> Found:
    missing = [column for column in _PLACE if column not in frame.columns]
    if missing:
        raise SettingsError(
            f"The table has no column {' and no '.join(map(repr, missing))}, which tells where particles are. "
            "Measure the centroid too."
        )
    there = frame[_PLACE].notna().all(axis=1)
    if "keep" in frame.columns:
        there &= as_keep(frame["keep"])
    frame = frame[there]
    radius = _radius(frame["area_px"].to_numpy(np.float64, na_value=np.nan)) if "area_px" in frame.columns else None
    number = next((name for name in ("label", "index") if name in frame.columns), None)
    label = frame[number].to_numpy(np.int64) if number else None
    return Found(frame[_PLACE].to_numpy(np.float64), radius, label)


def _radius(area: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return radii of discs of these areas, 0 where an area is missing, or None if all are."""
    known = np.isfinite(area) & (area > 0)
    if not known.any():
        return None
    return np.sqrt(np.where(known, area, 0.0) / np.pi)


def _of_labels(labels: NDArray[Any]) -> Found:
    y, x = np.nonzero(labels)
    number, which, area = np.unique(labels[y, x], return_inverse=True, return_counts=True)
    points = np.empty((len(number), 2))
    for axis, place in enumerate((y, x)):
        points[:, axis] = np.bincount(which.ravel(), place, len(number)) / area
    return Found(points, np.sqrt(area / np.pi), number.astype(np.int64))
