"""Pixel values under particles: entries of the property registry, one column per channel."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.particles.geometry import Geometry
from napari_mpseg.particles.property import Columns, add
from napari_mpseg.particles.rings import RING_GAP, RING_WIDTH

_IJ = "ImageJ (Analyze Particles)"
_GREY = "default intensity imagej"
_MORE = "intensity imagej"
_HSV = "Smith 1978, hue, saturation, value"
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


def _ring_contrast(g: Geometry) -> NDArray[np.float64]:
    return np.asarray(_grey(g).mean - g.particles.ring)


def _hue(g: Geometry) -> NDArray[np.float64]:
    red, green, blue, spread = _mean_colour(g)
    with np.errstate(divide="ignore", invalid="ignore"):
        sixth = np.select(
            [red >= np.maximum(green, blue), green >= blue],
            [(green - blue) / spread, (blue - red) / spread + 2.0],
            (red - green) / spread + 4.0,
        )
    return np.asarray(np.where(spread > 0, 60.0 * sixth % 360.0, np.nan))


def _saturation(g: Geometry) -> NDArray[np.float64]:
    red, green, blue, spread = _mean_colour(g)
    brightest = np.maximum(np.maximum(red, green), blue)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(spread == 0, 0.0, spread / brightest))


def _mean_colour(g: Geometry) -> tuple[NDArray[np.float64], ...]:
    red, green, blue = _grey(g).mean.T
    spread = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)
    return red, green, blue, spread


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
    "integrated_density",
    "intensity",
    lambda g: g.area[:, np.newaxis] * _grey(g).mean,
    "Area times mean value, the area in the unit the column ends in: px (the sum of values), um2 (ImageJ: IntDen).",
    _IJ,
    _MORE,
    unit=f"{_VALUE} x {{area}}",
)
add(
    "area_fraction",
    "intensity",
    lambda g: 100.0 * _grey(g).not_zero / g.particles.area[:, np.newaxis],
    "Share of pixels whose value is not 0 (ImageJ: %Area, without a threshold).",
    _IJ,
    _MORE,
    unit="%",
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
add(
    "hue",
    "angle",
    _hue,
    "Hue of the mean colour: 0 red, 120 green, 240 blue; missing for grey.",
    _HSV,
    "colour",
    given="rgb",
)
add(
    "saturation",
    "number",
    _saturation,
    "Saturation of the mean colour: 0 grey, 1 pure.",
    _HSV,
    "colour",
    given="rgb",
)
add(
    "ring_contrast",
    "intensity",
    _ring_contrast,
    f"Mean value less that of a ring of background around the particle: {RING_WIDTH} px wide after a gap of "
    f"{RING_GAP} px, pixels of other particles left out; missing where no background is there.",
    "napari-mpseg",
    "contrast",
    unit=_VALUE,
    needs=("ring",),
)
