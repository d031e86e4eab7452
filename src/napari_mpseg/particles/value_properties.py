"""Pixel values under particles: entries of the property registry, one column per channel."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.particles.geometry import Geometry
from napari_mpseg.particles.property import Columns, add

_IJ = "ImageJ (Analyze Particles)"
_GREY = "default intensity imagej"
_MORE = "intensity imagej"
_VALUE = "grey value"


def _skewness(g: Geometry) -> NDArray[np.float64]:
    m = _grey(g)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(m.moment_3 / m.moment_2**1.5)


def _kurtosis(g: Geometry) -> NDArray[np.float64]:
    m = _grey(g)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(m.moment_4 / m.moment_2**2 - 3.0)


def _std(g: Geometry) -> NDArray[np.float64]:
    n = g.particles.area[:, np.newaxis]
    return np.asarray(np.sqrt(_grey(g).moment_2 * n / np.maximum(n - 1, 1)))


def _centre_of_mass(g: Geometry) -> Columns:
    p, m = g.particles, _grey(g)
    with np.errstate(divide="ignore", invalid="ignore"):
        return p.y0[:, np.newaxis] + m.weighted_y / m.total, p.x0[:, np.newaxis] + m.weighted_x / m.total


def _grey(g: Geometry) -> Any:
    return g.particles.intensities


add("intensity_mean", "intensity", lambda g: _grey(g).mean, "Mean value (ImageJ: Mean).", _IJ, _GREY, unit=_VALUE)
add(
    "intensity_min",
    "intensity",
    lambda g: _grey(g).minimum,
    "Lowest value (ImageJ: Min).",
    _IJ,
    _GREY,
    unit=_VALUE,
)
add(
    "intensity_max",
    "intensity",
    lambda g: _grey(g).maximum,
    "Highest value (ImageJ: Max).",
    _IJ,
    _GREY,
    unit=_VALUE,
)
add(
    "intensity_std",
    "intensity",
    _std,
    "Sample standard deviation, n - 1; 0 for a single pixel (ImageJ: StdDev).",
    _IJ,
    _GREY,
    unit=_VALUE,
)
add(
    "intensity_sum",
    "intensity",
    lambda g: _grey(g).total,
    "Sum of values (ImageJ: RawIntDen).",
    _IJ,
    _MORE,
    unit=_VALUE,
)
add(
    "intensity_skewness",
    "intensity",
    _skewness,
    "Third central moment over the 1.5th power of the second (ImageJ: Skew).",
    _IJ,
    _MORE,
)
add(
    "intensity_kurtosis",
    "intensity",
    _kurtosis,
    "Fourth central moment over the square of the second, less 3 (ImageJ: Kurt).",
    _IJ,
    _MORE,
)
add(
    "centre_of_mass",
    "intensity",
    _centre_of_mass,
    "Mean pixel index weighted by value; ImageJ's YM and XM are 0.5 px more.",
    _IJ,
    _MORE,
    stems=("centre_of_mass_y_px", "centre_of_mass_x_px"),
    unit="px",
)
